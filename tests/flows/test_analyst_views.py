"""What the views for analysts say of a playlist small enough to check by hand."""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from tests.flows.histories import History, Listed, Listing, load
from tests.pools import Pool
from tests.warehouses import Warehouse

NOV_1, NOV_2, NOV_4, NOV_5, NOV_6 = (date(2026, 11, day) for day in (1, 2, 4, 5, 6))
"""Days of the snapshots; on 3 November no run took place."""
ADDED = datetime(2025, 6, 1, 12)  # noqa: DTZ001 - as Snowflake gives it
ARTISTS = {
    "a": (("x", "Xavier"), ("y", "Yes, Sir")),
    "b": (("n", None),),
    "c": (("n", None), ("x", "Xavier")),
    "d": (("z", "Zoë"),),
}
"""Artists by song; n has no name."""


def listing(songs: str, name: str = "Mix", by: str | None = "ann") -> Listing:
    """A snapshot: a letter per song, a dot per entry that is no song."""
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


def test_a_tracklist_names_everything(mix: Warehouse) -> None:
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


def test_an_artist_without_a_name_is_left_out(mix: Warehouse) -> None:
    found = mix.place.query("SELECT DISTINCT song_id, artist_names, artist_id FROM tracklist_history")
    assert sorted(found) == [
        ("a", "Xavier, Yes, Sir", "x"),
        ("b", None, "n"),
        ("c", "Xavier", "n"),
        ("d", "Zoë", "z"),
    ]


def test_the_tracklist_is_the_newest_of_each_playlist_and_an_empty_one_has_none(mix: Warehouse) -> None:
    found = mix.place.query("SELECT playlist_id, snapshot_date, position, song_id FROM tracklist")
    assert sorted(found) == [
        ("mix", NOV_6, 1, "a"),
        ("mix", NOV_6, 2, "d"),
        ("mix", NOV_6, 3, "b"),
        ("one day", NOV_5, 1, "d"),
    ]


def test_changes_against_the_previous_snapshot(mix: Warehouse) -> None:
    """The second b enters and both leave; the position of a moved song is no change."""
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


def test_changes_say_who_added_an_entry_also_if_it_left(mix: Warehouse) -> None:
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


def test_the_journey_of_each_song(mix: Warehouse) -> None:
    """A missed day ends no run, an empty snapshot does; a song listed twice counts at its best position."""
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
        # two runs of one snapshot each: the later one
        (
            *("mix", "Mix", "d", "Song d", "Zoë", NOV_4, NOV_6, 2),
            *(2, NOV_6, 1, 0, 1, NOV_6, NOV_6, 1, True, 2, None),
        ),
    ]


def test_journeys_of_playlists_with_one_snapshot_and_of_empty_ones(mix: Warehouse) -> None:
    found = mix.place.query(
        "SELECT playlist_id, song_id, is_listed, position, previous_position FROM song_journeys"
        " WHERE playlist_id <> 'mix' ORDER BY playlist_id"
    )
    assert found == [("emptied", "c", False, None, 1), ("one day", "d", True, 1, None)]


def test_a_song_at_number_one_twice_has_two_runs(mix: Warehouse) -> None:
    """On 4 November no song is at position 1, on the 5th the list is empty."""
    found = mix.place.query("SELECT * FROM number_one_runs WHERE playlist_id = 'mix' ORDER BY first_date")
    assert found == [
        ("mix", "a", "Song a", "Xavier, Yes, Sir", NOV_1, NOV_1, 1),
        ("mix", "b", "Song b", None, NOV_2, NOV_2, 1),
        ("mix", "a", "Song a", "Xavier, Yes, Sir", NOV_6, NOV_6, 1),
    ]


FRESH = {
    "first snapshot today": ([0], 0, 0),
    "every day": (range(40), 0.5, 0),
    "every day but today, which is not complete": (range(1, 40), 23.5, 0),
    "one day missing": ([0, 1, 2, 4, 5, 6, 7], 3.2, 1),
    "missing since the first snapshot": ([3], 72.5, 2),
    "none for months: the last 30 days": ([100, 101], 2400.5, 30),
    "the oldest of the 30 days is there": ([30], 720.5, 29),
    "the day before them is there": ([31], 744.5, 30),
}
"""Ages of the snapshots in days and of the newest in hours, and the days that are missing."""


@pytest.fixture(scope="module")
def fresh(warehouses: Pool[Warehouse]) -> Iterator[tuple[Warehouse, datetime]]:
    """A playlist for each case, and what time it is."""
    now = datetime.now(UTC)
    with warehouses.acquire() as warehouse:
        cases = {
            (case, now.date() - timedelta(days=age)): listing("a")._replace(
                fetched_at=now - timedelta(hours=hours)
            )
            for case, (ages, hours, _) in FRESH.items()
            for age in ages
        }
        load(warehouse, cases)
        yield warehouse, now


@pytest.mark.parametrize("case", FRESH)
def test_freshness(fresh: tuple[Warehouse, datetime], case: str) -> None:
    warehouse, now = fresh
    ((fetched_at, today, *found),) = warehouse.place.query(
        "SELECT fetched_at, SYSDATE()::DATE, playlist_name, snapshot_date, age_hours, missing_day_count"
        " FROM freshness WHERE playlist_id = ?",
        case,
    )
    if today != now.date():
        pytest.skip("midnight has passed since the fixture was made")
    ages, hours, missing = FRESH[case]
    assert found == ["Mix", today - timedelta(days=min(ages)), int(hours), missing]
    fetched = now - timedelta(hours=hours)
    assert abs(fetched_at.replace(tzinfo=UTC) - fetched) <= timedelta(milliseconds=1)


PAGE = Path(__file__).parents[2] / "docs" / "analysis.md"
SHOWN = {
    NOV_2: {("mix", NOV_2, 3), ("emptied", NOV_2, 0)},
    date(2026, 11, 3): {("mix", NOV_2, 3), ("emptied", NOV_2, 0)},
    NOV_5: {("mix", NOV_5, 0), ("emptied", NOV_2, 0), ("one day", NOV_5, 1)},
    date(2026, 10, 31): set(),
}
"""Playlist, date and number of songs that the page's query shows for a date."""


@pytest.mark.parametrize("day", SHOWN, ids=str)
def test_the_last_snapshot_on_or_before_a_date_as_the_page_asks_for_it(mix: Warehouse, day: date) -> None:
    query, *_ = re.findall(r"```sql\n(WITH nearest AS.*?);\n```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert "<= '2026-11-20'" in query
    query = query.replace("2026-11-20", str(day)).replace("SELECT name, ", "SELECT playlist_id, ")
    found = mix.place.query(query)
    songs = {(playlist_id, shown): 0 for playlist_id, shown, *_ in found}
    for playlist_id, shown, position, title, _ in found:
        assert (title is None) == (position is None)
        songs[playlist_id, shown] += position is not None
    assert {(*key, count) for key, count in songs.items()} == SHOWN[day]
