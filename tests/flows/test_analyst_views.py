"""The views for analysts on playlists that are small enough to check by hand."""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from tests.flows.histories import History, Listed, Listing, load
from tests.pools import Pool
from tests.warehouses import Warehouse

NOV_1, NOV_2, NOV_4, NOV_5, NOV_6 = (date(2026, 11, day) for day in (1, 2, 4, 5, 6))
"""Snapshot dates. There was no run on 3 November."""
ADDED = datetime(2025, 6, 1, 12)  # noqa: DTZ001 - as TIMESTAMP_NTZ
ARTISTS = {
    "a": (("x", "Xavier"), ("y", "Yes, Sir")),
    "b": (("n", None),),
    "c": (("n", None), ("x", "Xavier")),
    "d": (("z", "Zoë"),),
}
"""Artists by song; n has no name."""


def listing(songs: str, name: str = "Mix", by: str | None = "ann") -> Listing:
    """A snapshot: one letter per song; a dot is an entry that is not a song."""
    return Listing(
        name,
        tuple(
            Listed(position, song, f"Song {song}", ARTISTS[song], ("l", "Album"), ADDED if by else None, by)
            for position, song in enumerate(songs, start=1)
            if song != "."
        ),
    )


HISTORY: History = {
    ("mix", NOV_1): listing("abc"),
    ("mix", NOV_2): listing("bab", by=None),
    ("mix", NOV_4): listing(".ad", name="New mix"),
    ("mix", NOV_5): listing(""),
    ("mix", NOV_6): listing("adb"),
    ("one day", NOV_5): listing("d"),
    ("emptied", NOV_1): listing("c"),
    ("emptied", NOV_2): listing(""),
}


@pytest.fixture(scope="module")
def mix(warehouses: Pool[Warehouse]) -> Iterator[Warehouse]:
    """The history above, loaded."""
    with warehouses.acquire() as warehouse:
        load(warehouse, HISTORY)
        yield warehouse


def test_tracklist_history_fills_every_column(mix: Warehouse) -> None:
    found = mix.place.query("SELECT * FROM tracklist_history WHERE playlist_id = 'mix' AND position = 1")
    credited = {NOV_1: ("a", "Xavier, Yes, Sir"), NOV_2: ("b", None), NOV_6: ("a", "Xavier, Yes, Sir")}
    assert sorted(found) == [
        (
            *("mix", "Mix", day, 1, song, f"Song {song}", artists, ARTISTS[song][0][0], "l", "Album"),
            *(date(2024, 2, 29), 180_000, False, 30, f"ISRC-{song}"),
            *((None, None) if day == NOV_2 else (ADDED, "ann")),
            f"https://s/{song}",
        )
        for day, (song, artists) in credited.items()
    ]


def test_tracklist_history_omits_artists_without_a_name(mix: Warehouse) -> None:
    found = mix.place.query("SELECT DISTINCT song_id, artist_names, artist_id FROM tracklist_history")
    assert sorted(found) == [
        ("a", "Xavier, Yes, Sir", "x"),
        ("b", None, "n"),
        ("c", "Xavier", "n"),
        ("d", "Zoë", "z"),
    ]


def test_tracklist_shows_the_newest_snapshot_of_each_playlist(mix: Warehouse) -> None:
    found = mix.place.query("SELECT playlist_id, snapshot_date, position, song_id FROM tracklist")
    assert sorted(found) == [
        ("mix", NOV_6, 1, "a"),
        ("mix", NOV_6, 2, "d"),
        ("mix", NOV_6, 3, "b"),
        ("one day", NOV_5, 1, "d"),
    ]


