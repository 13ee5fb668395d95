"""Environment variables of the blocks: reads them from the environment and `.env`, and validates them."""

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
"""Stored for runs only if the `.env` file has them: in a shell they are the developer's own keys."""
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
FORMATS = {
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
"""Format of values: pattern and description."""


class Variables(NamedTuple):
    """Values and their sources by name. Sources are `from .env` or `from the environment`."""

    values: dict[str, str]
    sources: dict[str, str]


def read_environment(env_file: Path | None = None) -> dict[str, str]:
    """All variables of the environment, which override those of the `.env` file.

    The default file is ./.env, which need not exist. `${…}` in values is not expanded: it may be part of a
    password.
    """
    return _read_file(env_file) | non_empty(os.environ)


def read_variables(env_file: Path | None = None) -> Variables:
    """Like `read_environment`, but without AWS keys of the environment, which are not meant for runs."""
    file = _read_file(env_file)
    real = {name: value for name, value in non_empty(os.environ).items() if name not in KEY_NAMES}
    sources = dict.fromkeys(file, f"from {env_file or ENV_FILE}") | dict.fromkeys(
        real, "from the environment"
    )
    return Variables(file | real, sources)


def non_empty(variables: Mapping[str, str | None]) -> dict[str, str]:
    """The variables with a value that is not blank."""
    return {name: value for name, value in variables.items() if value and value.strip()}


def number(environment: Environment, variable: str) -> int:
    """The value of a numeric variable, or its default."""
    return int(environment.get(variable, NUMBERS[variable]))


def aws_keys(environment: Environment, prefix: str) -> dict[str, str]:
    """Variables of the AWS keys of the lake (`LAKE_`) or of the work pool (`ECS_`), by name without prefix.

    For the lake, names without prefix are used if no variable has the prefix.
    """
    if prefix == "LAKE_" and not any(f"{prefix}{name}" in environment for name in KEY_NAMES):
        prefix = ""
    return {name: f"{prefix}{name}" for name in KEY_NAMES if f"{prefix}{name}" in environment}


def refuse_incomplete(environment: Environment, *, has_key: bool) -> None:
    """Raises NotRegistered, which lists all missing and malformed variables.

    `has_key`: no private key variable is needed, because the block holds a key or a new one is created.
    """
    problems = _problems(environment)
    if not has_key and "SNOWFLAKE_PRIVATE_KEY" not in environment:
        problems.append(NO_KEY)
    if problems:
        raise NotRegistered("; ".join(problems))


def _problems(environment: Environment) -> list[str]:
    missing = [variable for variable in _needed(environment) if variable not in environment]
    wrong = [
        f"{variable} must be {description}"
        for variable, (pattern, description) in FORMATS.items()
        if variable in environment and not re.fullmatch(pattern, environment[variable])
    ]
    return ([f"not set: {', '.join(missing)} (see docs/by-hand.md)"] if missing else []) + wrong


def _needed(environment: Environment) -> list[str]:
    """Required variables: the fixed list, and those that the given variables require."""
    needed = list(REQUIRED)
    for prefix in ("LAKE_", "ECS_"):
        if given := aws_keys(environment, prefix):
            used = next(iter(given.values())).removesuffix(next(iter(given)))
            needed += [f"{used}AWS_ACCESS_KEY_ID", f"{used}AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION"]
    admin = ("SNOWFLAKE_ADMIN_USER", "SNOWFLAKE_ADMIN_PRIVATE_KEY")
    if any(variable in environment for variable in admin):
        needed += admin
    return list(dict.fromkeys(needed))


def _read_file(env_file: Path | None) -> dict[str, str]:
    path = env_file or ENV_FILE
    try:
        with path.open(encoding="utf-8") as file:
            return non_empty(dotenv_values(stream=file, interpolate=False))
    except (OSError, UnicodeDecodeError) as error:
        if env_file is None and isinstance(error, FileNotFoundError):
            return {}
        raise NotRegistered(f"{path} cannot be read ({type(error).__name__})") from None
