"""Backfill: publishes kept snapshots with the code that ingest uses, without a request to Spotify."""

import gzip
import json
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta

import pytest
import requests

from pipeline.columns import TABLES
from pipeline.errors import Code
from pipeline.lake.layout import LoadMode
from sandbox.spotify import catalogue
from sandbox.spotify.catalogue import CHARTS, EMPTIED
from sandbox.spotify.shapes import response_bodies
from tests.flows.conftest import TODAY, Pipeline
from tests.pools import Pool

CHART, OTHER_CHART = CHARTS
YESTERDAY = TODAY - timedelta(days=1)


def ingest_days(pipeline: Pipeline, *days: date) -> None:
    for day in days:
        pipeline.serve(today=day)
        assert pipeline.ingest(CHART, EMPTIED, snapshot_date=day).is_completed()


@pytest.fixture(scope="module")
def two_days(pipelines: dict[LoadMode, Pool[Pipeline]]) -> Iterator[Pipeline]:
    """A pipeline with two published days. Tests may share it: they publish the same snapshots again."""
    with pipelines["copy"].acquire() as acquired:
        ingest_days(acquired, YESTERDAY, TODAY)
        yield acquired


def test_a_backfill_restores_the_tables_of_the_ingest(two_days: Pipeline) -> None:
    first = two_days.place.contents(TABLES)
    two_days.place.query("DELETE FROM songs_history")
    url = two_days.serve()
    state = two_days.backfill(start_date=YESTERDAY, end_date=TODAY)

    assert state.message == "2 playlists, 4 snapshots loaded"
    assert two_days.place.contents(TABLES) == first
    assert requests.get(f"{url}/sandbox/requests", timeout=5).json() == []


def test_dates_without_a_snapshot_are_reported(two_days: Pipeline) -> None:
    state = two_days.backfill(CHART, start_date=date(2026, 11, 17), end_date=date(2026, 11, 21))

    assert state.is_completed()
    assert not_kept(two_days) == [
        (CHART, "2026-11-17", "nothing was kept on 3 days: 2026-11-17 to 2026-11-18, 2026-11-21")
    ]
    assert state.message == "1 playlist, 2 snapshots loaded, gaps in 1 playlist"


def not_kept(pipeline: Pipeline) -> list[tuple[str, str, str]]:
    return [
        (line["playlist_id"], line["snapshot_date"], line["reason"])
        for line in pipeline.place.receipts()[-1]["playlists"]
        if line["status"] == "not kept"
    ]


def test_a_long_gap_is_reported_as_a_range(two_days: Pipeline) -> None:
    state = two_days.backfill(CHART, start_date=date(1999, 12, 31), end_date=YESTERDAY)

    assert state.is_completed()
    assert not_kept(two_days) == [
        (CHART, "1999-12-31", "nothing was kept on 9,820 days: 1999-12-31 to 2026-11-18")
    ]


def test_an_unreadable_snapshot_fails_alone(pipeline: Pipeline) -> None:
    ingest_days(pipeline, YESTERDAY)
    broken = next(key for key in pipeline.place.keys("raw/") if CHART in key)
    pipeline.place.write(broken, b"cut off")
    state = pipeline.backfill()

    assert state.is_failed()
    assert state.message.startswith("1 playlist loaded, 1 failed. ")
    assert broken in state.message
    assert pipeline.place.query("SELECT COUNT(*) FROM loads WHERE playlist_id = ?", EMPTIED) == [(2,)]


def test_a_backfill_without_any_snapshot_fails(two_days: Pipeline) -> None:
    state = two_days.backfill(OTHER_CHART)

    assert state.is_failed()
    assert OTHER_CHART in state.message
    assert "Spotify has no history API" in state.message


def test_dates_and_playlists_select_the_snapshots(two_days: Pipeline) -> None:
    two_days.backfill(CHART, start_date=TODAY)

    run_id = two_days.place.receipts()[-1]["run_id"]
    assert two_days.place.query("SELECT playlist_id, snapshot_date FROM loads WHERE run_id = ?", run_id) == [
        (CHART, TODAY)
    ]


@pytest.mark.faults
def test_the_newest_snapshot_of_a_date_wins_unless_fetched_before_excludes_it(
    pipeline: Pipeline,
) -> None:
    pipeline.serve(today=YESTERDAY)
    pipeline.ingest(CHART, snapshot_date=TODAY)
    older = pipeline.place.contents(TABLES)
    pipeline.serve(today=TODAY)
    pipeline.ingest(CHART, snapshot_date=TODAY)
    newer = pipeline.place.contents(TABLES)
    run_id = pipeline.place.receipts()[-1]["run_id"]

    assert pipeline.backfill().message == "1 playlist loaded"
    assert pipeline.place.contents(TABLES) == newer
    pipeline.place.delete(next(key for key in pipeline.place.keys("raw/") if run_id in key))

    assert pipeline.backfill().message == "1 playlist superseded"
    assert pipeline.place.contents(TABLES) == newer
    assert pipeline.backfill(fetched_before=datetime.now(UTC)).message == "1 playlist loaded"
    assert pipeline.place.contents(TABLES) == older


