"""Provisioning: two empty accounts and a Prefect workspace, up to what `make deploy` needs."""
