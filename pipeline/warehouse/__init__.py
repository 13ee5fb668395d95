"""Snowflake: sessions, set-up, load."""
