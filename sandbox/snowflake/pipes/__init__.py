"""Snowpipe: definition of a pipe, statements and functions about pipes, and the thread that loads files."""
