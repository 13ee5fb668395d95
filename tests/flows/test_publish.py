"""Publish: artifacts, the admin block, and failures at COMMIT and after it."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event
from typing import Any, NamedTuple
from unittest.mock import Mock

import pytest
from httpx import HTTPStatusError, Request, Response
from prefect.artifacts import Artifact

import flows.artifacts
import flows.publish
from flows.connections import open_session
from flows.deadline import OutOfTime
from flows.write_receipt import write_receipt
from pipeline.errors import Code, Transient
from pipeline.lake.store import Lake, Written
from sandbox.spotify.catalogue import CHARTS, EMPTY
from tests.flows.conftest import TODAY, Pipeline

CHART = CHARTS[0]


def artifact(key: str) -> str:
    found: Any = Artifact.get(key)
    return str(found.data)


def test_the_receipt_is_shown_as_artifacts(pipeline: Pipeline) -> None:
    pipeline.ingest(CHART, EMPTY, snapshot_date=TODAY)

    run_id = pipeline.place.receipts()[0]["run_id"]
    assert f"ingest-playlists {run_id}" in artifact("receipt")
    assert CHART in artifact("receipt-playlists")
    assert EMPTY in artifact("receipt-playlists")


REFUSAL = HTTPStatusError(
    "canary", request=Request("POST", "http://x"), response=Response(403, text="canary")
)
NO_ARTIFACT = {
    "no response": (Event().wait, "it took more than 0.05 s"),
    "deadline": (Mock(side_effect=OutOfTime("here")), "max_hours was reached"),
    "refusal": (Mock(side_effect=REFUSAL), r"refused the request \(403\)"),
    "defect": (Mock(side_effect=ValueError("canary")), "ValueError"),
}


@pytest.mark.parametrize(("create", "why"), NO_ARTIFACT.values(), ids=NO_ARTIFACT)
def test_an_artifact_that_cannot_be_created_is_a_warning(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, create: Any, why: str
) -> None:
    monkeypatch.setattr(flows.artifacts, "ARTIFACTS_TIMEOUT_S", 0.05)
    monkeypatch.setattr(flows.artifacts, "as_table", lambda *_: ([], ""))
    monkeypatch.setattr(flows.artifacts, "create_table_artifact", lambda *_, **__: create())
    flows.artifacts.show_receipt(Mock(), "key")

    assert re.search(f"is written, but its artifacts could not be created: .*{why}", caplog.text)
    assert "canary" not in caplog.text


def test_only_set_up_uses_the_admin_block(new_pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []

    @contextmanager
    def record(name: str, run_id: str, **options: Any) -> Iterator[Any]:
        opened.append(name)
        with open_session(name, run_id, **options) as session:
            yield session

    monkeypatch.setattr(flows.publish, "open_session", record)
    loader = new_pipeline.blocks["warehouse"]
    admin = new_pipeline.with_blocks(SNOWFLAKE_ROLE="SPOTIFY_OWNER").blocks["warehouse"]
    assert new_pipeline.ingest(CHART, snapshot_date=TODAY, warehouse_admin=admin).is_completed()
    assert sorted(opened) == [loader, loader, admin, admin]
    opened.clear()
    assert new_pipeline.ingest(EMPTY, snapshot_date=TODAY, warehouse_admin=admin).is_completed()
    assert opened == [loader, loader]


def test_the_ledger_settles_a_commit_whose_response_was_lost(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pipeline.warehouse.session import Session  # noqa: PLC0415 - imports Snowflake

    commit = Session.commit
    lost: list[int] = []

    def commit_and_lose_the_first_response(session: Session) -> None:
        commit(session)
        if not lost:
            lost.append(1)
            raise Transient("connection reset", Code.SNOWFLAKE_UNAVAILABLE)

    monkeypatch.setattr(Session, "commit", commit_and_lose_the_first_response)
    monkeypatch.setattr(flows.publish.truncate_and_load, "retry_delay_seconds", None)
    state = pipeline.ingest(CHART, snapshot_date=TODAY)

    assert lost == [1]
    assert state.is_completed()
    assert pipeline.place.count("loads") == 1
    assert pipeline.place.receipts()[0]["rows_by_table"]["songs"] == 50


class Interruption(NamedTuple):
    """An error raised at COMMIT: rows that `loads` then has, and the message of the run."""

    loads: int
    error: BaseException
    message: str


INTERRUPTIONS = {
    "deadline after COMMIT": Interruption(
        1, OutOfTime("task load"), r"in task load\. Its data is loaded: .* \[RUN_DEADLINE\]"
    ),
    "deadline before COMMIT": Interruption(
        0, OutOfTime("task load"), r"in task load\. Nothing was loaded\. .* \[RUN_DEADLINE\]"
    ),
    "last attempt's response lost": Interruption(
        1, Transient("no response", Code.SNOWFLAKE_SLOW), r"no response\. Its data is loaded: .*SLOW\]"
    ),
}


@pytest.mark.parametrize("name", INTERRUPTIONS)
def test_the_ledger_settles_a_load_that_was_interrupted_at_commit(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    from pipeline.warehouse.session import Session  # noqa: PLC0415 - imports Snowflake

    commit, interruption = Session.commit, INTERRUPTIONS[name]
    fired: list[str] = []

    def interrupt(session: Session) -> None:
        fired.append(name)
        if interruption.loads:
            commit(session)
        raise interruption.error

    monkeypatch.setattr(flows.publish.truncate_and_load, "retries", 0)
    with monkeypatch.context() as patched:
        patched.setattr(Session, "commit", interrupt)
        state = pipeline.ingest(CHART, snapshot_date=TODAY)

    assert fired == [name]
    assert state.is_failed()
    assert re.search(interruption.message, state.message), state.message
    assert pipeline.place.count("loads") == interruption.loads
    assert pipeline.place.receipts() == []


def test_a_receipt_whose_response_was_lost_is_not_an_error(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = Lake.write
    lost: list[str] = []

    def write_and_lose_the_first_response(lake: Lake, key: str, body: bytes, content_type: str) -> Written:
        written = write(lake, key, body, content_type)
        if key.startswith("runs/") and not lost:
            lost.append(key)
            raise Transient("connection reset", Code.SNOWFLAKE_UNAVAILABLE)
        return written

    monkeypatch.setattr(Lake, "write", write_and_lose_the_first_response)
    monkeypatch.setattr(write_receipt, "retry_delay_seconds", None)
    state = pipeline.ingest(EMPTY, snapshot_date=TODAY)

    assert pipeline.place.keys("runs/") == lost
    assert state.is_completed()
