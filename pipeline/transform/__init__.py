"""Kept answers to tables: pure Polars, no Prefect, clients, clock or environment."""
