"""`python -m blocks.register`: writes every block from environment variables; may be repeated."""

import os
import re
import sys
from collections.abc import Mapping
from typing import Any

from httpx import HTTPError
from prefect.client.orchestration import get_client
from prefect.exceptions import ObjectNotFound
from prefect_aws import AwsClientParameters, AwsCredentials, S3Bucket
from prefect_snowflake import SnowflakeConnector, SnowflakeCredentials
from pydantic import SecretBytes, SecretStr, ValidationError

from blocks.spotify import SpotifyCredentials
from blocks.validation import wrong_fields

Environment = Mapping[str, str]

BURST_S = 6
"""Seconds' worth of requests that may go out at once; Spotify counts over 30 s."""


class WrongNumberError(ValueError):
    """A variable that should be a number is none."""


def register(environment: Environment, suffix: str = "") -> list[str]:
    """Writes the blocks `spotify`, `aws`, `lake` and `warehouse`; returns their names, each with the suffix.

    Raises KeyError with the name of a variable that is missing; whatever is wrong, nothing is written then.
    """
    aws = _aws(environment)
    lake = S3Bucket(
        bucket_name=environment["LAKE_BUCKET"],
        bucket_folder=environment.get("LAKE_FOLDER", ""),
        credentials=aws,
    )
    blocks: dict[str, Any] = {
        "spotify": _spotify(environment),
        "aws": aws,
        "lake": lake,
        "warehouse": _warehouse(environment),
    }
    per_second = _number(environment, "SPOTIFY_REQUESTS_PER_SECOND", 5)
    _keep_authorization(blocks["spotify"], f"spotify{suffix}")
    for name, block in blocks.items():
        block.save(f"{name}{suffix}", overwrite=True)
    _limit_rate(blocks["spotify"].rate_limit, per_second)
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


def _keep_authorization(block: SpotifyCredentials, name: str) -> None:
    """The app's stored refresh token stays: where Spotify has rotated it, the environment's is dead."""
    try:
        stored: Any = SpotifyCredentials.load(name)
    except (ValueError, RuntimeError):  # there is none, or none that can be read
        return
    if stored.refresh_token is None or stored.client_id != block.client_id:
        return
    if block.refresh_token not in {None, stored.refresh_token}:
        sys.stdout.write(
            f"block {name!r} has a refresh token already and keeps it, not SPOTIFY_REFRESH_TOKEN; "
            "python -m blocks.authorize_spotify replaces it\n"
        )
    block.refresh_token, block.authorized_at = stored.refresh_token, stored.authorized_at


def _limit_rate(name: str, per_second: int) -> None:
    """Makes the rate limit that all runs with the app share; one that exists stays as it was tuned."""
    if not per_second:
        return
    with get_client(sync_client=True) as client:
        try:
            client.read_global_concurrency_limit_by_name(name)
        except ObjectNotFound:
            client.upsert_global_concurrency_limit_by_name(name, BURST_S * per_second, float(per_second))


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
    extras["network_timeout"] = _number(environment, "SNOWFLAKE_NETWORK_TIMEOUT", 120)
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


def _number(environment: Environment, variable: str, default: int) -> int:
    text = environment.get(variable, str(default))
    if not re.fullmatch("[0-9]{1,6}", text):
        raise WrongNumberError(f"{variable} is {text!r}, which is no number")
    return int(text)


def _given(environment: Environment, **variables: str) -> dict[str, Any]:
    """The settings whose variable is set."""
    return {name: environment[variable] for name, variable in variables.items() if environment.get(variable)}


def main() -> int:
    """Registers the blocks, or says which variable is missing or wrong."""
    try:
        names = register(os.environ)
    except KeyError as missing:
        sys.stderr.write(f"{missing.args[0]} is not set: see docs/operations.md for the list of variables\n")
        return 1
    except WrongNumberError as error:
        sys.stderr.write(f"nothing is registered: {error}\n")
        return 1
    except HTTPError as error:
        sys.stderr.write(f"Prefect's API does not answer ({error!r}): is PREFECT_API_URL right?\n")
        return 1
    except ValidationError as error:
        sys.stderr.write(f"nothing is registered: correct {error.title}, {wrong_fields(error)}\n")
        return 1
    sys.stdout.write(f"registered: {', '.join(names)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
