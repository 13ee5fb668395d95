"""`.env.deployed`: names and ARNs that `apply` created, for `make deploy` and later commands. No secrets."""

import os
from collections.abc import Collection
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
    return stored_variables() | read_environment()


def deploy_profile() -> str | None:
    """AWS profile of `.env` or the last `apply`, unless the shell has keys."""
    return None if "AWS_ACCESS_KEY_ID" in os.environ else deploy_environment().get("AWS_PROFILE")


def stored_variables() -> dict[str, str]:
    """Variables of the file; none if it does not exist."""
    if not FILE.exists():
        return {}
    return non_empty(dotenv_values(FILE, interpolate=False))


def file_changes(values: dict[str, str]) -> list[Change]:
    """The changes that `write_file` would make."""
    if _updated(values) == stored_variables():
        return []
    return [Change("here", "change" if FILE.exists() else "create", str(FILE))]


def write_file(values: dict[str, str]) -> list[Change]:
    """Writes the file if a value differs. Other variables are kept; an empty value removes a variable."""
    changes = file_changes(values)
    if changes:
        _write(_updated(values))
    return changes


def reductions(kept: Collection[str]) -> list[Change]:
    """The changes that `reduce_file` would make."""
    found = stored_variables()
    if not FILE.exists() or (found and found.keys() <= set(kept)):
        return []
    left = [name for name in found if name in kept]
    if not left:
        return [Change("here", "delete", str(FILE))]
    return [Change("here", "change", str(FILE), f"keeps {', '.join(left)}")]


def reduce_file(kept: Collection[str]) -> None:
    """Removes all variables except these; deletes the file if none is left."""
    left = {name: value for name, value in stored_variables().items() if name in kept}
    if left:
        _write(left)
    else:
        FILE.unlink(missing_ok=True)


def _updated(values: dict[str, str]) -> dict[str, str]:
    return non_empty(stored_variables() | values)


def _write(values: dict[str, str]) -> None:
    lines = [f"{name}='{value}'\n" for name, value in values.items()]
    FILE.write_text("".join([HEADER, *lines]), encoding="utf-8")
