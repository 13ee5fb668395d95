"""Entries as real playlists contain them, in each API shape: rows, or a reject with its reason."""

from datetime import UTC, date, datetime
from typing import NamedTuple

import pytest

from pipeline.transform.responses import snapshot_rows
from pipeline.transform.tables import build_tables
from tests.builders import (
    DAY,
    PLAYLIST,
    RUN,
    SHAPES,
    Json,
    Shape,
    album,
    artist,
    entry,
    head,
    only,
    rows,
    snapshot,
    song,
    tables_of,
)


def _without(key: str, json_value: Json) -> Json:
    return {name: value for name, value in json_value.items() if name != key}


def _tombstone(**changes: object) -> Json:
    """A track whose ids, names and URI are all null or empty."""
    blank_album = album(
        id_="", name="", artists=[], album_type=None, release_date="0000", release_date_precision="year"
    )
    blank_song = song(name="", on=blank_album | {"id": None}, artists=[artist("") | {"id": None, "name": ""}])
    return blank_song | {"id": None, "uri": None, "external_urls": {}} | changes


LOCAL = _tombstone(name="Rehearsal", uri="spotify:local:Otters:Demo:Rehearsal:273", is_local=True)
EPISODE = {"id": "episode-1", "name": "Pilot", "type": "episode", "uri": "spotify:episode:1", "show": {}}
CHAPTER = {"id": "chapter-1", "name": "One", "type": "chapter", "uri": "spotify:chapter:1", "audiobook": {}}


class Refused(NamedTuple):
    """An entry that is not a song, and its reject reason."""

    entry: object
    reason: str


