"""The stand-ins and a Prefect server as processes on loopback, with blocks that point at them."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import boto3
import requests
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from sandbox.account import create_account_objects
from sandbox.lake import create_lake
from sandbox.spotify.accounts import CLIENT_ID, CLIENT_SECRET, REFRESH_TOKEN

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

ROOT = Path(__file__).parents[1]
BUCKET = "spotify-lake"
START_S = 120
"""How long a server may take to start."""


class StandInFailed(RuntimeError):
    """A stand-in ended before it was ready; it has said why."""


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
def running(home: Path, recordings: Path | None = None) -> Iterator[Sandbox]:
    """Starts everything, side by side, and stops it on leaving. `home` is where Prefect keeps its files."""
    with ExitStack() as stack:
        prefect = start_prefect(stack, home)
        addresses = start_stand_ins(stack, recordings)
        create_lake(s3_client(addresses.s3), BUCKET, addresses.snowflake)
        create_account_objects(addresses.snowflake, f"s3://{BUCKET}/")
        wait_for_prefect(prefect)
        environment = prefect_settings(home) | {"PREFECT_API_URL": prefect} | block_variables(addresses)
        yield Sandbox(addresses.spotify, addresses.s3, addresses.snowflake, environment)


def start_stand_ins(
    stack: ExitStack, recordings: Path | None = None, *, idle_abort_s: float = 5.0
) -> Addresses:
    """Starts the three stand-ins, empty.

    `idle_abort_s`: how long a transaction of a client that died may block others in the warehouse.
    """
    s3 = _start(stack, "sandbox.s3")
    spotify = _start(stack, "sandbox.spotify", *(["--recordings", str(recordings)] if recordings else []))
    s3_url = _address(s3)
    snowflake = _start(stack, "sandbox.snowflake", "--s3-endpoint", s3_url, "--idle-abort", str(idle_abort_s))
    return Addresses(_address(spotify), s3_url, _address(snowflake))


def s3_client(url: str) -> "S3Client":
    """A client of the S3 stand-in."""
    return boto3.client(
        "s3",
        endpoint_url=url,
        region_name="us-east-1",
        aws_access_key_id="sandbox",
        aws_secret_access_key="sandbox",
    )


def _start(stack: ExitStack, module: str, *options: str) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-m", module, *options], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    stack.callback(stop, process)
    return process


def start_prefect(stack: ExitStack, home: Path) -> str:
    """Starts a Prefect server on a free port; returns the URL of its API."""
    home.mkdir(parents=True, exist_ok=True)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    url = f"http://127.0.0.1:{port}/api"
    log = stack.enter_context((home / "server.log").open("w", encoding="utf-8"))
    process = subprocess.Popen(
        [sys.executable, "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port)],
        env={**os.environ, **prefect_settings(home), "PREFECT_UI_API_URL": url},
        stdout=log,
        stderr=log,
    )
    stack.callback(stop, process)
    return url


def wait_for_prefect(url: str) -> None:
    """Returns once the server answers; raises TimeoutError where it does not start."""
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        try:
            if requests.get(f"{url}/health", timeout=5).ok:
                return
        except requests.ConnectionError:
            pass
        time.sleep(0.2)
    raise TimeoutError(f"the Prefect server at {url} did not start within {START_S} s")


def _address(process: subprocess.Popen[str]) -> str:
    """The address that a stand-in prints once it is ready."""
    line = process.stdout.readline() if process.stdout else ""
    if not line.startswith("listening on "):
        raise StandInFailed(f"a stand-in did not start: {process.args!r}")
    return f"http://{line.split()[-1]}"


def stop(process: subprocess.Popen[str] | subprocess.Popen[bytes]) -> None:
    """Ends a process: SIGTERM, and SIGKILL where that does not help."""
    process.terminate()
    try:
        process.wait(timeout=10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def prefect_settings(home: Path) -> dict[str, str]:
    """Settings for server and clients, apart from whatever profile the person has."""
    return {
        "PREFECT_HOME": str(home),
        "PREFECT_PROFILES_PATH": str(home / "profiles.toml"),
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_CLI_PROMPT": "false",
        "DO_NOT_TRACK": "1",
    }


def block_variables(addresses: Addresses) -> dict[str, str]:
    """What `blocks.register` makes the sandbox's blocks from."""
    snowflake = urlsplit(addresses.snowflake)
    return {
        "SPOTIFY_CLIENT_ID": CLIENT_ID,
        "SPOTIFY_CLIENT_SECRET": CLIENT_SECRET,
        "SPOTIFY_REFRESH_TOKEN": REFRESH_TOKEN,
        "SPOTIFY_REQUESTS_PER_SECOND": "100",
        "SPOTIFY_API_URL": f"{addresses.spotify}/v1",
        "SPOTIFY_ACCOUNTS_URL": addresses.spotify,
        "AWS_ACCESS_KEY_ID": "sandbox",
        "AWS_SECRET_ACCESS_KEY": "sandbox",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": addresses.s3,
        "ECS_AWS_ACCESS_KEY_ID": "sandbox",
        "ECS_AWS_SECRET_ACCESS_KEY": "sandbox",
        "LAKE_BUCKET": BUCKET,
        "SNOWFLAKE_ACCOUNT": "sandbox",
        "SNOWFLAKE_USER": "SPOTIFY_PIPELINE",
        "SNOWFLAKE_PRIVATE_KEY": _private_key(),
        "SNOWFLAKE_HOST": snowflake.hostname or "",
        "SNOWFLAKE_PORT": str(snowflake.port),
        "SNOWFLAKE_PROTOCOL": "http",
        "SNOWFLAKE_NETWORK_TIMEOUT": "30",
    }


def _private_key() -> str:
    """The private half of a fresh key pair, as PEM: the stand-in takes any."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
