"""Blocks from variables: where these come from, what is missing or wrong, what each block is made of."""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dotenv import dotenv_values
from prefect_aws import AwsClientParameters, AwsCredentials, S3Bucket
from prefect_snowflake import SnowflakeConnector, SnowflakeCredentials
from pydantic import SecretStr

from blocks.key_pair import PrivateKey
from blocks.spotify import SpotifyCredentials
from blocks.validation import NotRegistered

Environment = Mapping[str, str]

ENV_FILE = Path(".env")
REQUIRED = (
    "SPOTIFY_CLIENT_ID",
    "SPOTIFY_CLIENT_SECRET",
    "LAKE_BUCKET",
    "SNOWFLAKE_ACCOUNT",
    "SNOWFLAKE_USER",
)
TOGETHER = (
    ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"),
    ("ECS_AWS_ACCESS_KEY_ID", "ECS_AWS_SECRET_ACCESS_KEY"),
    ("SNOWFLAKE_ADMIN_USER", "SNOWFLAKE_ADMIN_PRIVATE_KEY"),
)
NUMBERS = {"SPOTIFY_REQUESTS_PER_SECOND": 5, "SNOWFLAKE_NETWORK_TIMEOUT": 600}
NO_KEY = "SNOWFLAKE_PRIVATE_KEY is not set: set it, or use --new-key-pair"
CONNECTIONS = 32
"""Size of the S3 client's pool: uploads run side by side."""


def read_environment(env_file: Path | None = None) -> dict[str, str]:
    """The real environment over an `.env` file: the named one, else ./.env where it exists.

    Values are taken as written: what looks like ${…} may be part of a password.
    """
    path = env_file or ENV_FILE
    try:
        with path.open(encoding="utf-8") as file:
            values = dotenv_values(stream=file, interpolate=False)
    except (OSError, UnicodeDecodeError) as error:
        if env_file is None and isinstance(error, FileNotFoundError):
            values = {}
        else:
            raise NotRegistered(f"{path} cannot be read ({type(error).__name__})") from None
    return that_are_set(values) | that_are_set(os.environ)


def that_are_set(variables: Mapping[str, str | None]) -> dict[str, str]:
    """The variables that have a value; an empty one counts as not set."""
    return {name: value for name, value in variables.items() if value and value.strip()}


def private_key(environment: Environment, variable: str = "SNOWFLAKE_PRIVATE_KEY") -> PrivateKey | None:
    """The private key of a variable, and its passphrase."""
    if variable not in environment:
        return None
    pem = environment[variable].replace("\\n", "\n")  # so written where a value has to fit on one line
    return PrivateKey.of(pem, environment.get(f"{variable}_PASSPHRASE"))


def number(environment: Environment, variable: str) -> int:
    """The number that a variable holds, or its default."""
    return int(environment.get(variable, NUMBERS[variable]))


def refuse_incomplete(environment: Environment, *, new_key_pair: bool = False) -> None:
    """Raises NotRegistered, which names all variables that are missing or no numbers at once."""
    problems = _problems(environment)
    if problems and not new_key_pair and "SNOWFLAKE_PRIVATE_KEY" not in environment:
        problems.append(f"{NO_KEY} (where the block holds a key, that one stays)")
    if problems:
        raise NotRegistered("; ".join(problems))


def build(environment: Environment, key: PrivateKey) -> dict[str, Any]:
    """The blocks by name, as complete variables say, the warehouse last; `key` is the loader's."""
    aws = _aws(environment, config={"max_pool_connections": CONNECTIONS})
    lake = S3Bucket(
        bucket_name=environment["LAKE_BUCKET"],
        bucket_folder=environment.get("LAKE_FOLDER", ""),
        credentials=aws,
    )
    blocks = {
        "spotify": _spotify(environment),
        "aws": aws,
        "lake": lake,
        "aws-ecs": _aws(environment, prefix="ECS_"),
    }
    if "SNOWFLAKE_ADMIN_ROLE" in environment:
        blocks["warehouse-admin"] = _warehouse_admin(environment, key)
    role = environment.get("SNOWFLAKE_ROLE", "SPOTIFY_LOADER")
    return blocks | {"warehouse": _warehouse(environment, environment["SNOWFLAKE_USER"], role, key)}


def _problems(environment: Environment) -> list[str]:
    halves = [
        half
        for pair in TOGETHER
        for half in pair
        if half not in environment and any(other in environment for other in pair)
    ]
    missing = [variable for variable in REQUIRED if variable not in environment] + halves
    wrong = [
        f"{variable} must be a whole number"
        for variable in NUMBERS
        if not re.fullmatch("[0-9]{1,6}", environment.get(variable, "0"))
    ]
    return ([f"not set: {', '.join(missing)} (see docs/operations.md)"] if missing else []) + wrong


def _spotify(environment: Environment) -> SpotifyCredentials:
    optional = {
        "refresh_token": "SPOTIFY_REFRESH_TOKEN",
        "api_url": "SPOTIFY_API_URL",
        "accounts_url": "SPOTIFY_ACCOUNTS_URL",
    }
    return SpotifyCredentials(
        client_id=environment["SPOTIFY_CLIENT_ID"],
        client_secret=SecretStr(environment["SPOTIFY_CLIENT_SECRET"]),
        **_given(environment, optional),
    )


def _aws(environment: Environment, prefix: str = "", config: dict[str, Any] | None = None) -> AwsCredentials:
    """Keys from variables with the prefix; region and endpoint are everybody's."""
    optional = {
        "aws_access_key_id": f"{prefix}AWS_ACCESS_KEY_ID",
        "aws_secret_access_key": f"{prefix}AWS_SECRET_ACCESS_KEY",
        "region_name": "AWS_DEFAULT_REGION",
    }
    endpoint = _given(environment, {"endpoint_url": "AWS_ENDPOINT_URL"})
    return AwsCredentials(
        aws_client_parameters=AwsClientParameters(config=config, **endpoint), **_given(environment, optional)
    )


def _warehouse_admin(environment: Environment, key: PrivateKey) -> SnowflakeConnector:
    """The same warehouse as somebody who may change the schema: a user of its own, or the loader's."""
    user = environment.get("SNOWFLAKE_ADMIN_USER", environment["SNOWFLAKE_USER"])
    own = private_key(environment, "SNOWFLAKE_ADMIN_PRIVATE_KEY")
    return _warehouse(environment, user, environment["SNOWFLAKE_ADMIN_ROLE"], own or key)


def _warehouse(environment: Environment, user: str, role: str, key: PrivateKey) -> SnowflakeConnector:
    # These are no fields of the block: as extras of inline credentials they survive.
    extras = _given(
        environment, {"host": "SNOWFLAKE_HOST", "port": "SNOWFLAKE_PORT", "protocol": "SNOWFLAKE_PROTOCOL"}
    )
    extras["network_timeout"] = number(environment, "SNOWFLAKE_NETWORK_TIMEOUT")
    credentials = SnowflakeCredentials(
        account=environment["SNOWFLAKE_ACCOUNT"], user=user, role=role, **key.fields(), **extras
    )
    return SnowflakeConnector(
        credentials=credentials,
        database=environment.get("SNOWFLAKE_DATABASE", "SPOTIFY"),
        schema_=environment.get("SNOWFLAKE_SCHEMA", "PLAYLISTS"),
        warehouse=environment.get("SNOWFLAKE_WAREHOUSE", "SPOTIFY_LOAD"),
    )


def _given(environment: Environment, variables: dict[str, str]) -> dict[str, Any]:
    """The settings whose variable is set."""
    return {name: environment[variable] for name, variable in variables.items() if variable in environment}
