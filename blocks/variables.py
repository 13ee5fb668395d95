"""Variables that blocks are made from: where each comes from, which are missing, which have a wrong form."""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from dotenv import dotenv_values

from blocks.validation import NotRegistered

Environment = Mapping[str, str]

ENV_FILE = Path(".env")
KEY_NAMES = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
"""Stored for runs only if the `.env` file has them: in a shell they belong to whoever works there."""
REQUIRED = (
    "SPOTIFY_CLIENT_ID",
    "SPOTIFY_CLIENT_SECRET",
    "LAKE_BUCKET",
    "SNOWFLAKE_ACCOUNT",
    "SNOWFLAKE_USER",
)
NUMBERS = {"SPOTIFY_REQUESTS_PER_SECOND": 5, "SNOWFLAKE_NETWORK_TIMEOUT": 600}
NO_KEY = "SNOWFLAKE_PRIVATE_KEY is not set: set it, or use --new-key-pair"

_BUCKET = r"(?!.*\.\.)(?!(\d+\.){3}\d+$)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]"
_ACCOUNT = r"(?i:(?!.*snowflakecomputing))[A-Za-z0-9_]+([.-][A-Za-z0-9_]+)*"
_NO_SPACES = (r"\S+", "without spaces")
FORMS = {
    "LAKE_BUCKET": (_BUCKET, "the name of a bucket alone, without s3:// and slashes: my-bucket"),
    "LAKE_FOLDER": (r"[^/\s]+(/[^/\s]+)*", "a path without slashes at its ends: spotify/prod"),
    "AWS_DEFAULT_REGION": (r"[a-z]{2,}(-[a-z]+)+-[0-9]+", "a region: eu-west-1"),
    "SNOWFLAKE_ACCOUNT": (
        _ACCOUNT,
        "the account identifier, without https:// and .snowflakecomputing.com: org-name",
    ),
    **dict.fromkeys(NUMBERS, ("[0-9]{1,6}", "a whole number")),
    **{f"{prefix}{name}": _NO_SPACES for prefix in ("", "LAKE_", "ECS_") for name in KEY_NAMES},
    **dict.fromkeys(("SPOTIFY_CLIENT_ID", "SPOTIFY_CLIENT_SECRET", "SPOTIFY_REFRESH_TOKEN"), _NO_SPACES),
}
"""What values must look like: a pattern, and the right form in words."""


class Variables(NamedTuple):
    """Values by name, and where each came from: `from .env`, `from the environment`."""

    values: dict[str, str]
    sources: dict[str, str]


def read_environment(env_file: Path | None = None) -> dict[str, str]:
    """The whole real environment over an `.env` file: the named one, else ./.env if it exists.

    Values are taken as written: what looks like ${…} may be part of a password.
    """
    return _read_file(env_file) | that_are_set(os.environ)


def read_variables(env_file: Path | None = None) -> Variables:
    """The same for blocks: without the AWS keys of the real environment, which are not meant for runs."""
    file = _read_file(env_file)
    real = {name: value for name, value in that_are_set(os.environ).items() if name not in KEY_NAMES}
    sources = dict.fromkeys(file, f"from {env_file or ENV_FILE}") | dict.fromkeys(
        real, "from the environment"
    )
    return Variables(file | real, sources)


def that_are_set(variables: Mapping[str, str | None]) -> dict[str, str]:
    """The variables that have a value; an empty one counts as not set."""
    return {name: value for name, value in variables.items() if value and value.strip()}


def number(environment: Environment, variable: str) -> int:
    """The number that a variable holds, or its default."""
    return int(environment.get(variable, NUMBERS[variable]))


def aws_keys(environment: Environment, prefix: str) -> dict[str, str]:
    """Variables that hold AWS keys of the lake (`LAKE_`) or of the work pool (`ECS_`), by the plain name.

    For the lake, plain names count where none has the prefix.
    """
    if prefix == "LAKE_" and not any(f"{prefix}{name}" in environment for name in KEY_NAMES):
        prefix = ""
    return {name: f"{prefix}{name}" for name in KEY_NAMES if f"{prefix}{name}" in environment}


def refuse_incomplete(environment: Environment, *, has_key: bool) -> None:
    """Raises NotRegistered, which names everything that is missing or has a wrong form at once.

    `has_key`: the private key needs no variable, because the block holds one or a new one is made.
    """
    problems = _problems(environment)
    if not has_key and "SNOWFLAKE_PRIVATE_KEY" not in environment:
        problems.append(NO_KEY)
    if problems:
        raise NotRegistered("; ".join(problems))


def _problems(environment: Environment) -> list[str]:
    missing = [variable for variable in _needed(environment) if variable not in environment]
    wrong = [
        f"{variable} must be {form}"
        for variable, (pattern, form) in FORMS.items()
        if variable in environment and not re.fullmatch(pattern, environment[variable])
    ]
    return ([f"not set: {', '.join(missing)} (see docs/by-hand.md)"] if missing else []) + wrong


def _needed(environment: Environment) -> list[str]:
    """What is always needed, and what goes with the variables that are set."""
    needed = list(REQUIRED)
    for prefix in ("LAKE_", "ECS_"):
        if given := aws_keys(environment, prefix):
            own = next(iter(given.values())).removesuffix(next(iter(given)))
            needed += [f"{own}AWS_ACCESS_KEY_ID", f"{own}AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION"]
    admin = ("SNOWFLAKE_ADMIN_USER", "SNOWFLAKE_ADMIN_PRIVATE_KEY")
    if any(variable in environment for variable in admin):
        needed += admin
    return list(dict.fromkeys(needed))


def _read_file(env_file: Path | None) -> dict[str, str]:
    path = env_file or ENV_FILE
    try:
        with path.open(encoding="utf-8") as file:
            return that_are_set(dotenv_values(stream=file, interpolate=False))
    except (OSError, UnicodeDecodeError) as error:
        if env_file is None and isinstance(error, FileNotFoundError):
            return {}
        raise NotRegistered(f"{path} cannot be read ({type(error).__name__})") from None
