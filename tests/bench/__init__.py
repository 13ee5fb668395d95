"""Benchmarks: ratios measured within one run, printed as a table (`make bench`)."""
