"""Ranking in loads: a load never replaces a higher-ranked partition unless ranks are ignored."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import product

import pytest

from pipeline.columns import TABLES
from pipeline.errors import StopRun
from pipeline.lake.layout import receipt_key
from pipeline.lake.snapshots import rank
from pipeline.records import Snapshot
from pipeline.warehouse.ledger import find_published
from sandbox.spotify.catalogue import CHARTS, MIXTAPE
from tests.builders import body, entry, fetched, head, song
from tests.warehouses import DAY, NOON, Warehouse

CHART, OTHER_CHART = CHARTS
ONE_DAY = timedelta(days=1)


def test_an_older_snapshot_does_not_replace_a_newer_one(warehouse: Warehouse) -> None:
    warehouse.publish(CHART)
    before = warehouse.place.contents(TABLES)
    loaded = warehouse.publish(CHART, MIXTAPE, fetched_at=NOON - timedelta(hours=1))

    assert loaded.superseded == [(CHART, DAY)]
    assert loaded.partitions == [(MIXTAPE, DAY)]
    assert loaded.partitions_replaced == 0
    chart = warehouse.place.query("SELECT DISTINCT run_id FROM songs_history WHERE playlist_id = ?", CHART)
    assert len(chart) == 1
    assert len(before["songs"]) == 50
    assert warehouse.place.query("SELECT COUNT(*) FROM songs_history WHERE playlist_id = ?", CHART) == [(50,)]
    assert warehouse.place.query("SELECT playlist_id FROM loads") == [(CHART,), (MIXTAPE,)]


def test_an_older_snapshot_replaces_a_newer_one_if_ranks_are_ignored(warehouse: Warehouse) -> None:
    warehouse.publish(CHART)
    earlier = NOON - timedelta(hours=1)
    loaded = warehouse.publish(CHART, fetched_at=earlier, ignore_rank=True)

    assert (loaded.superseded, loaded.partitions_replaced) == ([], 1)
    assert warehouse.place.query("SELECT fetched_at FROM playlists_history") == [
        (earlier.replace(tzinfo=None),)
    ]


DAY_BEGINS = datetime.combine(DAY, time(), UTC)
NEXT_DAY = DAY_BEGINS + timedelta(days=1)
FETCHED = [
    DAY_BEGINS - timedelta(milliseconds=1),
    DAY_BEGINS,
    DAY_BEGINS + timedelta(microseconds=999),
    DAY_BEGINS + timedelta(milliseconds=1),
    NEXT_DAY - timedelta(microseconds=1),
    NEXT_DAY,
    NEXT_DAY + timedelta(days=2),
]


def test_the_warehouse_and_the_lake_rank_snapshots_alike(warehouse: Warehouse) -> None:
    """Loads every pair of times in turn; of equal ranks the later load wins."""
    pairs = {f"{number:022}": pair for number, pair in enumerate(product(FETCHED, FETCHED))}
    runs = [warehouse.new_run_id() for _ in range(2)]
    for turn, run_id in enumerate(runs):
        snapshots = [small(playlist, pair[turn]) for playlist, pair in pairs.items()]
        loaded = warehouse.load(run_id, warehouse.write_snapshots(run_id, {DAY: snapshots}))
    kept = {playlist for playlist, (first, then) in pairs.items() if rank(DAY, first) > rank(DAY, then)}

    assert {playlist for playlist, _ in loaded.superseded} == kept
    for table in ("playlists_history", "songs_history"):
        rows = warehouse.place.query(f"SELECT DISTINCT playlist_id, run_id FROM {table}")
        assert sorted(rows) == [(playlist, runs[playlist not in kept]) for playlist in pairs]


@pytest.mark.parametrize("published_on", [DAY, DAY + ONE_DAY])
@pytest.mark.parametrize("fetches_on", [DAY, DAY + ONE_DAY])
def test_a_published_snapshot_that_the_run_would_outrank_is_not_skipped(
    warehouse: Warehouse, published_on: date, fetches_on: date
) -> None:
    moments = [datetime.combine(day, time(12), UTC) for day in (published_on, fetches_on)]
    run_id = warehouse.new_run_id()
    written = warehouse.write_snapshots(run_id, {DAY: [small(CHART, moments[0])]})
    warehouse.load(run_id, written)
    warehouse.lake.write(receipt_key(DAY, run_id), b"{}", "application/json")
    with warehouse.session() as session:
        published = find_published(session, warehouse.lake, DAY, fetches_on)

    outranked = rank(DAY, moments[1])[0] > rank(DAY, moments[0])[0]
    assert published == (set() if outranked else {(CHART, "AAAA/+8=")})


def small(playlist: str, fetched_at: datetime) -> Snapshot:
    """A playlist of one song."""
    return fetched(playlist, [body(head([entry(song())], id_=playlist))], 1, at=fetched_at)


def test_refresh_full_leaves_only_this_run(warehouse: Warehouse, caplog: pytest.LogCaptureFixture) -> None:
    warehouse.publish(CHART, OTHER_CHART)
    warehouse.publish(CHART, days=(DAY - timedelta(days=1),))
    loaded = warehouse.publish(MIXTAPE, CHART, refresh="full")

    assert (loaded.partitions_deleted, loaded.partitions_replaced) == (2, 1)
    assert "deletes 2 partitions (playlist and date) of 2 playlists" in caplog.text
    assert warehouse.place.query("SELECT COUNT(DISTINCT run_id) FROM songs_history") == [(1,)]


def test_refresh_full_refuses_to_remove_higher_ranked_snapshots(warehouse: Warehouse) -> None:
    warehouse.publish(CHART)
    with pytest.raises(StopRun, match="that rank higher"):
        warehouse.publish(CHART, fetched_at=NOON - timedelta(hours=1), refresh="full")

    assert warehouse.place.query("SELECT fetched_at FROM playlists_history") == [(NOON.replace(tzinfo=None),)]
