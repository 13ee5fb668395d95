"""Kept snapshots published again: the same half of the code, and never a question to Spotify."""

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
        pipeline.show(today=day)
        assert pipeline.ingest(CHART, EMPTIED, snapshot_date=day).is_completed()


@pytest.fixture(scope="module")
def two_days(pipelines: dict[LoadMode, Pool[Pipeline]]) -> Iterator[Pipeline]:
    """Two days that are kept and published: what its tests publish again is what is there already."""
    with pipelines["copy"].acquire() as lent:
        ingest_days(lent, YESTERDAY, TODAY)
        yield lent


def test_a_replay_gives_the_tables_of_the_first_run(two_days: Pipeline) -> None:
    first = two_days.place.contents(TABLES)
    two_days.place.query("DELETE FROM songs_history")
    url = two_days.show()
    state = two_days.backfill(start_date=YESTERDAY, end_date=TODAY)

    assert state.message == "2 playlists, 4 snapshots loaded"
    assert two_days.place.contents(TABLES) == first
    assert requests.get(f"{url}/sandbox/requests", timeout=5).json() == []


def test_dates_with_nothing_kept_are_named(two_days: Pipeline) -> None:
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


def test_a_long_gap_is_named_by_its_ends(two_days: Pipeline) -> None:
    state = two_days.backfill(CHART, start_date=date(1999, 12, 31), end_date=YESTERDAY)

    assert state.is_completed()
    assert not_kept(two_days) == [
        (CHART, "1999-12-31", "nothing was kept on 9,820 days: 1999-12-31 to 2026-11-18")
    ]


def test_a_file_that_is_no_snapshot_stops_no_other(pipeline: Pipeline) -> None:
    ingest_days(pipeline, YESTERDAY)
    broken = next(key for key in pipeline.place.keys("raw/") if CHART in key)
    pipeline.place.write(broken, b"cut off")
    state = pipeline.backfill()

    assert state.is_failed()
    assert state.message.startswith("1 playlist loaded, 1 failed. ")
    assert broken in state.message
    assert pipeline.place.query("SELECT COUNT(*) FROM loads WHERE playlist_id = ?", EMPTIED) == [(2,)]


def test_nothing_kept_at_all_fails_and_says_so(two_days: Pipeline) -> None:
    state = two_days.backfill(OTHER_CHART)

    assert state.is_failed()
    assert OTHER_CHART in state.message
    assert "Spotify has no history API" in state.message


def test_a_range_and_playlists_narrow_the_replay(two_days: Pipeline) -> None:
    two_days.backfill(CHART, start_date=TODAY)

    run_id = two_days.place.receipts()[-1]["run_id"]
    assert two_days.place.query("SELECT playlist_id, snapshot_date FROM loads WHERE run_id = ?", run_id) == [
        (CHART, TODAY)
    ]


@pytest.mark.faults
def test_the_newest_of_several_snapshots_of_a_date_is_published_and_stays_without_fetched_before(
    pipeline: Pipeline,
) -> None:
    pipeline.show(today=YESTERDAY)
    pipeline.ingest(CHART, snapshot_date=TODAY)
    older = pipeline.place.contents(TABLES)
    pipeline.show(today=TODAY)
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


def test_a_falsified_day_is_undone_by_what_was_fetched_before(pipeline: Pipeline) -> None:
    """An older release took another date's label; what is false is not even in the lake any more."""
    ingest_days(pipeline, TODAY)
    true = pipeline.place.contents(TABLES)
    fetched_at = fetch_times(pipeline)[CHART]
    left = datetime.combine(fetched_at + timedelta(days=1), time(), UTC) - fetched_at  # of that day
    falsify(pipeline, CHART, fetched_at + left / 2)
    false = pipeline.place.contents(TABLES)
    assert false != true
    assert pipeline.backfill(CHART).message == "1 playlist loaded", "the lake's best is the false one"
    assert pipeline.place.contents(TABLES) == false

    nothing = pipeline.backfill(CHART, fetched_before=fetched_at)
    assert nothing.message.endswith(f"[{Code.NOTHING_KEPT}]")
    # A time without a zone is UTC.
    undone = pipeline.backfill(fetched_before=(fetched_at + left / 4).replace(tzinfo=None))
    assert undone.message == "2 playlists loaded"
    assert pipeline.place.contents(TABLES) == true

    # The false file still ranks higher: it has to go before the next backfill without a limit.
    pipeline.place.delete(max(key for key in pipeline.place.keys("raw/") if CHART in key))
    assert pipeline.backfill().message == "2 playlists loaded"
    assert pipeline.place.contents(TABLES) == true


def test_what_nobody_kept_in_time_is_named(two_days: Pipeline) -> None:
    cutoff = datetime.combine(TODAY, time(), UTC)
    state = two_days.backfill(CHART, fetched_before=cutoff)

    assert state.message == "1 playlist loaded, gaps in 1 playlist"
    reason = f"nothing that was fetched before {cutoff} was kept on 1 day: {TODAY}"
    assert not_kept(two_days) == [(CHART, str(TODAY), reason)]


POISON = {
    "no zone": {"fetched_at": f"{TODAY}T06:00:00"},
    "year 1": {"fetched_at": "0001-01-01T00:00:00+14:00"},
    "year 9999": {"fetched_at": "9999-12-31T23:59:59-14:00"},
    "no snapshot id": {"snapshot_id": ""},
}
ENDS_OF_THE_CALENDAR = (date.min, date.max)


def test_poison_in_the_lake_is_named_and_stops_no_other(pipeline: Pipeline) -> None:
    ingest_days(pipeline, TODAY)
    (chart,) = (key for key in pipeline.place.keys("raw/") if CHART in key)
    whole = gzip.decompress(pipeline.place.read(chart))
    poisoned = {
        chart.replace(str(TODAY), str(TODAY - timedelta(days=age))): changed(whole, **changes)
        for age, changes in enumerate(POISON.values(), start=1)
    } | {chart.replace(str(TODAY), str(day)): whole for day in ENDS_OF_THE_CALENDAR}
    for key, content in poisoned.items():
        pipeline.place.write(key, gzip.compress(content))
    state = pipeline.backfill(CHART)

    assert state.message.startswith(f"1 playlist, 1 snapshot loaded, {len(poisoned)} failed")
    for key in poisoned:
        assert f"{key} is not a kept snapshot" in state.message
    assert pipeline.place.query("SELECT DISTINCT snapshot_date FROM playlists_history") == [(TODAY,)]
    assert pipeline.place.receipts()[-1]["snapshot_date"] == str(TODAY)


def fetch_times(pipeline: Pipeline) -> dict[str, datetime]:
    rows = pipeline.place.query("SELECT playlist_id, fetched_at FROM playlists_history")
    return {playlist: moment.replace(tzinfo=UTC) for playlist, moment in rows}


def falsify(pipeline: Pipeline, playlist: str, fetched_at: datetime) -> None:
    """Keeps and loads another day's chart as that of the date, fetched later on the same day."""
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
