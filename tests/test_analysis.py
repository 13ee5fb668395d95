"""Runs every query of docs/analysis.md on a few days of playlists small enough to check by hand."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import sqlfluff

from pipeline.columns import TABLES, history
from pipeline.view_columns import VIEW_COLUMNS
from pipeline.warehouse.session import Session
from tests.places import Rows
from tests.pools import Pool
from tests.warehouses import Warehouse

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "analysis.md").read_text(encoding="utf-8")
QUERIES = dict(
    re.findall(r"^### ([^\n]+)\n(?:(?!```|###)[^\n]*\n)*```sql\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
)

TODAY = datetime.now(UTC).date()


def ago(days: int) -> date:
    return TODAY - timedelta(days=days)


A, B, C, D = ago(12), ago(9), ago(3), ago(2)
EXAMPLES = {
    "2026-11-01": B,
    "2026-11-18": B,
    "2026-11-20": ago(8),  # no snapshot: the nearest is that of B
    "2026-11-25": D,
    "2026-11-30": TODAY,
}
"""Dates in the page → dates of the test data."""
SONG = "ue4JKNdgjD8n8SoDlhpunb"
"""Song id in the page, of a song in the sandbox."""

CHART, ATLANTIS = "sandboxTop50Worldwide1", "sandboxTop50Atlantis01"
MIXTAPE, EMPTY, EMPTIED = "sandboxMixtape00000001", "sandboxEmpty0000000001", "sandboxEmptied00000001"
NAMES = {
    CHART: "Top 50 - Worldwide",
    ATLANTIS: "Top 50 - Atlantis",
    MIXTAPE: "The Mixtape",
    EMPTY: "Songs I Finished Writing",
    EMPTIED: "Here Today",
}
W, T, M, E, H = NAMES.values()
X, Y, Z = "The Velvet Noodles", "Artist Y", "Artist Z"


class Song(NamedTuple):
    """A song with its artists; every song is half an hour long."""

    name: str
    artists: tuple[str, ...]
    released: date | None
    is_explicit: bool | None

    @property
    def artist_names(self) -> str:
        """As the views show them."""
        return ", ".join(self.artists)


SONGS = {
    "a": Song("Song a", (X, Y), D - timedelta(40), is_explicit=False),
    "b": Song("Song b", (X,), D - timedelta(10), is_explicit=True),
    "c": Song("Song c", (Y,), None, is_explicit=None),
    "d": Song("Accordion by Ferry", (Z, X), D - timedelta(30), is_explicit=False),
    "e": Song("Song e", (Y,), date(1987, 5, 1), is_explicit=True),
    "e-again": Song("Song e", (Y,), date(1987, 5, 1), is_explicit=True),
    "f": Song("Song f", (Z,), date(2003, 1, 1), is_explicit=False),
    "g": Song("Ferry", (Y,), D - timedelta(20), is_explicit=None),
}


OLD = {"Top 50 - Worldwide": "Top 50", "Song b": "Song b (Demo)", X: "Velvet Noodles"}
"""Current name → name on the date A, of a playlist, a song and an artist."""


class Reject(NamedTuple):
    """An entry that is rejected."""

    reason: str
    entry: dict[str, Any]


SNAPSHOTS: dict[tuple[str, date], list[str | Reject]] = {
    (CHART, A): ["a", "b", "c"],
    (CHART, B): ["b", "a", "d"],
    (CHART, C): ["b", "d", "a"],
    (CHART, D): ["d", "c", "b"],
    (ATLANTIS, D): ["b", "g", "b"],
    (MIXTAPE, B): ["e", Reject("local_file", {"track": {"name": "Rehearsal"}}), "f"],
    (MIXTAPE, D): [
        "e",
        Reject("episode", {"item": {"name": "Which Kettle?"}}),
        "f",
        "e-again",
        "b",
        Reject("null_item", {"item": None}),
    ],
    (EMPTY, TODAY): [],
    (EMPTIED, B): [],
}
FETCHED = {CHART: time(10), MIXTAPE: time(12), ATLANTIS: time(14), EMPTY: time(0), EMPTIED: time(0)}
ADDED_BY = {"e": "ann", "f": "bob", "e-again": "ann", "b": "ann"}
"""Song → user who added it to the mixtape; null in charts."""


def added(position: int) -> datetime:
    return datetime(2026, 1, position)  # noqa: DTZ001 - as TIMESTAMP_NTZ comes back


def age(song: str) -> int:
    released = SONGS[song].released
    assert released
    return (D - released).days


def titled(song: str) -> tuple[str, str]:
    return SONGS[song].name, SONGS[song].artist_names


LOADED = datetime(2026, 1, 1, 6)  # noqa: DTZ001 - as TIMESTAMP_NTZ comes back

EXPECTED: dict[str, Rows] = {
    "How did all playlists look on a date?": [
        (H, B, None, None, None),
        (M, B, 1, *titled("e")),
        (M, B, 3, *titled("f")),
        (W, B, 1, *titled("b")),
        (W, B, 2, *titled("a")),
        (W, B, 3, *titled("d")),
    ],
    "Which playlists are there?": [
        (EMPTIED, H, "Owner", 0, B),
        (EMPTY, E, "Owner", 0, TODAY),
        (MIXTAPE, M, "Owner", 6, D),
        (ATLANTIS, T, "Owner", 3, D),
        (CHART, W, "Owner", 3, D),
    ],
    "Which songs entered this week?": [
        (D, M, 4, *titled("e-again"), "ann"),
        (D, M, 5, *titled("b"), "ann"),
        (D, W, 2, *titled("c"), None),
    ],
    "Which songs left this week?": [(D, W, 3, *titled("a"))],
    "Which songs left and did not return?": [(*titled("a"), C, 3, 1)],
    "Who adds the most songs?": [
        (M, "ann", 3, added(5)),
        (T, None, 3, added(3)),
        (W, None, 3, added(3)),
        (M, "bob", 1, added(3)),
    ],
    "Which playlists change the most?": [(W, 2, 2), (M, 2, 0)],
    "How did a playlist grow?": [(B, 3, None, 3), (D, 6, 3, 6)],
    "How did this playlist look on a date, with rejects?": [
        (B, 1, *titled("e"), None),
        (B, 2, None, None, "local_file"),
        (B, 3, *titled("f"), None),
    ],
    "Which URIs restore the playlist?": [("spotify:track:e",), ("spotify:track:f",)],
    "When was a song first seen?": [(B, W, *titled("d"), True), (D, T, *titled("g"), True)],
    "How did a song move?": [(B, 3), (C, 2), (D, 1)],
    "Which song was number one for the longest time?": [
        (*titled("b"), 2, B, C),
        (*titled("d"), 1, D, D),
        ("Song a", f"{OLD[X]}, {Y}", 1, A, A),  # with the name on that date
    ],
    "Which songs stayed the longest without a break?": [
        ("Song b", 4, A, D, 1),
        ("Accordion by Ferry", 3, B, D, 1),
        ("Song a", 3, A, C, 1),
        ("Song c", 1, D, D, 2),
        ("Song c", 1, A, A, 3),
    ],
    "Which songs climbed the most since the previous snapshot?": [(*titled("d"), 2, 1, 1)],
    "Which songs climbed the most between two dates?": [("Accordion by Ferry", 3, 1, 2)],
    "Which songs returned?": [(*titled("c"), 1, A, D, 2)],
    "Who were the top artists of the month, and what was their share?": [
        (X, 8, 57.1),
        (Y, 3, 21.4),
        (Z, 3, 21.4),
    ],
    "Which songs of an artist are in the playlists?": [
        (M, 5, *titled("b")),
        (T, 1, *titled("b")),
        (T, 3, *titled("b")),
        (W, 1, *titled("d")),
        (W, 3, *titled("b")),
    ],
    "Which songs do two playlists share?": [(*titled("b"), 3, 1)],
    "Which songs are in the most playlists?": [(*titled("b"), 3)],
    "Which songs are in a playlist twice?": [(M, *titled("e"), "1, 4"), (T, *titled("b"), "1, 3")],
    "From which decades are the songs?": [(1980, 2), (2000, 1), ((D - timedelta(10)).year // 10 * 10, 1)],
    "How old are the songs?": [
        (T, 10, D - timedelta(20), D - timedelta(10)),
        (W, 20, D - timedelta(30), D - timedelta(10)),
        (M, (age("f") + age("e")) / 2, date(1987, 5, 1), D - timedelta(10)),
    ],
    "How many songs are explicit?": [(T, 2, 100), (M, 3, 75), (W, 1, 50)],
    "How long are the playlists?": [(M, 4, 2), (T, 3, 1.5), (W, 3, 1.5)],
    "Why is a song missing?": [(2, "episode", "Which Kettle?"), (6, "null_item", None)],
    "Which days are missing?": [
        (M, D, None, 1),
        (T, D, None, 1),
        (W, D, None, 1),
        (H, B, None, 8),
        (M, B, D, 6),
        (W, B, C, 5),
        ("Top 50", A, B, 2),
    ],
    "Which run loaded a snapshot, and from which file?": [("run", LOADED, "raw/file", 3, 1)],
}
"""Question → rows; without the question STALE, whose answer depends on the clock."""
STALE = "Which playlists are stale?"


@pytest.fixture(scope="module")
def playlists(warehouses: Pool[Warehouse]) -> Iterator[Warehouse]:
    """A warehouse with SNAPSHOTS."""
    with warehouses.acquire() as acquired:
        with acquired.session() as session:
            for (playlist, day), entries in SNAPSHOTS.items():
                for table, rows in table_rows(playlist, day, entries).items():
                    partition = {"playlist_id": playlist, "snapshot_date": day, "run_id": "run"}
                    insert(session, history(table), [partition | row for row in rows])
            insert(session, "loads", [ledger_row()])
        yield acquired


def named(name: str, day: date) -> str:
    return OLD.get(name, name) if day == A else name


def table_rows(playlist: str, day: date, entries: list[str | Reject]) -> dict[str, list[dict[str, Any]]]:
    listed = {n: entry for n, entry in enumerate(entries, start=1) if isinstance(entry, str)}
    rejected = {n: entry for n, entry in enumerate(entries, start=1) if isinstance(entry, Reject)}
    songs = {song: SONGS[song] for song in listed.values()}
    return {
        "playlists": [
            {
                "name": named(NAMES[playlist], day),
                "owner_id": "o",
                "owner_name": "Owner",
                "is_collaborative": False,
            }
            | {"snapshot_id": "s", "item_count": len(entries), "follower_count": len(entries), "url": "u"}
            | {"fetched_at": datetime.combine(day, FETCHED[playlist])}
        ],
        "playlist_songs": [
            {"position": n, "song_id": song, "added_at": added(n)}
            | {"added_by": ADDED_BY.get(song) if playlist == MIXTAPE else None}
            for n, song in listed.items()
        ],
        **song_rows(songs, day),
        "rejects": [
            {"position": n, "reason": one.reason, "entry": json.dumps(one.entry)}
            for n, one in rejected.items()
        ],
    }


def song_rows(songs: dict[str, Song], day: date) -> dict[str, list[dict[str, Any]]]:
    return {
        "songs": [
            {
                "song_id": key,
                "name": named(song.name, day),
                "album_id": key,
                "artist_id": song.artists[0],
                "url": "u",
            }
            | {"duration_ms": 1_800_000, "is_explicit": song.is_explicit}
            for key, song in songs.items()
        ],
        "albums": [
            {"album_id": key, "name": f"Album {key}", "release_date": song.released, "url": "u"}
            for key, song in songs.items()
        ],
        "artists": [
            {"artist_id": name, "name": named(name, day), "url": "u"}
            for name in {name for song in songs.values() for name in song.artists}
        ],
        "song_artists": [
            {"song_id": key, "artist_id": name, "artist_position": n}
            for key, song in songs.items()
            for n, name in enumerate(song.artists, start=1)
        ],
    }


def ledger_row() -> dict[str, Any]:
    return {
        "run_id": "run",
        "playlist_id": MIXTAPE,
        "snapshot_date": B,
        "source_key": "raw/file",
        "source_fetched_at": LOADED,
        "snapshot_id": "s",
        "item_count": 3,
        "rejected": 1,
        "load": "copy",
        "receipt_key": "runs/file",
        "code_version": "1",
        "loaded_at": LOADED,
    }


def insert(session: Session, table: str, rows: list[dict[str, Any]]) -> None:
    """Inserts rows with the same columns in one statement; rows of `loads` also get an empty JSON object."""
    if not rows:
        return
    marks = ", ".join("?" * len(rows[0]))
    names, values = ", ".join(rows[0]), ", ".join([f"({marks})"] * len(rows))
    text = f"INSERT INTO {table} ({names}) VALUES {values}"
    if table == "loads":
        text = f"INSERT INTO loads ({names}, rows_by_table) SELECT {marks}, PARSE_JSON('{{}}')"
    session.new_cursor().execute(text, [value for row in rows for value in row.values()])


def run_query(playlists: Warehouse, question: str) -> Rows:
    """Runs a query of the page as the reader role, with the dates and the song of the test data."""
    query = re.sub(r"\d{4}-\d\d-\d\d", lambda found: str(EXAMPLES[found[0]]), QUERIES[question]).replace(
        SONG, "d"
    )
    with playlists.place.connected() as connection:
        return [tuple(row) for row in connection.cursor().execute(query).fetchall()]


@pytest.mark.parametrize("question", EXPECTED)
def test_query_of_the_page_returns_the_expected_rows(playlists: Warehouse, question: str) -> None:
    assert run_query(playlists, question) == EXPECTED[question]


def test_stale_playlists_are_those_with_an_old_snapshot_or_missing_days(playlists: Warehouse) -> None:
    elapsed = (datetime.now(UTC).date() - TODAY).days  # midnight may have passed since the import
    rows = run_query(playlists, STALE)
    assert [(name, day, missing - elapsed) for name, day, _, missing in rows] == [
        (H, B, 8),
        (W, D, 8),
        (M, D, 7),
        (T, D, 1),
    ]
    ages = [hours - 24 * elapsed for _, _, hours, _ in rows]
    assert ages == sorted(ages, reverse=True)
    assert 34 <= ages[-1] <= ages[0] <= 240


def test_every_query_of_the_page_is_tested() -> None:
    assert {*EXPECTED, STALE} == set(QUERIES), "add the rows of each question of docs/analysis.md to EXPECTED"
    assert len(QUERIES) == PAGE.count("\n### ") >= 15


def test_every_statement_of_the_page_is_valid_snowflake_sql() -> None:
    """With sqlfluff, a second parser: the stand-in uses sqlglot."""
    blocks = re.findall(r"^```sql\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    assert len(blocks) > len(QUERIES)
    sqlfluff.parse("".join(block.strip().rstrip(";") + ";\n" for block in blocks), dialect="snowflake")


def test_overview_of_the_page_names_every_table_and_view() -> None:
    overview, _, _ = PAGE.partition("\n## The last snapshot")
    views = re.findall(
        r"CREATE OR REPLACE VIEW (\w+)",
        "".join(
            file.read_text(encoding="utf-8") for file in (ROOT / "sql" / "insights").glob("create_*.sql")
        ),
    )
    assert len(views) >= 9
    missing = {*map(history, TABLES), *views, "loads"} - set(re.findall(r"\w+", overview))
    assert missing == set(), "add a row to the first tables of docs/analysis.md"


def test_a_query_of_the_page_reads_each_view() -> None:
    words = set(re.findall(r"\w+", " ".join(QUERIES.values())))
    assert set(VIEW_COLUMNS) - words == set(), "add a question with its query to docs/analysis.md"
