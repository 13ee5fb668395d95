"""Starts the stand-ins and a Prefect server as processes on loopback, and registers blocks for them."""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

import boto3
import requests

from pipeline.lake.layout import TABLES_PREFIX
from sandbox.account_objects import create_account_objects, private_key
from sandbox.history import DAILY_PLAYLISTS
from sandbox.lake import allow_public_reads, create_lake
from sandbox.prefect_server import PrefectServer, prefect_settings
from sandbox.processes import Server
from sandbox.spotify.accounts import CLIENT_ID, CLIENT_SECRET, REFRESH_TOKEN

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

BUCKET = "spotify-lake"
IDLE_ABORT_S = 5.0
"""Seconds after which an idle transaction that blocks another is aborted, e.g. that of a killed client."""


@dataclass(frozen=True)
class Addresses:
    """Addresses of the stand-ins, as `http://127.0.0.1:<port>`."""

    spotify: str
    s3: str
    snowflake: str


@dataclass(frozen=True)
class Sandbox(Addresses):
    """Running stand-ins and a Prefect server; `environment`: variables for their clients."""

    environment: dict[str, str]


@contextmanager
def running(
    home: Path, recordings: Path | None = None, progress: Callable[[str], None] = lambda _: None
) -> Iterator[Sandbox]:
    """Starts everything in parallel and registers the blocks; stops everything at exit.

    `home`: folder for Prefect's files. `progress`: called with a line for each step. Sets the Prefect
    settings of this process, so Prefect must not have been imported before.
    """
    with ExitStack() as stack:
        prefect = PrefectServer(stack, home)
        stand_ins = _start_processes(stack, recordings)
        os.environ.update(prefect_settings(home), PREFECT_API_URL=prefect.url)
        from sandbox.registration import register_blocks  # noqa: PLC0415 - takes seconds; the servers start meanwhile

        addresses = _addresses(stand_ins)
        create_lake(s3_client(addresses.s3), BUCKET, addresses.snowflake)
        allow_public_reads(s3_client(addresses.s3), BUCKET)
        create_account_objects(addresses.snowflake, f"s3://{BUCKET}/{TABLES_PREFIX}")
        for line in stand_ins.spotify.printed if recordings else ():
            progress(line)
        progress("Spotify, S3 and Snowflake are ready")
        prefect.wait()
        progress("Prefect is ready")
        environment = prefect_settings(home) | {"PREFECT_API_URL": prefect.url} | block_variables(addresses)
        register_blocks(environment, served_playlists(addresses.spotify) if recordings else DAILY_PLAYLISTS)
        progress("the blocks are registered")
        yield Sandbox(addresses.spotify, addresses.s3, addresses.snowflake, environment)


def start_stand_ins(
    stack: ExitStack, recordings: Path | None = None, *, idle_abort_s: float = IDLE_ABORT_S
) -> Addresses:
    """Starts the three stand-ins, empty; raises StandInFailed. `idle_abort_s`: see IDLE_ABORT_S."""
    return _addresses(_start_processes(stack, recordings, idle_abort_s))


class StandIns(NamedTuple):
    """Processes of the stand-ins."""

    spotify: Server
    s3: Server
    snowflake: Server


def _start_processes(
    stack: ExitStack, recordings: Path | None, idle_abort_s: float = IDLE_ABORT_S
) -> StandIns:
    """Starts the processes; waits only for S3, because Snowflake needs its address."""
    s3 = Server.start(stack, "the stand-in for S3", "sandbox.s3")
    options = ["--recordings", str(recordings)] if recordings else []
    spotify = Server.start(stack, "the stand-in for Spotify", "sandbox.spotify", *options)
    options = ["--s3-endpoint", s3.wait_for_address(), "--idle-abort", str(idle_abort_s)]
    snowflake = Server.start(stack, "the stand-in for Snowflake", "sandbox.snowflake", *options)
    return StandIns(spotify, s3, snowflake)


def _addresses(servers: StandIns) -> Addresses:
    return Addresses(*(server.wait_for_address() for server in servers))


def s3_client(url: str) -> "S3Client":
    """An S3 client for the stand-in."""
    return boto3.client(
        "s3",
        endpoint_url=url,
        region_name="us-east-1",
        aws_access_key_id="sandbox",
        aws_secret_access_key="sandbox",
    )


def served_playlists(url: str) -> list[str]:
    """Ids of the playlists that the Spotify stand-in serves."""
    return list(requests.get(f"{url}/sandbox/playlists", timeout=10).json())


def block_variables(addresses: Addresses) -> dict[str, str]:
    """Environment variables from which `blocks register` creates the sandbox's blocks."""
    snowflake = urlsplit(addresses.snowflake)
    return {
        "SPOTIFY_CLIENT_ID": CLIENT_ID,
        "SPOTIFY_CLIENT_SECRET": CLIENT_SECRET,
        "SPOTIFY_REFRESH_TOKEN": REFRESH_TOKEN,
        "SPOTIFY_REQUESTS_PER_SECOND": "100",
        "SPOTIFY_API_URL": f"{addresses.spotify}/v1",
        "SPOTIFY_ACCOUNTS_URL": addresses.spotify,
        "LAKE_AWS_ACCESS_KEY_ID": "sandbox",
        "LAKE_AWS_SECRET_ACCESS_KEY": "sandbox",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": addresses.s3,
        "ECS_AWS_ACCESS_KEY_ID": "sandbox",
        "ECS_AWS_SECRET_ACCESS_KEY": "sandbox",
        "LAKE_BUCKET": BUCKET,
        "SNOWFLAKE_ACCOUNT": "sandbox",
        "SNOWFLAKE_USER": "SPOTIFY_PIPELINE",
        "SNOWFLAKE_PRIVATE_KEY": private_key(),
        "SNOWFLAKE_ADMIN_ROLE": "SPOTIFY_OWNER",
        "SNOWFLAKE_HOST": snowflake.hostname or "",
        "SNOWFLAKE_PORT": str(snowflake.port),
        "SNOWFLAKE_PROTOCOL": "http",
        "SNOWFLAKE_NETWORK_TIMEOUT": "30",
    }
