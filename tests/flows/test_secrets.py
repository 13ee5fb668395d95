"""No credential leaks: canaries must not be in DEBUG logs, Prefect's database, the lake or tracebacks."""

import json
import logging
import sqlite3
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from secrets import token_hex
from typing import Any

import boto3
import pytest
import requests
from botocore.config import Config
from botocore.exceptions import EndpointConnectionError
from prefect.logging.handlers import APILogHandler
from prefect.settings import PREFECT_LOGGING_TO_API_ENABLED, temporary_settings

import flows.connections
from blocks import SpotifyCredentials
from pipeline.log_filters import mask_secrets_in_logs
from pipeline.spotify.client import SpotifyClient
from sandbox.spotify.catalogue import CHARTS, EMPTY
from tests.flows.conftest import TODAY, Pipeline
from tests.tiers import enumerated

CHART = CHARTS[0]
CASES = [
    "success",
    "wrong secret",
    "expired refresh token",
    "missing bucket",
    "unknown role",
    "unknown playlist",
]
PLAYLIST_PATH = f"/v1/playlists/{CHART}"


def error(status: int, text: str, **further: object) -> dict[str, object]:
    return {"status": status, "body": json.dumps({"error": {"status": status, "message": text, **further}})}


FAULTS: dict[str, tuple[list[dict[str, object]], bool]] = {
    "transient: an unusable token response, 500, a reset, HTML instead of JSON": (
        [
            {"path": "/api/token", "status": 200, "body": '{"refresh_token": 1}'},
            {"path": PLAYLIST_PATH, "status": 500},
            {"path": PLAYLIST_PATH, "kind": "reset"},
            {"path": PLAYLIST_PATH, "kind": "html"},
        ],
        True,
    ),
    "quota": ([{"path": PLAYLIST_PATH, **error(429, "", reason="QUOTA_EXCEEDED")}], False),
    "a 403 that repeats the request": ([{"path": PLAYLIST_PATH, "kind": "echo"}], False),
    "a token endpoint that repeats the request": (
        [{"path": "/api/token", "kind": "echo", "status": 400, "echo_as": "page"}],
        False,
    ),
    "expired, and the refresh token refused": (
        [
            {"path": PLAYLIST_PATH, **error(401, "The access token expired")},
            {"path": "/api/token", "after": 1, "status": 400, "body": '{"error": "invalid_grant"}'},
        ],
        False,
    ),
}
"""Scripted faults of Spotify, and whether the run completes despite them."""
ALWAYS = [
    "transient: an unusable token response, 500, a reset, HTML instead of JSON",
    "a token endpoint that repeats the request",
    "expired, and the refresh token refused",
]


