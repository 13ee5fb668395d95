"""Names of flow runs in Prefect: flow, date and number of playlists."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from prefect.client.orchestration import SyncPrefectClient, get_client

from flows import run_name
from pipeline.records import Run
from sandbox.spotify.catalogue import CHARTS, EMPTY
from tests.flows.conftest import TODAY, Pipeline

YESTERDAY = TODAY - timedelta(days=1)


@pytest.fixture
def last_name(pipeline: Pipeline) -> Iterator[Callable[[], str]]:
    """Returns the name of the last flow run, found by the id in its receipt."""
    with get_client(sync_client=True) as client:
        yield lambda: client.read_flow_run(pipeline.place.receipts()[-1]["flow_run_id"]).name


def test_runs_are_named_by_date_and_playlists(pipeline: Pipeline, last_name: Callable[[], str]) -> None:
    for day in (YESTERDAY, TODAY):
        pipeline.serve(today=day)
        assert pipeline.ingest(*CHARTS[:1], EMPTY, snapshot_date=day).is_completed()
    assert last_name() == f"ingest {TODAY}: 2 playlists"
    assert pipeline.backfill().is_completed()
    assert last_name() == f"backfill {YESTERDAY} to {TODAY}: 2 playlists"
    assert pipeline.backfill(EMPTY, start_date=TODAY).is_completed()
    assert last_name() == f"backfill {TODAY}: 1 playlist"
    loads = pipeline.place.query("SELECT DISTINCT run_id, flow_run_id FROM loads ORDER BY run_id")
    assert loads[-1] == tuple(pipeline.place.receipts()[-1][key] for key in ("run_id", "flow_run_id"))


def test_reports_and_preflight_are_named_too(monkeypatch: pytest.MonkeyPatch) -> None:
    named: list[Any] = []
    monkeypatch.setattr(run_name, "_name", lambda _, text: named.append(text))
    run = Run("run", TODAY, datetime.now(UTC), "flow", "1")
    run_name.name_report(run, [EMPTY], TODAY)
    run_name.name_report(run, [], None)
    run_name.name_preflight(run)
    assert named == [
        f"report {TODAY}: 1 playlist",
        "report of the newest snapshots: all playlists",
        f"preflight {TODAY}",
    ]


@pytest.mark.parametrize(
    ("playlists", "name"),
    [
        (["mine"], f"ingest {TODAY}: mine"),
        (["mine", EMPTY, CHARTS[0]], f"ingest {TODAY}: mine and 2 playlists"),
    ],
)
@pytest.mark.faults
def test_mine_is_part_of_the_name(
    playlists: list[str], name: str, monkeypatch: pytest.MonkeyPatch, pipeline: Pipeline
) -> None:
    named: list[Any] = []
    monkeypatch.setattr(run_name, "_name", lambda _, text: named.append(text))
    pipeline.ingest(*playlists, snapshot_date=TODAY)
    assert named == [name]


def test_a_run_that_cannot_be_named_continues(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(*_: object) -> None:
        raise RuntimeError("canary")

    monkeypatch.setattr(SyncPrefectClient, "set_flow_run_name", refuse)
    assert pipeline.ingest(EMPTY, snapshot_date=TODAY).is_completed()
    assert f"the run could not be named 'ingest {TODAY}: 1 playlist': RuntimeError" in caplog.text
    assert "canary" not in caplog.text
