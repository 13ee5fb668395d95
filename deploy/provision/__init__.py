"""Provisioning of AWS, Snowflake and Prefect, from empty accounts to what `make deploy` needs."""
