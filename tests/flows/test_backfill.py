"""Kept snapshots published again: the same half of the code, and never a question to Spotify."""

from datetime import date, timedelta

import pytest
import requests

from flows.transform.schema import TABLES
from sandbox.spotify.catalogue import CHARTS, EMPTIED
from tests.flows.conftest import TODAY, Pipeline

CHART, OTHER_CHART = CHARTS
YESTERDAY = TODAY - timedelta(days=1)


def ingest_days(pipeline: Pipeline, *days: date) -> None:
    for day in days:
        pipeline.show(today=day)
        assert pipeline.ingest(CHART, EMPTIED, snapshot_date=day).is_completed()


def test_a_replay_gives_the_tables_of_the_first_run(pipeline: Pipeline) -> None:
    ingest_days(pipeline, YESTERDAY, TODAY)
    first = pipeline.place.contents(TABLES)
    pipeline.place.query("DELETE FROM songs_history")
    url = pipeline.show()
    state = pipeline.backfill(start_date=YESTERDAY, end_date=TODAY)

    assert state.message == "Playlists: 4 loaded"
    assert pipeline.place.contents(TABLES) == first
    assert requests.get(f"{url}/sandbox/requests", timeout=5).json() == []


@pytest.mark.faults
def test_dates_with_nothing_kept_are_named(pipeline: Pipeline) -> None:
    ingest_days(pipeline, YESTERDAY)
    state = pipeline.backfill(CHART, start_date=date(2026, 11, 17), end_date=TODAY)

    assert state.is_completed()
    assert not_kept(pipeline) == [
        (CHART, "2026-11-17", "nothing was kept on 2026-11-17, 2026-11-18"),
        (CHART, "2026-11-20", "nothing was kept on 2026-11-20"),
    ]


def not_kept(pipeline: Pipeline) -> list[tuple[str, str, str]]:
    return [
        (line["playlist_id"], line["snapshot_date"], line["reason"])
        for line in pipeline.place.receipts()[-1]["playlists"]
        if line["status"] == "not kept"
    ]


@pytest.mark.faults
def test_a_long_gap_is_named_by_its_ends(pipeline: Pipeline) -> None:
    ingest_days(pipeline, YESTERDAY)
    state = pipeline.backfill(CHART, start_date=date(1999, 12, 31), end_date=YESTERDAY)

    assert state.is_completed()
    assert not_kept(pipeline) == [
        (CHART, "1999-12-31", "nothing was kept from 1999-12-31 to 2026-11-18 (9820 days)")
    ]


@pytest.mark.faults
def test_a_file_that_is_no_snapshot_stops_no_other(pipeline: Pipeline) -> None:
    ingest_days(pipeline, YESTERDAY)
    broken = next(key for key in pipeline.place.keys("raw/") if CHART in key)
    pipeline.place.write(broken, b"cut off")
    state = pipeline.backfill()

    assert state.is_failed()
    assert "1 loaded, 1 failed" in state.message
    assert broken in state.message
    assert pipeline.place.query("SELECT COUNT(*) FROM loads WHERE playlist_id = ?", EMPTIED) == [(2,)]


@pytest.mark.faults
def test_nothing_kept_at_all_fails_and_says_so(pipeline: Pipeline) -> None:
    ingest_days(pipeline, YESTERDAY)
    state = pipeline.backfill(OTHER_CHART)

    assert state.is_failed()
    assert OTHER_CHART in state.message
    assert "Spotify cannot tell the past" in state.message


@pytest.mark.faults
def test_a_range_and_playlists_narrow_the_replay(pipeline: Pipeline) -> None:
    ingest_days(pipeline, YESTERDAY, TODAY)
    pipeline.backfill(CHART, start_date=TODAY)

    run_id = pipeline.place.receipts()[-1]["run_id"]
    assert pipeline.place.query("SELECT playlist_id, snapshot_date FROM loads WHERE run_id = ?", run_id) == [
        (CHART, TODAY)
    ]


@pytest.mark.faults
def test_the_newest_of_several_snapshots_of_a_date_is_published(pipeline: Pipeline) -> None:
    pipeline.show(today=YESTERDAY)
    pipeline.ingest(CHART, snapshot_date=TODAY)
    pipeline.show(today=TODAY)
    pipeline.ingest(CHART, snapshot_date=TODAY)
    newest = pipeline.place.contents(TABLES)
    state = pipeline.backfill()

    assert state.message == "Playlists: 1 loaded"
    assert pipeline.place.contents(TABLES) == newest


@pytest.mark.faults
def test_a_newer_snapshot_in_the_warehouse_stays_unless_forced(pipeline: Pipeline) -> None:
    pipeline.show(today=YESTERDAY)
    pipeline.ingest(CHART, snapshot_date=TODAY)
    older = pipeline.place.contents(TABLES)
    pipeline.show(today=TODAY)
    pipeline.ingest(CHART, snapshot_date=TODAY)
    newer = pipeline.place.contents(TABLES)
    pipeline.place.delete(max(pipeline.place.keys("raw/")))

    assert pipeline.backfill().message == "Playlists: 1 superseded"
    assert pipeline.place.contents(TABLES) == newer
    assert pipeline.backfill(force=True).message == "Playlists: 1 loaded"
    assert pipeline.place.contents(TABLES) == older


def test_dates_in_the_wrong_order_are_refused(pipeline: Pipeline) -> None:
    state = pipeline.backfill(start_date=TODAY, end_date=YESTERDAY)

    assert state.is_failed()
    assert "is after" in state.message