def test_playlist_changes_compare_with_the_previous_snapshot(mix: Warehouse) -> None:
    """Duplicates count: a second b enters, later both leave. A move is not a change."""
    found = mix.place.query(
        "SELECT playlist_id, playlist_name, snapshot_date, previous_date, change, song_id, position,"
        " previous_position FROM playlist_changes"
    )
    assert sorted(found, key=repr) == sorted(
        [
            ("mix", "Mix", NOV_2, NOV_1, "entered", "b", 3, None),
            ("mix", "Mix", NOV_2, NOV_1, "left", "c", None, 3),
            ("mix", "New mix", NOV_4, NOV_2, "entered", "d", 3, None),
            ("mix", "New mix", NOV_4, NOV_2, "left", "b", None, 1),
            ("mix", "New mix", NOV_4, NOV_2, "left", "b", None, 3),
            ("mix", "Mix", NOV_5, NOV_4, "left", "a", None, 2),
            ("mix", "Mix", NOV_5, NOV_4, "left", "d", None, 3),
            ("mix", "Mix", NOV_6, NOV_5, "entered", "a", 1, None),
            ("mix", "Mix", NOV_6, NOV_5, "entered", "d", 2, None),
            ("mix", "Mix", NOV_6, NOV_5, "entered", "b", 3, None),
            ("emptied", "Mix", NOV_2, NOV_1, "left", "c", None, 1),
        ],
        key=repr,
    )


def test_playlist_changes_show_who_added_an_entry_even_after_it_left(mix: Warehouse) -> None:
    found = mix.place.query(
        "SELECT snapshot_date, change, song_id, song_name, artist_names, added_at, added_by"
        " FROM playlist_changes WHERE playlist_id = 'mix' AND snapshot_date <= ? ORDER BY 1, 2, 3",
        NOV_4,
    )
    assert found == [
        (NOV_2, "entered", "b", "Song b", None, None, None),
        (NOV_2, "left", "c", "Song c", "Xavier", ADDED, "ann"),
        (NOV_4, "entered", "d", "Song d", "Zoë", ADDED, "ann"),
        (NOV_4, "left", "b", "Song b", None, None, None),
        (NOV_4, "left", "b", "Song b", None, None, None),
    ]


def test_song_journeys_have_one_row_per_song(mix: Warehouse) -> None:
    """A day without a snapshot ends no streak, an empty snapshot does. Duplicates: the best position."""
    found = mix.place.query("SELECT * FROM song_journeys WHERE playlist_id = 'mix' ORDER BY song_id")
    assert found == [
        (
            *("mix", "Mix", "a", "Song a", "Xavier, Yes, Sir", NOV_1, NOV_6, 4),
            *(1, NOV_1, 2, 2, 3, NOV_1, NOV_4, 1, True, 1, None),
        ),
        (
            *("mix", "Mix", "b", "Song b", None, NOV_1, NOV_6, 3),
            *(1, NOV_2, 1, 1, 2, NOV_1, NOV_2, 1, True, 3, None),
        ),
        (
            *("mix", "Mix", "c", "Song c", "Xavier", NOV_1, NOV_1, 1),
            *(3, NOV_1, 1, 0, 1, NOV_1, NOV_1, 0, False, None, None),
        ),
        # of two streaks of equal length, the later one counts
        (
            *("mix", "Mix", "d", "Song d", "Zoë", NOV_4, NOV_6, 2),
            *(2, NOV_6, 1, 0, 1, NOV_6, NOV_6, 1, True, 2, None),
        ),
    ]


def test_song_journeys_of_one_snapshot_and_of_an_emptied_playlist(mix: Warehouse) -> None:
    found = mix.place.query(
        "SELECT playlist_id, song_id, is_listed, position, previous_position FROM song_journeys"
        " WHERE playlist_id <> 'mix' ORDER BY playlist_id"
    )
    assert found == [("emptied", "c", False, None, 1), ("one day", "d", True, 1, None)]


