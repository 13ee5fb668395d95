"""Builds the blocks from environment variables."""

from typing import Any

from prefect_aws import AwsClientParameters, AwsCredentials, S3Bucket
from prefect_snowflake import SnowflakeConnector, SnowflakeCredentials
from pydantic import SecretStr

from blocks.key_pair import PrivateKey
from blocks.spotify import SpotifyCredentials
from blocks.variables import Environment, aws_keys, number

S3_POOL_CONNECTIONS = 32
"""Size of the S3 client's connection pool: uploads run concurrently."""


def private_key(environment: Environment, variable: str = "SNOWFLAKE_PRIVATE_KEY") -> PrivateKey | None:
    """The private key and passphrase from a variable and its _PASSPHRASE; None if it is not set."""
    if variable not in environment:
        return None
    pem = environment[variable].replace("\\n", "\n")  # CI secrets often hold the PEM text on one line
    return PrivateKey.of(pem, environment.get(f"{variable}_PASSPHRASE"))


def build(environment: Environment, key: PrivateKey) -> dict[str, Any]:
    """The blocks by name, from complete variables. `key`: private key of the loader.

    The block `warehouse` comes last, because it is written last.
    """
    aws = _aws(environment, "LAKE_", config={"max_pool_connections": S3_POOL_CONNECTIONS})
    lake = S3Bucket(
        bucket_name=environment["LAKE_BUCKET"],
        bucket_folder=environment.get("LAKE_FOLDER", ""),
        credentials=aws,
    )
    blocks = {
        "spotify": _spotify(environment),
        "aws": aws,
        "lake": lake,
        # Prefect Cloud refuses the default, null. In other blocks, null lets boto3 read its own variable.
        "aws-ecs": _aws(environment, "ECS_", verify=True),
    }
    if "SNOWFLAKE_ADMIN_ROLE" in environment:
        blocks["warehouse-admin"] = _warehouse_admin(environment, key)
    role = environment.get("SNOWFLAKE_ROLE", "SPOTIFY_LOADER")
    return blocks | {"warehouse": _warehouse(environment, environment["SNOWFLAKE_USER"], role, key)}


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


def _aws(environment: Environment, prefix: str, **client: Any) -> AwsCredentials:  # noqa: ANN401 - client parameters
    """An AWS block: keys from variables with the prefix, region and endpoint from the shared variables."""
    keys = {name.lower(): variable for name, variable in aws_keys(environment, prefix).items()}
    endpoint = _given(environment, {"endpoint_url": "AWS_ENDPOINT_URL"})
    return AwsCredentials(
        aws_client_parameters=AwsClientParameters(**client, **endpoint),
        **_given(environment, keys | {"region_name": "AWS_DEFAULT_REGION"}),
    )


def _warehouse_admin(environment: Environment, key: PrivateKey) -> SnowflakeConnector:
    """The warehouse with the role that may change the schema; user and key default to the loader's."""
    user = environment.get("SNOWFLAKE_ADMIN_USER", environment["SNOWFLAKE_USER"])
    admin_key = private_key(environment, "SNOWFLAKE_ADMIN_PRIVATE_KEY")
    return _warehouse(environment, user, environment["SNOWFLAKE_ADMIN_ROLE"], admin_key or key)


def _warehouse(environment: Environment, user: str, role: str, key: PrivateKey) -> SnowflakeConnector:
    # The block has no such fields; as extras of the inline credentials they are stored.
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
    """Settings from the variables that are set."""
    return {name: environment[variable] for name, variable in variables.items() if variable in environment}
