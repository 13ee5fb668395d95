"""The stand-ins and a Prefect server as processes on loopback, with blocks that point at them."""

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
from sandbox.history import WANTED
from sandbox.lake import create_lake, let_everyone_read
from sandbox.prefect_server import PrefectServer, prefect_settings
from sandbox.processes import Server
from sandbox.spotify.accounts import CLIENT_ID, CLIENT_SECRET, REFRESH_TOKEN

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

BUCKET = "spotify-lake"
IDLE_ABORT_S = 5.0
"""How long a transaction of a client that died may block others in the warehouse."""


@dataclass(frozen=True)
class Addresses:
    """Where the stand-ins are, as `http://127.0.0.1:<port>`."""

    spotify: str
    s3: str
    snowflake: str


@dataclass(frozen=True)
class Sandbox(Addresses):
    """Running stand-ins and a Prefect server, with the environment that clients of them need."""

    environment: dict[str, str]


@contextmanager
def running(
    home: Path, recordings: Path | None = None, progress: Callable[[str], None] = lambda _: None
) -> Iterator[Sandbox]:
    """Starts everything, side by side, registers the blocks, and stops everything on leaving.

    `home` is where Prefect keeps its files; `progress` is called with a line on what is ready. Prefect's
    settings of this process become the sandbox's, so nothing of Prefect may be imported before.
    """
    with ExitStack() as stack:
        prefect = PrefectServer(stack, home)
        stand_ins = _begin(stack, recordings)
        os.environ.update(prefect_settings(home), PREFECT_API_URL=prefect.url)
        from sandbox.registration import register_blocks  # noqa: PLC0415 - takes seconds, in which the servers start

        addresses = _addresses(stand_ins)
        create_lake(s3_client(addresses.s3), BUCKET, addresses.snowflake)
        let_everyone_read(s3_client(addresses.s3), BUCKET)
        create_account_objects(addresses.snowflake, f"s3://{BUCKET}/{TABLES_PREFIX}")
        for line in stand_ins.spotify.printed if recordings else ():
            progress(line)
        progress("Spotify, S3 and Snowflake are ready")
        prefect.wait()
        progress("Prefect is ready")
        environment = prefect_settings(home) | {"PREFECT_API_URL": prefect.url} | block_variables(addresses)
        register_blocks(environment, served_playlists(addresses.spotify) if recordings else WANTED)
        progress("the blocks are registered")
        yield Sandbox(addresses.spotify, addresses.s3, addresses.snowflake, environment)


def start_stand_ins(
    stack: ExitStack, recordings: Path | None = None, *, idle_abort_s: float = IDLE_ABORT_S
) -> Addresses:
    """Starts the three stand-ins, empty; raises StandInFailed.

    `idle_abort_s`: how long a transaction of a client that died may block others in the warehouse.
    """
    return _addresses(_begin(stack, recordings, idle_abort_s))


class StandIns(NamedTuple):
    """Their processes."""

    spotify: Server
    s3: Server
    snowflake: Server


def _begin(stack: ExitStack, recordings: Path | None, idle_abort_s: float = IDLE_ABORT_S) -> StandIns:
    """Starts the processes; only S3 is ready then, because Snowflake is told its address."""
    s3 = Server.start(stack, "the stand-in for S3", "sandbox.s3")
    options = ["--recordings", str(recordings)] if recordings else []
    spotify = Server.start(stack, "the stand-in for Spotify", "sandbox.spotify", *options)
    options = ["--s3-endpoint", s3.wait_for_address(), "--idle-abort", str(idle_abort_s)]
    snowflake = Server.start(stack, "the stand-in for Snowflake", "sandbox.snowflake", *options)
    return StandIns(spotify, s3, snowflake)


def _addresses(servers: StandIns) -> Addresses:
    return Addresses(*(server.wait_for_address() for server in servers))


def s3_client(url: str) -> "S3Client":
    """A client of the S3 stand-in."""
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
    """What `blocks register` makes the sandbox's blocks from."""
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