def test_a_song_at_number_one_twice_has_two_runs(mix: Warehouse) -> None:
    """On 4 November no song is at position 1, on 5 November the playlist is empty."""
    found = mix.place.query("SELECT * FROM number_one_runs WHERE playlist_id = 'mix' ORDER BY first_date")
    assert found == [
        ("mix", "a", "Song a", "Xavier, Yes, Sir", NOV_1, NOV_1, 1),
        ("mix", "b", "Song b", None, NOV_2, NOV_2, 1),
        ("mix", "a", "Song a", "Xavier, Yes, Sir", NOV_6, NOV_6, 1),
    ]


FRESHNESS = {
    "first snapshot today": ([0], 0, 0),
    "every day": (range(40), 0.5, 0),
    "every day except today, which is not over": (range(1, 40), 23.5, 0),
    "one day missing": ([0, 1, 2, 4, 5, 6, 7], 3.2, 1),
    "missing since the first snapshot": ([3], 72.5, 2),
    "none for months: counts the last 30 days": ([100, 101], 2400.5, 30),
    "a snapshot on the oldest of the 30 days": ([30], 720.5, 29),
    "a snapshot on the day before those": ([31], 744.5, 30),
}
"""Case: (ages of the snapshots in days, age of the newest in hours, expected missing_day_count)."""


@pytest.fixture(scope="module")
def fresh(warehouses: Pool[Warehouse]) -> Iterator[tuple[Warehouse, datetime]]:
    """One playlist per case, and the current time."""
    now = datetime.now(UTC)
    with warehouses.acquire() as warehouse:
        cases = {
            (case, now.date() - timedelta(days=age)): listing("a")._replace(
                fetched_at=now - timedelta(hours=hours)
            )
            for case, (ages, hours, _) in FRESHNESS.items()
            for age in ages
        }
        load(warehouse, cases)
        yield warehouse, now


@pytest.mark.parametrize("case", FRESHNESS)
def test_freshness_shows_age_and_missing_days(fresh: tuple[Warehouse, datetime], case: str) -> None:
    warehouse, now = fresh
    ((fetched_at, today, *found),) = warehouse.place.query(
        "SELECT fetched_at, SYSDATE()::DATE, playlist_name, snapshot_date, age_hours, missing_day_count"
        " FROM freshness WHERE playlist_id = ?",
        case,
    )
    if today != now.date():
        pytest.skip("midnight passed between the load and the query")
    ages, hours, missing = FRESHNESS[case]
    assert found == ["Mix", today - timedelta(days=min(ages)), int(hours), missing]
    fetched = now - timedelta(hours=hours)
    assert abs(fetched_at.replace(tzinfo=UTC) - fetched) <= timedelta(milliseconds=1)


ANALYSIS_PAGE = Path(__file__).parents[2] / "docs" / "analysis.md"
EXPECTED = {
    NOV_2: {("mix", NOV_2, 3), ("emptied", NOV_2, 0)},
    date(2026, 11, 3): {("mix", NOV_2, 3), ("emptied", NOV_2, 0)},
    NOV_5: {("mix", NOV_5, 0), ("emptied", NOV_2, 0), ("one day", NOV_5, 1)},
    date(2026, 10, 31): set(),
}
"""(Playlist, snapshot date, number of songs) that the documented query returns, by requested date."""


@pytest.mark.parametrize("day", EXPECTED, ids=str)
def test_the_documented_query_finds_the_last_snapshot_on_or_before_a_date(mix: Warehouse, day: date) -> None:
    query, *_ = re.findall(
        r"```sql\n(WITH nearest AS.*?);\n```", ANALYSIS_PAGE.read_text(encoding="utf-8"), re.DOTALL
    )
    assert "<= '2026-11-20'" in query
    query = query.replace("2026-11-20", str(day)).replace("SELECT name, ", "SELECT playlist_id, ")
    found = mix.place.query(query)
    songs = {(playlist_id, snapshot_date): 0 for playlist_id, snapshot_date, *_ in found}
    for playlist_id, snapshot_date, position, title, _ in found:
        assert (title is None) == (position is None)
        songs[playlist_id, snapshot_date] += position is not None
    assert {(*key, count) for key, count in songs.items()} == EXPECTED[day]
