"""Changes since the previous snapshot: receipt, message, artifact, event; a failed comparison only warns."""

import logging
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from prefect.artifacts import Artifact
from prefect.client.orchestration import get_client

import flows.changes
from flows.changes import CHANGED
from pipeline.records import PlaylistChanges, SongChange
from sandbox.spotify import catalogue
from sandbox.spotify.catalogue import CHARTS, EMPTIED, EMPTY, NAMES
from tests.flows.conftest import TODAY, Pipeline
from tests.waiting import until

CHART, _ = CHARTS
YESTERDAY = TODAY - timedelta(days=1)
EMPTIED_LENGTH = 12
"""Entries of EMPTIED, which is empty every other day, on the days between."""


def ingest(pipeline: Pipeline, *playlists: str, **options: Any) -> Any:
    """Ingests yesterday's content, then today's; returns the second run's state."""
    for day in (YESTERDAY, TODAY):
        pipeline.serve(today=day)
        state = pipeline.ingest(*playlists, snapshot_date=day, **options)
        assert state.is_completed(), state.message
    return state


def songs_of(playlist: str, day: Any) -> set[str]:
    """Ids of a catalogue playlist."""
    shown = catalogue.playlist(playlist, day) or {}
    return {one["item"]["id"] for one in shown["entries"]}


def events_about(playlist: str) -> list[dict[str, Any]]:
    """Prefect's events about a changed playlist."""
    wanted = {"event": {"name": [CHANGED]}, "resource": {"id": [f"spotify-playlist.{playlist}"]}}
    with get_client(sync_client=True) as api:
        found = api.request("POST", "/events/filter", json={"filter": wanted}).json()["events"]
    return list(found)


@pytest.mark.usefixtures("with_events")
def test_changes_are_in_receipt_message_artifact_and_event(
    pipeline: Pipeline,
) -> None:
    known = len(events_about(CHART))
    state = ingest(pipeline, CHART, EMPTIED)

    before, after = (songs_of(CHART, day) for day in (YESTERDAY, TODAY))
    first, receipt = pipeline.place.receipts()
    assert first["changes"] == []
    by_id = {one["playlist_id"]: one for one in receipt["changes"]}
    chart = by_id[CHART]
    assert {one["song_id"] for one in chart["entered"]} == after - before
    assert {one["song_id"] for one in chart["left"]} == before - after
    assert chart["previous_date"] == str(YESTERDAY)
    assert len(by_id[EMPTIED]["entered"]) + len(by_id[EMPTIED]["left"]) == EMPTIED_LENGTH

    summary = f"{NAMES[CHART]}: {len(after - before)} added, {len(before - after)} removed"
    assert summary in state.message
    artifact: Any = Artifact.get("changes")
    assert all(one["name"] in artifact.data for one in chart["entered"])
    until(lambda: len(events_about(CHART)) > known, "the event")
    (event,) = events_about(CHART)[: len(events_about(CHART)) - known]
    assert event["resource"]["prefect.resource.name"] == NAMES[CHART]
    assert event["payload"]["text"].startswith(summary)
    assert any(one["prefect.resource.role"] == "flow-run" for one in event["related"])


def test_events_are_sent_for_changed_playlists_and_an_error_stops_no_other(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    queued: list[str] = []

    def queue(_event: str, resource: dict[str, str], payload: dict[str, Any]) -> None:
        if "first" in resource["prefect.resource.id"]:
            raise ValueError("canary")
        queued.append(f"{payload['run_id']} {resource['prefect.resource.name']}")

    monkeypatch.setattr(flows.changes, "emit_event", queue)
    song = SongChange("s", "Song", None, 1, None, None)
    entered = {"first": [song], "unchanged": [], "last": [song]}
    found = [PlaylistChanges(id_, id_, TODAY, YESTERDAY, songs) for id_, songs in entered.items()]
    flows.changes.emit_changes("run", found)
    assert queued == ["run last"]
    assert "playlist first: the event of its change was not queued: ValueError" in caplog.text


def test_an_unchanged_playlist_is_not_mentioned(pipeline: Pipeline) -> None:
    pipeline.ingest(EMPTY, snapshot_date=YESTERDAY)
    state = pipeline.ingest(EMPTY, snapshot_date=TODAY)
    assert state.message == "1 playlist loaded"
    (changes,) = pipeline.place.receipts()[-1]["changes"]
    assert (changes["name"], changes["entered"], changes["left"]) == (NAMES[EMPTY], [], [])


def test_a_backfill_describes_no_changes(pipeline: Pipeline) -> None:
    ingest(pipeline, EMPTIED)
    assert pipeline.backfill(EMPTIED).message == "1 playlist, 2 snapshots loaded"
    assert pipeline.place.receipts()[-1]["changes"] == []


@pytest.mark.faults
def test_a_full_refresh_describes_no_changes(pipeline: Pipeline) -> None:
    ingest(pipeline, EMPTIED)
    state = pipeline.ingest(CHART, on=TODAY, **pipeline.confirmed)
    assert NAMES[CHART] not in state.message
    assert pipeline.place.receipts()[-1]["changes"] == []


def test_a_failed_comparison_is_a_warning(
    pipeline: Pipeline, sql_copy: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (sql_copy / "insights" / "find_listed_songs.sql").write_text("SELECT * FROM nowhere WHERE 1 IN (?, ?)")
    state = ingest(pipeline, EMPTIED)
    assert state.message == "1 playlist loaded"
    (warning,) = {
        one.message
        for one in caplog.records
        if one.name == "prefect.task_runs" and one.levelno == logging.WARNING
    }
    assert warning.startswith("the run's changes could not be found: ")
    assert "sql/insights/find_listed_songs.sql" in warning
    assert pipeline.place.receipts()[-1]["changes"] == []
