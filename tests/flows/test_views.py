"""The views for charts on a chart that is small enough to check by hand."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest

from pipeline.insights.charts import charts
from tests.flows.histories import Listed, Listing, load
from tests.pools import Pool
from tests.warehouses import Warehouse

LIST = "chart00000000000000000"
DAYS = [date(2026, 11, 1) + timedelta(days=age) for age in (0, 1, 3, 4)]
"""Dates of the four snapshots. There was no run on 3 November."""
SONGS = ["abc", "bad", "bda", "cbd"]
"""Songs by position, for each of the dates."""
ARTISTS = {"a": "XY", "b": "X", "c": "Y", "d": "ZX"}


def listed(position: int, song: str) -> Listed:
    artists = tuple((artist, f"Artist {artist}") for artist in ARTISTS[song])
    return Listed(position, song, f"Song {song}", artists, ("l", "Album"))


@pytest.fixture(scope="module")
def chart(warehouses: Pool[Warehouse]) -> Iterator[Warehouse]:
    """A warehouse with the chart above."""
    with warehouses.acquire() as warehouse:
        listings = [Listing("Chart", tuple(map(listed, range(1, 4), songs))) for songs in SONGS]
        load(warehouse, {(LIST, day): one for day, one in zip(DAYS, listings, strict=True)})
        yield warehouse


def test_top_artists_are_ranked_by_songs_then_best_position(chart: Warehouse) -> None:
    found = chart.place.query(
        "SELECT artist_rank, artist_name, song_count, best_position FROM top_artists"
        " WHERE snapshot_date = ? ORDER BY artist_rank",
        DAYS[0],
    )
    assert sorted(found) == [(1, "Artist X", 2, 1), (1, "Artist Y", 2, 1)]


def test_movers_between_neighbouring_dates(chart: Warehouse) -> None:
    assert movers(chart, DAYS[0], DAYS[1]) == {
        "a": ("down", 1, 2),
        "b": ("up", 2, 1),
        "c": ("gone", 3, None),
        "d": ("new", None, 3),
    }


def test_movers_between_distant_dates(chart: Warehouse) -> None:
    assert movers(chart, DAYS[0], DAYS[3]) == {
        "a": ("gone", 1, None),
        "b": ("same", 2, 2),
        "c": ("up", 3, 1),
        "d": ("new", None, 3),
    }


def movers(chart: Warehouse, from_date: date, to_date: date) -> dict[str, tuple[Any, ...]]:
    rows = chart.place.query(
        "SELECT song_id, movement, from_position, to_position FROM chart_movers"
        " WHERE playlist_id = ? AND from_date = ? AND to_date = ?",
        LIST,
        from_date,
        to_date,
    )
    return {row[0]: row[1:] for row in rows}


def test_runs_count_snapshots_and_end_where_a_song_is_missing(chart: Warehouse) -> None:
    found = chart.place.query(
        "SELECT song_id, snapshot_count, first_date, last_date, best_position FROM longest_runs"
        " ORDER BY song_id, first_date"
    )
    assert found == [
        ("a", 3, DAYS[0], DAYS[2], 1),
        ("b", 4, DAYS[0], DAYS[3], 1),
        ("c", 1, DAYS[0], DAYS[0], 3),
        ("c", 1, DAYS[3], DAYS[3], 1),
        ("d", 3, DAYS[1], DAYS[3], 2),
    ]


def test_charts_show_the_first_rows_of_the_views(chart: Warehouse) -> None:
    with chart.session() as session:
        found = charts(session, LIST, DAYS[2], DAYS[3])

    assert found["Chart movers"] == [
        {"move": "down", "song": "Song b", "from": 1, "to": 2},
        {"move": "down", "song": "Song d", "from": 2, "to": 3},
        {"move": "new", "song": "Song c", "from": None, "to": 1},
        {"move": "gone", "song": "Song a", "from": 3, "to": None},
    ]
    assert found["Longest runs"][0]["song"] == "Song b"
    assert found["Top artists"][0] == {"rank": 1, "artist": "Artist X", "songs": 2, "best": 2}


def test_views_without_suffix_show_the_newest_snapshot(chart: Warehouse) -> None:
    assert chart.place.query("SELECT position, song_id FROM playlist_songs ORDER BY position") == [
        (1, "c"),
        (2, "b"),
        (3, "d"),
    ]
    assert chart.place.query("SELECT DISTINCT snapshot_date FROM songs") == [(DAYS[3],)]