@pytest.fixture
def debug_logs(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    with caplog.at_level(logging.DEBUG), temporary_settings({PREFECT_LOGGING_TO_API_ENABLED: True}):
        yield caplog
        APILogHandler().flush()


def variables(pipeline: Pipeline, case: str, canary: str) -> dict[str, str]:
    """Variables of blocks with canaries and the wrong value of the case."""
    base = {**pipeline.variables, "LAKE_AWS_SECRET_ACCESS_KEY": f"{canary}aws"}
    wrong = {
        "wrong secret": {"SPOTIFY_CLIENT_SECRET": f"{canary}client"},
        "expired refresh token": {"SPOTIFY_REFRESH_TOKEN": f"{canary}refresh"},
        "missing bucket": {"LAKE_BUCKET": "no-such-bucket"},
        "unknown role": {"SNOWFLAKE_ROLE": "NOBODY"},
    }
    return base | wrong.get(case, {})


@pytest.mark.parametrize("case", enumerated(CASES, ["success", "unknown role"]))
def test_no_secret_leaks(pipeline: Pipeline, case: str, debug_logs: pytest.LogCaptureFixture) -> None:
    canary = f"canary{token_hex(6)}"
    settings = variables(pipeline, case, canary)
    canaries = pipeline.with_blocks(**settings)
    debug_logs.clear()
    wanted = "0000000000000000000000" if case == "unknown playlist" else CHART
    state = canaries.ingest(wanted, EMPTY, snapshot_date=TODAY)

    assert state.is_completed() == (case == "success")
    assert_no_leak(pipeline, state, debug_logs, canary, settings)


@pytest.mark.parametrize("case", enumerated(FAULTS, ALWAYS))
def test_no_secret_leaks_when_spotify_fails(
    pipeline: Pipeline, case: str, debug_logs: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    slept: list[float] = []
    monkeypatch.setattr(flows.connections, "SpotifyClient", partial(SpotifyClient, sleep=slept.append))
    url, canary = pipeline.serve(), f"canary{token_hex(6)}"
    settings = variables(pipeline, case, canary)
    canaries = pipeline.with_blocks(**settings)
    faults, completes = FAULTS[case]
    requests.put(f"{url}/sandbox/faults", json=faults, timeout=10).raise_for_status()
    debug_logs.clear()
    state = canaries.ingest(CHART, EMPTY, snapshot_date=TODAY)

    fired = requests.get(f"{url}/sandbox/faults", timeout=10).json()
    assert [fault["fired"] for fault in fired] == [1] * len(faults)
    assert len(slept) == (len(faults) if completes else 0)
    assert state.is_completed() == completes
    assert_no_leak(pipeline, state, debug_logs, canary, settings)


@pytest.mark.faults
def test_no_rotated_token_leaks(pipeline: Pipeline, debug_logs: pytest.LogCaptureFixture) -> None:
    url, canary = pipeline.serve(), f"canary{token_hex(6)}"
    settings = variables(pipeline, "rotating", canary)
    canaries = pipeline.with_blocks(**settings)
    requests.patch(f"{url}/sandbox/settings", json={"rotating": True}, timeout=10).raise_for_status()
    debug_logs.clear()
    state = canaries.ingest(CHART, EMPTY, snapshot_date=TODAY)

    block: Any = SpotifyCredentials.load(canaries.blocks["spotify"])
    assert block.refresh_token.get_secret_value() != settings["SPOTIFY_REFRESH_TOKEN"]
    assert state.is_completed()
    assert_no_leak(pipeline, state, debug_logs, canary, settings)


def test_botocore_logs_no_credentials_at_debug(caplog: pytest.LogCaptureFixture) -> None:
    mask_secrets_in_logs()
    client = boto3.client(
        "s3",
        endpoint_url="http://127.0.0.1:9",
        region_name="eu-central-1",
        aws_access_key_id="canary-id",
        aws_secret_access_key="canary-secret",
        aws_session_token="canary-token",
        config=Config(retries={"total_max_attempts": 1}),
    )
    with caplog.at_level(logging.DEBUG), pytest.raises(EndpointConnectionError):
        client.get_object(Bucket="bucket", Key="key")

    assert "botocore.hooks" in caplog.text
    assert "canary" not in caplog.text


def assert_no_leak(
    pipeline: Pipeline,
    state: Any,
    logs: pytest.LogCaptureFixture,
    canary: str,
    settings: dict[str, str],
) -> None:
    key_line = settings["SNOWFLAKE_PRIVATE_KEY"].splitlines()[3]
    secrets = [canary, key_line, settings["SPOTIFY_CLIENT_SECRET"], settings["SPOTIFY_REFRESH_TOKEN"]]
    secrets += ["sandbox-access-", "sandbox-refresh-"]  # prefixes of the stand-in's new tokens
    places = {
        "logs": logs.text + repr([record.exc_info for record in logs.records]),
        "database": database(pipeline),
        "lake": "".join(repr(pipeline.place.read(key)) for key in pipeline.place.keys("")),
        "state": repr(state),
    }
    assert len(places["logs"]) > 1000
    assert state.message in places["database"]
    found = [
        (place, n) for place, text in places.items() for n, secret in enumerate(secrets) if secret in text
    ]
    assert found == []
    assert "Bearer" not in places["logs"]


def database(pipeline: Pipeline) -> str:
    """All tables of the Prefect server's database; it stores the values of blocks encrypted."""
    file = Path(pipeline.environment["PREFECT_HOME"]) / "prefect.db"
    with sqlite3.connect(f"file:{file}?mode=ro", uri=True) as connection:
        tables = [
            name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        ]
        rows = [list(connection.execute(f'SELECT * FROM "{table}"')) for table in tables]
    return repr(dict(zip(tables, rows, strict=True)))
