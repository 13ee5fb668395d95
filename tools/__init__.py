"""Tools for developers and analysts. Not in the image, and not imported by flows, pipeline or blocks."""
