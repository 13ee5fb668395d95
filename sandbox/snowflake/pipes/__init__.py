"""Snowpipe: what a pipe copies, its statements and functions, and the thread that loads its files."""
