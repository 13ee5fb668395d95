"""The views for charts on a chart that is small enough to check by hand."""

from datetime import date, timedelta
from typing import Any

import pytest

from pipeline.columns import TABLES
from pipeline.insights.charts import charts
from tests.warehouses import Warehouse

LIST = "chart00000000000000000"
DAYS = [date(2026, 11, 1) + timedelta(days=age) for age in (0, 1, 3, 4)]
"""Dates of the four snapshots. There was no run on 3 November."""
SONGS = [["a", "b", "c"], ["b", "a", "d"], ["b", "d", "a"], ["c", "b", "d"]]
"""Songs by position, for each of the dates."""
ARTISTS = {"a": ["X", "Y"], "b": ["X"], "c": ["Y"], "d": ["Z", "X"]}


@pytest.fixture
def chart(warehouse: Warehouse) -> Warehouse:
    """A warehouse with the chart above; of each table only the columns that the views read."""
    with warehouse.session() as session:
        cursor = session._connection.cursor()  # noqa: SLF001 - to insert rows directly
        for day, songs in zip(DAYS, SONGS, strict=True):
            for table, rows in _rows(songs).items():
                for row in rows:
                    insert(cursor, table, {"playlist_id": LIST, "snapshot_date": day, "run_id": "r", **row})
    return warehouse


def _rows(songs: list[str]) -> dict[str, list[dict[str, Any]]]:
    credited = [(song, artist, n) for song in songs for n, artist in enumerate(ARTISTS[song], start=1)]
    return {
        "playlists": [
            {"name": "Chart", "owner_id": "o", "is_collaborative": False, "snapshot_id": "s", "item_count": 3}
            | {"url": "u", "fetched_at": "2026-11-01T00:00:00"}
        ],
        "playlist_songs": [{"position": n, "song_id": song} for n, song in enumerate(songs, start=1)],
        "songs": [
            {"song_id": song, "name": f"Song {song}", "album_id": "l", "artist_id": ARTISTS[song][0]}
            | {"duration_ms": 1, "is_explicit": False, "disc_number": 1, "track_number": 1, "url": "u"}
            for song in songs
        ],
        "artists": [{"artist_id": a, "name": f"Artist {a}", "url": "u"} for a in {c[1] for c in credited}],
        "song_artists": [{"song_id": s, "artist_id": a, "artist_position": n} for s, a, n in credited],
    }


def insert(cursor: Any, table: str, row: dict[str, Any]) -> None:
    assert table in TABLES
    placeholders = ", ".join("?" * len(row))
    cursor.execute(
        f"INSERT INTO {table}_history ({', '.join(row)}) VALUES ({placeholders})", tuple(row.values())
    )


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
