"""What developers run: never in the image, never imported by the product."""
