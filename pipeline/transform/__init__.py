"""Kept responses to tables: pure functions and Polars, no Prefect, clients, clock or environment."""
