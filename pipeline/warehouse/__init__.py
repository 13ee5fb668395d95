"""Snowflake: sessions, schema set-up and loads."""
