"""Wrong input: one message with the fix, no traceback, nothing written to the warehouse."""

import logging
import re
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest
import requests

from sandbox.spotify.catalogue import CHARTS, EMPTY
from tests.flows.conftest import TODAY, Pipeline

CHART = CHARTS[0]


class Case(NamedTuple):
    """Wrong variables of a block, and a pattern of the message."""

    name: str
    variables: dict[str, str]
    message: str


BLOCKS = {
    case.name: case
    for case in (
        Case(
            "missing bucket",
            {"LAKE_BUCKET": "no-such-bucket"},
            r"s3://no-such-bucket/.*does not exist.*create",
        ),
        Case("unknown role", {"SNOWFLAKE_ROLE": "NOBODY"}, r"NOBODY.*correct user, key, role or account"),
        Case("unknown database", {"SNOWFLAKE_DATABASE": "NOWHERE"}, r"NOWHERE.*correct the block's database"),
        Case("unknown schema", {"SNOWFLAKE_SCHEMA": "NOWHERE"}, r"NOWHERE.*correct the block's schema"),
        Case(
            "no key", {"SNOWFLAKE_PRIVATE_KEY": "no key"}, r"private key for .* cannot be read.*correct key"
        ),
        Case("wrong client secret", {"SPOTIFY_CLIENT_SECRET": "wrong"}, r"client id or secret.*correct them"),
        Case("expired refresh token", {"SPOTIFY_REFRESH_TOKEN": "old"}, r"refresh token.*Authorise again"),
    )
}


@pytest.mark.parametrize("name", BLOCKS)
def test_a_wrong_value_in_a_block_is_one_message(
    pipeline: Pipeline, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    case = BLOCKS[name]
    state = pipeline.with_blocks(**case.variables).ingest(CHART, snapshot_date=TODAY)

    assert state.is_failed()
    assert re.search(case.message, state.message), state.message
    assert_no_traceback(caplog)
    assert_nothing_loaded(pipeline)


@pytest.mark.parametrize("block", ["spotify", "lake", "warehouse"])
def test_an_unknown_block_is_named(pipeline: Pipeline, block: str, caplog: pytest.LogCaptureFixture) -> None:
    state = pipeline.ingest(CHART, snapshot_date=TODAY, **{block: "nowhere"})

    assert state.is_failed()
    assert re.search(r"no block 'nowhere'.*Create it", state.message), state.message
    assert_no_traceback(caplog)
    assert_nothing_loaded(pipeline)


@pytest.mark.parametrize(
    "wrong", ["", "abc", "spotify:track:4uLU6hMCjMI75M1A2tKUQC", "https://example.org/x"]
)
def test_an_invalid_playlist_is_refused_before_any_request(pipeline: Pipeline, wrong: str) -> None:
    url = pipeline.serve()
    state = pipeline.ingest(CHART, wrong, snapshot_date=TODAY)

    assert state.is_failed()
    assert repr(wrong) in state.message
    assert requests.get(f"{url}/sandbox/requests", timeout=5).json() == []


def misspell(text: str) -> str:
    return f"SELEKT {text}"


def cut(_: str) -> str:
    return "COPY INTO ${table} (${columns"


SQL_FILES: dict[str, Callable[[str], str]] = {
    "setup/generated/create_views": misspell,
    "setup/find_schema_version": misspell,
    "load/lock_writer": misspell,
    "load/copy_table": cut,
    "load/delete_replaced": misspell,
    "load/insert_loads": misspell,
}


ALWAYS = {"load/copy_table"}


@pytest.mark.parametrize(
    "name",
    [name if name in ALWAYS else pytest.param(name, marks=pytest.mark.faults) for name in SQL_FILES],
)
def test_a_damaged_sql_file_is_named(
    request: pytest.FixtureRequest,
    name: str,
    sql_copy: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    pipeline: Pipeline = request.getfixturevalue("new_pipeline" if name.startswith("setup/") else "pipeline")
    file = sql_copy / f"{name}.sql"
    original = file.read_text(encoding="utf-8")
    file.write_text(SQL_FILES[name](original), encoding="utf-8")
    state = pipeline.ingest(EMPTY, snapshot_date=TODAY)

    assert state.is_failed()
    assert f"sql/{name}.sql" in state.message
    assert_no_traceback(caplog)
    assert_nothing_loaded(pipeline)
    file.write_text(original, encoding="utf-8")
    assert pipeline.ingest(EMPTY, snapshot_date=TODAY).is_completed()


def assert_no_traceback(caplog: pytest.LogCaptureFixture) -> None:
    shown = [record for record in caplog.records if record.exc_info and record.levelno > logging.DEBUG]
    assert [record.getMessage() for record in shown] == []


def assert_nothing_loaded(pipeline: Pipeline) -> None:
    tables = pipeline.place.query(
        "SELECT table_name FROM information_schema.tables"
        " WHERE table_schema = 'PLAYLISTS' AND table_type = 'BASE TABLE'"
    )
    data = [name for (name,) in tables if str(name).upper().endswith(("_HISTORY", "LOADS"))]
    assert {name: pipeline.place.count(str(name)) for name in data} == dict.fromkeys(data, 0)
    assert pipeline.place.keys("runs/") == []
