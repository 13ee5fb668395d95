"""A canary per credential is found nowhere: DEBUG logs, Prefect's database, artifacts, lake, tracebacks."""

import logging
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from secrets import token_hex

import pytest
from prefect.logging.handlers import APILogHandler
from prefect.settings import PREFECT_LOGGING_TO_API_ENABLED, temporary_settings

from blocks.register import register
from sandbox.spotify.catalogue import CHARTS, EMPTY
from tests.flows.conftest import TODAY, Pipeline

CHART = CHARTS[0]
CASES = [
    "success",
    "wrong secret",
    "dead refresh token",
    "missing bucket",
    "unknown role",
    "unknown playlist",
]


@pytest.fixture
def debug_logs(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    with caplog.at_level(logging.DEBUG), temporary_settings({PREFECT_LOGGING_TO_API_ENABLED: True}):
        yield caplog
        APILogHandler().flush()


def variables(pipeline: Pipeline, url: str, case: str, canary: str) -> dict[str, str]:
    """Blocks with canaries, and with what is wrong in the case."""
    base = pipeline.place.variables(SPOTIFY_API_URL=f"{url}/v1", SPOTIFY_ACCOUNTS_URL=url)
    base["AWS_SECRET_ACCESS_KEY"] = f"{canary}aws"
    wrong = {
        "wrong secret": {"SPOTIFY_CLIENT_SECRET": f"{canary}client"},
        "dead refresh token": {"SPOTIFY_REFRESH_TOKEN": f"{canary}refresh"},
        "missing bucket": {"LAKE_BUCKET": "no-such-bucket"},
        "unknown role": {"SNOWFLAKE_ROLE": "NOBODY"},
    }
    return base | wrong.get(case, {})


@pytest.mark.parametrize("case", CASES)
def test_no_secret_is_found_anywhere(
    pipeline: Pipeline, case: str, debug_logs: pytest.LogCaptureFixture
) -> None:
    url, canary = pipeline.show(), f"canary{token_hex(6)}"
    settings = variables(pipeline, url, case, canary)
    register(settings, suffix=f"-{pipeline.place.name}")
    debug_logs.clear()
    wanted = "0000000000000000000000" if case == "unknown playlist" else CHART
    state = pipeline.ingest(wanted, EMPTY, snapshot_date=TODAY)

    assert state.is_completed() == (case == "success")
    key_line = settings["SNOWFLAKE_PRIVATE_KEY"].splitlines()[3]
    secrets = [canary, key_line, settings["SPOTIFY_CLIENT_SECRET"], settings["SPOTIFY_REFRESH_TOKEN"]]
    places = {
        "logs": debug_logs.text + repr([record.exc_info for record in debug_logs.records]),
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
    """Everything in the Prefect server's database but the blocks themselves, which are encrypted there."""
    file = Path(pipeline.environment["PREFECT_HOME"]) / "prefect.db"
    with sqlite3.connect(f"file:{file}?mode=ro", uri=True) as connection:
        tables = [
            name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        ]
        rows = [list(connection.execute(f'SELECT * FROM "{table}"')) for table in tables]
    return repr(dict(zip(tables, rows, strict=True)))
