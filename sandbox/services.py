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
from urllib.parse import urlsplit

import boto3
import requests
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from sandbox.account import create_account_objects
from sandbox.spotify.accounts import CLIENT_ID, CLIENT_SECRET, REFRESH_TOKEN

ROOT = Path(__file__).parents[1]
BUCKET = "spotify-lake"
START_S = 120
"""How long a server may take to start."""


@dataclass(frozen=True)
class Sandbox:
    """Addresses of the running stand-ins, `http://127.0.0.1:<port>`, and the environment for clients."""

    spotify: str
    s3: str
    snowflake: str
    environment: dict[str, str]


@contextmanager
def running(home: Path, recordings: Path | None = None, today: str | None = None) -> Iterator[Sandbox]:
    """Starts everything, side by side, and stops it on leaving. `home` is where Prefect keeps its files."""
    with ExitStack() as stack:
        prefect = _start_prefect(stack, home)
        s3 = _start(stack, "sandbox.s3")
        options = ["--recordings", str(recordings)] if recordings else []
        options += ["--today", today] if today else []
        spotify = _start(stack, "sandbox.spotify", *options)
        s3_url = _address(s3)
        snowflake = _start(stack, "sandbox.snowflake", "--s3-endpoint", s3_url)
        spotify_url, snowflake_url = _address(spotify), _address(snowflake)
        environment = _environment(prefect, home, spotify_url, s3_url, snowflake_url)
        boto3.client(
            "s3",
            endpoint_url=s3_url,
            region_name="us-east-1",
            aws_access_key_id="sandbox",
            aws_secret_access_key="sandbox",
        ).create_bucket(Bucket=BUCKET)
        create_account_objects(snowflake_url, f"s3://{BUCKET}/")
        _wait_for_prefect(prefect)
        yield Sandbox(spotify_url, s3_url, snowflake_url, environment)


def register_blocks(sandbox: Sandbox) -> None:
    """Writes the blocks into the sandbox's Prefect server."""
    subprocess.run(
        [sys.executable, "-m", "blocks.register"],
        cwd=ROOT,
        env={**os.environ, **sandbox.environment},
        check=True,
        stdout=subprocess.DEVNULL,
    )


def _start(stack: ExitStack, module: str, *options: str) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-m", module, *options], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    stack.callback(_stop, process)
    return process


def _start_prefect(stack: ExitStack, home: Path) -> str:
    """Starts a Prefect server on a free port; returns the URL of its API."""
    home.mkdir(parents=True, exist_ok=True)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = stack.enter_context((home / "server.log").open("w", encoding="utf-8"))
    process = subprocess.Popen(
        [sys.executable, "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port)],
        env={**os.environ, **_prefect_settings(home)},
        stdout=log,
        stderr=log,
    )
    stack.callback(_stop, process)
    return f"http://127.0.0.1:{port}/api"


def _wait_for_prefect(url: str) -> None:
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
        raise RuntimeError(f"a stand-in did not start: {process.args!r}")
    return f"http://{line.split()[-1]}"


def _stop(process: subprocess.Popen[str] | subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(timeout=10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _prefect_settings(home: Path) -> dict[str, str]:
    return {
        "PREFECT_HOME": str(home),
        "PREFECT_PROFILES_PATH": str(home / "profiles.toml"),
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_LOGGING_EXTRA_LOGGERS": "flows",
        "PREFECT_CLI_PROMPT": "false",
        "DO_NOT_TRACK": "1",
    }


def _environment(prefect: str, home: Path, spotify: str, s3: str, snowflake: str) -> dict[str, str]:
    """What clients of the sandbox need: Prefect's API, and what the blocks are made from."""
    host, port = urlsplit(snowflake).hostname or "", urlsplit(snowflake).port
    return _prefect_settings(home) | {
        "PREFECT_API_URL": prefect,
        "SPOTIFY_CLIENT_ID": CLIENT_ID,
        "SPOTIFY_CLIENT_SECRET": CLIENT_SECRET,
        "SPOTIFY_REFRESH_TOKEN": REFRESH_TOKEN,
        "SPOTIFY_API_URL": f"{spotify}/v1",
        "SPOTIFY_ACCOUNTS_URL": spotify,
        "AWS_ACCESS_KEY_ID": "sandbox",
        "AWS_SECRET_ACCESS_KEY": "sandbox",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": s3,
        "LAKE_BUCKET": BUCKET,
        "SNOWFLAKE_ACCOUNT": "sandbox",
        "SNOWFLAKE_USER": "SPOTIFY_PIPELINE",
        "SNOWFLAKE_PRIVATE_KEY": _private_key(),
        "SNOWFLAKE_HOST": host,
        "SNOWFLAKE_PORT": str(port),
        "SNOWFLAKE_PROTOCOL": "http",
        "SNOWFLAKE_NETWORK_TIMEOUT": "30",
    }


def _private_key() -> str:
    """The private half of a fresh key pair, as PEM: the stand-in takes any."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
