"""What developers and analysts run: never in the image, never imported by the product."""
