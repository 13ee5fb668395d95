"""Snowflake stand-in: fakesnow over HTTP, extended with what the project relies on (see DEVIATIONS.md)."""