REFUSED: dict[str, Refused] = {
    "null item": Refused(entry(None), "null_item"),
    "no key": Refused(_without("item", entry(None)), "no_item"),
    "tombstone": Refused(entry(_tombstone()), "tombstone"),
    "tombstone with null name": Refused(entry(_tombstone(name=None)), "tombstone"),
    "local file": Refused(entry(LOCAL), "local_file"),
    "local file by its uri": Refused(entry(LOCAL | {"is_local": None}), "local_file"),
    "local file by its entry": Refused(entry(LOCAL | {"uri": None}, is_local=True), "local_file"),
    "episode": Refused(entry(EPISODE), "episode"),
    "episode by its uri": Refused(entry(_without("type", EPISODE)), "episode"),
    "chapter": Refused(entry(CHAPTER), "chapter"),
    "chapter by its uri": Refused(entry(_without("type", CHAPTER)), "chapter"),
    "unavailable": Refused(entry(song(id=None, uri=None)), "unavailable"),
    "lone surrogate": Refused(entry(song(name="Broken \ud83d Heart")), "lone_surrogate"),
    "entry is null": Refused(None, "null_item"),
    "entry is a string": Refused("song", "malformed: Expected `object`, got `str`"),
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("case", REFUSED.values(), ids=REFUSED)
def test_an_entry_that_is_not_a_song_is_rejected_and_its_neighbours_are_kept(
    case: Refused, shape: Shape
) -> None:
    tables = tables_of(entry(song("first")), case.entry, entry(song("last")), shape=shape)
    assert rows(tables, "rejects", "position", "reason") == [(2, case.reason)]
    assert rows(tables, "playlist_songs", "position", "song_id") == [(1, "first"), (3, "last")]
    assert rows(tables, "songs", "song_id") == ["first", "last"]


@pytest.mark.parametrize("shape", SHAPES)
def test_a_reject_contains_the_entry_as_json_text(shape: Shape) -> None:
    kept = only(tables_of(entry(EPISODE), shape=shape), "rejects")["entry"]
    assert kept.startswith("{")
    assert '"show": {}' in kept


class Song(NamedTuple):
    """An entry with a song, and the expected column values in a table."""

    entry: Json
    table: str
    columns: Json


def _named(name: str) -> Song:
    return Song(entry(song(name=name)), "songs", {"name": name})


def _added_at(text: str | None, expected: datetime | None) -> Song:
    return Song(entry(song(), added_at=text), "playlist_songs", {"added_at": expected})


def _added_by(value: object, expected: str | None) -> Song:
    return Song(entry(song(), added_by=value), "playlist_songs", {"added_by": expected})


def _dated(text: str | None, precision: str | None, released: date | None, expected: str | None) -> Song:
    on = album(release_date=text, release_date_precision=precision)
    columns = {"release_date": released, "release_date_precision": expected}
    return Song(entry(song(on=on)), "albums", columns)


NOON = datetime(2025, 6, 1, 12, tzinfo=UTC)
ACCEPTED: dict[str, Song] = {
    "added_at": _added_at("2025-06-01T12:00:00Z", NOON),
    "added_at null": _added_at(None, None),
    "added_at 1970": _added_at("1970-01-01T00:00:00Z", None),
    "added_at 1970, with milliseconds": _added_at("1970-01-01T00:00:00.000Z", None),
    "added_at 1970, in another time zone": _added_at("1970-01-01T02:00:00+02:00", None),
    "added_at a second after 1970": _added_at(
        "1970-01-01T00:00:01Z", datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC)
    ),
    "added_at with an offset": _added_at("2025-06-01T14:00:00+02:00", NOON),
    "added_at without an offset is UTC": _added_at("2025-06-01T12:00:00", NOON),
    "added_at keeps milliseconds": _added_at("2025-06-01T12:00:00.250Z", NOON.replace(microsecond=250_000)),
    "added_by": _added_by({"id": "user-9", "type": "user"}, "user-9"),
    "added_by null": _added_by(None, None),
    "added_by empty": _added_by({"id": ""}, None),
    "added_by id null": _added_by({"id": None}, None),
    "release year": _dated("1987", "year", date(1987, 1, 1), "year"),
    "release month": _dated("1999-11", "month", date(1999, 11, 1), "month"),
    "release day": _dated("2004-02-29", "day", date(2004, 2, 29), "day"),
    "release 0000": _dated("0000", "year", None, None),
    "release 0000-00": _dated("0000-00", "month", None, None),
    "release 0000-00-00": _dated("0000-00-00", "day", None, None),
    "release null": _dated(None, None, None, None),
    "release null, with a precision": _dated(None, "day", None, None),
    "release empty": _dated("", "", None, None),
    "empty name": _named(""),
    "commas and quotes": _named("Hello, \"World\", it's 'me'"),
    "newlines": _named("One\nTwo\r\nThree\rFour\tFive"),
    "CJK": _named("夜のやかん (ライブ)"),
    "emoji": _named("🫖 👩‍👩‍👧‍👦 🇦🇶"),
    "right to left": _named("קומקום الغلاية"),
    r"\N": _named(r"\N"),
    "formula =": _named("=1+1"),
    "formula +": _named("+Plus+"),
    "formula @": _named("@mention"),
    "blanks at both ends": _named("  padded  "),
    "control characters": _named("a\x01b\x1b\x7f\x85\ufffe"),
    "byte order mark": _named("\ufeffa"),
    "escape sequences as text": _named(r"\u0000 \ud83d \\u0000"),
    "popularity absent": Song(
        entry(_without("popularity", song())), "songs", {"popularity": None, "name": "Song song-1"}
    ),
    "unknown keys": Song(
        entry(song(sandbox_unknown={"deep": [1, None]}), video_thumbnail={"url": None}),
        "songs",
        {"song_id": "song-1"},
    ),
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("case", ACCEPTED.values(), ids=ACCEPTED)
def test_a_song_with_unusual_values_becomes_a_row(case: Song, shape: Shape) -> None:
    tables = tables_of(case.entry, shape=shape)
    row = only(tables, case.table)
    assert {name: row[name] for name in case.columns} == case.columns
    assert rows(tables, "playlist_songs", "position", "song_id") == [(1, "song-1")]
    assert tables["rejects"].is_empty()


INVALID_DATES = [
    "nonsense",
    "2024-13",
    "2023-02-29",
    "24",
    "2024-6-1",
    "2024-06-15-99",
    "2024-W05-1",
    "2024-06-15T00:00:00Z",
]


@pytest.mark.parametrize("text", INVALID_DATES)
def test_a_release_date_that_is_not_a_date_is_null_with_its_precision_and_counted(text: str) -> None:
    decoded = snapshot_rows(snapshot([head([entry(song(on=album(release_date=text)))])], 1))
    row = only(build_tables([decoded], DAY, RUN), "albums")
    assert (row["release_date"], row["release_date_precision"]) == (None, None)
    assert decoded.nulled == {"album.release_date": 1}


@pytest.mark.parametrize("text", ["", "yesterday", "2025-06-31T00:00:00Z", "0001-01-01T00:00:00+14:00"])
def test_an_added_at_that_is_not_a_time_is_null_and_counted(text: str) -> None:
    decoded = snapshot_rows(snapshot([head([entry(song(), added_at=text)])], 1))
    assert only(build_tables([decoded], DAY, RUN), "playlist_songs")["added_at"] is None
    assert decoded.nulled == {"added_at": 1}


def test_the_song_is_taken_from_item_or_track_whichever_is_not_null() -> None:
    old = entry(None, track=song("old"))
    new = entry(song("new"), track=None)
    tables = tables_of(old, new, entry(None, track=None))
    assert rows(tables, "playlist_songs", "song_id") == ["old", "new"]
    assert rows(tables, "rejects", "position", "reason") == [(3, "null_item")]


@pytest.mark.parametrize("shape", SHAPES)
def test_an_ordinary_song_fills_every_table(shape: Shape) -> None:
    tables = tables_of(
        entry(song(artists=[artist("a"), artist("b")], on=album(artists=[artist("c")]))), shape=shape
    )
    start = {"playlist_id": PLAYLIST, "snapshot_date": DAY, "run_id": RUN}
    assert only(tables, "songs") == start | {
        "song_id": "song-1",
        "name": "Song song-1",
        "album_id": "album-1",
        "artist_id": "a",
        "duration_ms": 180_000,
        "is_explicit": False,
        "popularity": 30,
        "disc_number": 1,
        "track_number": 2,
        "isrc": "ISRC-song-1",
        "url": "https://s/song-1",
    }
    assert only(tables, "albums") == start | {
        "album_id": "album-1",
        "name": "Album album-1",
        "album_type": "album",
        "release_date": date(2024, 2, 29),
        "release_date_precision": "day",
        "total_tracks": 12,
        "label": None,
        "upc": None,
        "url": "https://b/album-1",
        "image_url": "https://large/album-1",
    }
    assert sorted(rows(tables, "artists", "artist_id", "name", "url")) == [
        (id_, f"Artist {id_}", f"https://a/{id_}") for id_ in "abc"
    ]
    assert rows(tables, "song_artists", "song_id", "artist_id", "artist_position") == [
        ("song-1", "a", 1),
        ("song-1", "b", 2),
    ]
    assert rows(tables, "album_artists", "album_id", "artist_id", "artist_position") == [("album-1", "c", 1)]


@pytest.mark.parametrize("missing", [None, {}, {"spotify": None}, {"spotify": ""}], ids=str)
def test_a_missing_url_is_built_from_the_id(missing: object) -> None:
    plain = {"external_urls": missing}
    tables = tables_of(
        entry(song("S", artists=[artist("A", **plain)], on=album("B", artists=[], **plain), **plain))
    )
    assert only(tables, "songs")["url"] == "https://open.spotify.com/track/S"
    assert only(tables, "albums")["url"] == "https://open.spotify.com/album/B"
    assert only(tables, "artists")["url"] == "https://open.spotify.com/artist/A"


def test_ids_are_stored_unchanged() -> None:
    ids = ["AbC", "aBc", " abc", "ábc", "🫖"]
    tables = tables_of(*(entry(song(id_)) for id_ in ids))
    assert rows(tables, "playlist_songs", "song_id") == ids
    assert rows(tables, "songs", "song_id") == ids


def test_empty_text_and_null_remain_different() -> None:
    tables = tables_of(
        entry(song("empty", external_ids={"isrc": ""})), entry(song("null", external_ids={"isrc": None}))
    )
    assert rows(tables, "songs", "song_id", "isrc") == [("empty", ""), ("null", None)]