def test_fetched_before_restores_a_falsified_day(pipeline: Pipeline) -> None:
    """Older releases accepted any snapshot date, so a date may hold the chart of another day."""
    ingest_days(pipeline, TODAY)
    true = pipeline.place.contents(TABLES)
    fetched_at = fetch_times(pipeline)[CHART]
    left = datetime.combine(fetched_at + timedelta(days=1), time(), UTC) - fetched_at  # rest of that UTC day
    falsify(pipeline, CHART, fetched_at + left / 2)
    false = pipeline.place.contents(TABLES)
    assert false != true
    assert pipeline.backfill(CHART).message == "1 playlist loaded", "the false snapshot ranks highest"
    assert pipeline.place.contents(TABLES) == false

    nothing = pipeline.backfill(CHART, fetched_before=fetched_at)
    assert nothing.message.endswith(f"[{Code.NOTHING_KEPT}]")
    # A time without a zone is UTC.
    undone = pipeline.backfill(fetched_before=(fetched_at + left / 4).replace(tzinfo=None))
    assert undone.message == "2 playlists loaded"
    assert pipeline.place.contents(TABLES) == true

    # The false snapshot still ranks highest: delete it before a backfill without fetched_before.
    pipeline.place.delete(max(key for key in pipeline.place.keys("raw/") if CHART in key))
    assert pipeline.backfill().message == "2 playlists loaded"
    assert pipeline.place.contents(TABLES) == true


def test_dates_without_a_snapshot_before_the_limit_are_reported(two_days: Pipeline) -> None:
    cutoff = datetime.combine(TODAY, time(), UTC)
    state = two_days.backfill(CHART, fetched_before=cutoff)

    assert state.message == "1 playlist loaded, gaps in 1 playlist"
    reason = f"nothing that was fetched before {cutoff} was kept on 1 day: {TODAY}"
    assert not_kept(two_days) == [(CHART, str(TODAY), reason)]


MALFORMED = {
    "no zone": {"fetched_at": f"{TODAY}T06:00:00"},
    "year 1": {"fetched_at": "0001-01-01T00:00:00+14:00"},
    "year 9999": {"fetched_at": "9999-12-31T23:59:59-14:00"},
    "no snapshot id": {"snapshot_id": ""},
}
ENDS_OF_THE_CALENDAR = (date.min, date.max)


def test_malformed_snapshots_are_named_and_the_others_published(pipeline: Pipeline) -> None:
    ingest_days(pipeline, TODAY)
    (chart,) = (key for key in pipeline.place.keys("raw/") if CHART in key)
    valid = gzip.decompress(pipeline.place.read(chart))
    malformed = {
        chart.replace(str(TODAY), str(TODAY - timedelta(days=age))): changed(valid, **changes)
        for age, changes in enumerate(MALFORMED.values(), start=1)
    } | {chart.replace(str(TODAY), str(day)): valid for day in ENDS_OF_THE_CALENDAR}
    for key, content in malformed.items():
        pipeline.place.write(key, gzip.compress(content))
    state = pipeline.backfill(CHART)

    assert state.message.startswith(f"1 playlist, 1 snapshot loaded, {len(malformed)} failed")
    for key in malformed:
        assert f"{key} is not a kept snapshot" in state.message
    assert pipeline.place.query("SELECT DISTINCT snapshot_date FROM playlists_history") == [(TODAY,)]
    assert pipeline.place.receipts()[-1]["snapshot_date"] == str(TODAY)


def fetch_times(pipeline: Pipeline) -> dict[str, datetime]:
    rows = pipeline.place.query("SELECT playlist_id, fetched_at FROM playlists_history")
    return {playlist: moment.replace(tzinfo=UTC) for playlist, moment in rows}


def falsify(pipeline: Pipeline, playlist: str, fetched_at: datetime) -> None:
    """Keeps and loads yesterday's chart under the date of the true snapshot, with a later `fetched_at`."""
    (true,) = (key for key in pipeline.place.keys("raw/") if playlist in key)
    shown = {**(catalogue.playlist(playlist, YESTERDAY) or {})}
    first, *_ = gzip.decompress(pipeline.place.read(true)).splitlines()
    envelope = {**json.loads(first), "fetched_at": fetched_at.isoformat(), "total": len(shown["entries"])}
    lines = [json.dumps(envelope).encode(), *response_bodies(shown, "both")]
    false = re.sub(r"[^/]+$", "99991231T235959Z-ffffffff.json.gz", true)
    pipeline.place.write(false, gzip.compress(b"\n".join(lines) + b"\n"))
    assert pipeline.backfill(playlist).message == "1 playlist loaded"


def changed(content: bytes, **changes: str) -> bytes:
    first, rest = content.split(b"\n", 1)
    return json.dumps({**json.loads(first), **changes}).encode() + b"\n" + rest


def test_dates_in_the_wrong_order_are_refused(pipeline: Pipeline) -> None:
    state = pipeline.backfill(start_date=TODAY, end_date=YESTERDAY)

    assert state.is_failed()
    assert "is after" in state.message
