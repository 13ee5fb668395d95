"""Transforms kept responses to tables: pure functions and Polars, without clients, clock or environment."""
