"""`python -m blocks.register`: writes every block from environment variables; may be repeated."""

import os
import sys
from collections.abc import Mapping
from typing import Any

from prefect_aws import AwsClientParameters, AwsCredentials, S3Bucket
from prefect_snowflake import SnowflakeConnector, SnowflakeCredentials
from pydantic import SecretBytes, SecretStr

from blocks.spotify import SpotifyCredentials

Environment = Mapping[str, str]


def register(environment: Environment, suffix: str = "") -> list[str]:
    """Writes the blocks `spotify`, `aws`, `lake` and `warehouse`; returns their names, each with the suffix.

    Raises KeyError with the name of a variable that is missing.
    """
    aws = _aws(environment)
    lake = S3Bucket(
        bucket_name=environment["LAKE_BUCKET"],
        bucket_folder=environment.get("LAKE_FOLDER", ""),
        credentials=aws,
    )
    blocks = {
        "spotify": _spotify(environment),
        "aws": aws,
        "lake": lake,
        "warehouse": _warehouse(environment),
    }
    for name, block in blocks.items():
        block.save(f"{name}{suffix}", overwrite=True)
    return [f"{name}{suffix}" for name in blocks]


def _spotify(environment: Environment) -> SpotifyCredentials:
    return SpotifyCredentials(
        client_id=environment["SPOTIFY_CLIENT_ID"],
        client_secret=SecretStr(environment["SPOTIFY_CLIENT_SECRET"]),
        **_given(
            environment,
            refresh_token="SPOTIFY_REFRESH_TOKEN",
            api_url="SPOTIFY_API_URL",
            accounts_url="SPOTIFY_ACCOUNTS_URL",
        ),
    )


def _aws(environment: Environment) -> AwsCredentials:
    keys = _given(
        environment,
        aws_access_key_id="AWS_ACCESS_KEY_ID",
        aws_secret_access_key="AWS_SECRET_ACCESS_KEY",
        region_name="AWS_DEFAULT_REGION",
    )
    client = AwsClientParameters(
        config={"max_pool_connections": 32}, **_given(environment, endpoint_url="AWS_ENDPOINT_URL")
    )
    return AwsCredentials(aws_client_parameters=client, **keys)


def _warehouse(environment: Environment) -> SnowflakeConnector:
    # These are no fields of the block: as extras of inline credentials they survive.
    extras = _given(environment, host="SNOWFLAKE_HOST", port="SNOWFLAKE_PORT", protocol="SNOWFLAKE_PROTOCOL")
    extras["network_timeout"] = int(environment.get("SNOWFLAKE_NETWORK_TIMEOUT", "120"))
    credentials = SnowflakeCredentials(
        account=environment["SNOWFLAKE_ACCOUNT"],
        user=environment["SNOWFLAKE_USER"],
        private_key=SecretBytes(environment["SNOWFLAKE_PRIVATE_KEY"].encode()),
        role=environment.get("SNOWFLAKE_ROLE", "SPOTIFY_LOADER"),
        **_given(environment, private_key_passphrase="SNOWFLAKE_PRIVATE_KEY_PASSPHRASE"),
        **extras,
    )
    return SnowflakeConnector(
        credentials=credentials,
        database=environment.get("SNOWFLAKE_DATABASE", "SPOTIFY"),
        schema_=environment.get("SNOWFLAKE_SCHEMA", "PLAYLISTS"),
        warehouse=environment.get("SNOWFLAKE_WAREHOUSE", "SPOTIFY_LOAD"),
    )


def _given(environment: Environment, **variables: str) -> dict[str, Any]:
    """The settings whose variable is set."""
    return {name: environment[variable] for name, variable in variables.items() if environment.get(variable)}


def main() -> int:
    """Registers the blocks, or says which variable is missing."""
    try:
        names = register(os.environ)
    except KeyError as missing:
        sys.stderr.write(f"{missing.args[0]} is not set: see docs/operations.md for the list of variables\n")
        return 1
    sys.stdout.write(f"registered: {', '.join(names)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
