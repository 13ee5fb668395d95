"""`.env.deployed`: names and ARNs that `apply` created, for `make deploy` and other commands. No secrets."""

from pathlib import Path

from dotenv import dotenv_values

from blocks.variables import non_empty, read_environment
from deploy.changes import Change

FILE = Path(".env.deployed")
HEADER = (
    "# By `python -m deploy apply`. .env and the environment take precedence. No secrets; do not commit.\n"
)


def deploy_environment() -> dict[str, str]:
    """Variables by precedence: the environment, `.env`, `.env.deployed`."""
    return _stored() | read_environment()


def file_changes(values: dict[str, str]) -> list[Change]:
    """The changes that `write_file` would make; other variables of the file are kept."""
    if _stored() | values == _stored():
        return []
    return [Change("here", "change" if FILE.exists() else "create", str(FILE))]


def write_file(values: dict[str, str]) -> list[Change]:
    """Writes the file if a value differs."""
    changes = file_changes(values)
    if changes:
        lines = [f"{name}='{value}'\n" for name, value in (_stored() | values).items()]
        FILE.write_text("".join([HEADER, *lines]), encoding="utf-8")
    return changes


def _stored() -> dict[str, str]:
    if not FILE.exists():
        return {}
    return non_empty(dotenv_values(FILE, interpolate=False))
