"""Every field that is read, if null, absent or unusable: null, a reject that names it, or no playlist."""

from collections.abc import Iterator
from datetime import date
from typing import Any, NamedTuple

import msgspec
import polars as pl
import pytest

from pipeline.errors import AccountingError, PlaylistUnavailable
from pipeline.transform import api_types
from pipeline.transform.responses import snapshot_rows
from pipeline.transform.tables import build_tables
from tests.builders import (
    DAY,
    RUN,
    Json,
    Path,
    Shape,
    album,
    artist,
    body,
    entry,
    head,
    only,
    replaced,
    rows,
    shaped,
    snapshot,
    song,
    tables_of,
    without,
)

WRONG_TYPE = 3.5  # no field accepts a fraction
REJECTED = "the entry is rejected"
IGNORED = "any value is accepted"


class Field(NamedTuple):
    """A field of an entry; `expected`: (table, column, value) if null or absent, or REJECTED or IGNORED."""

    path: Path
    expected: tuple[str, str, object] | str


def _required(*path: str | int) -> Field:
    return Field(path, REJECTED)


def _optional(*path: str | int, expected: tuple[str, str, object]) -> Field:
    return Field(path, expected)


def _ignored(*path: str | int) -> Field:
    return Field(path, IGNORED)


def _url(*path: str | int, table: str, built: str) -> list[Field]:
    expected = (table, "url", f"https://open.spotify.com/{built}")
    return [Field((*path, "external_urls"), expected), Field((*path, "external_urls", "spotify"), expected)]


ALBUM, ARTIST, CREDIT = ("item", "album"), ("item", "artists", 0), ("item", "album", "artists", 0)
SONG_FIELDS = [
    _optional("added_at", expected=("playlist_songs", "added_at", None)),
    _optional("added_by", expected=("playlist_songs", "added_by", None)),
    _optional("added_by", "id", expected=("playlist_songs", "added_by", None)),
    *(_ignored(*path) for path in [("is_local",), ("item", "is_local"), ("item", "type"), ("item", "uri")]),
    *(_required("item", name) for name in ["id", "name", "album", "artists"]),
    _optional("item", "explicit", expected=("songs", "is_explicit", None)),
    *(
        _optional("item", name, expected=("songs", name, None))
        for name in ["duration_ms", "disc_number", "track_number", "popularity"]
    ),
    _optional("item", "external_ids", expected=("songs", "isrc", None)),
    _optional("item", "external_ids", "isrc", expected=("songs", "isrc", None)),
    *_url("item", table="songs", built="track/song-1"),
    _required(*ALBUM, "id"),
    *(
        _optional(*ALBUM, name, expected=("albums", name, None))
        for name in ["name", "album_type", "total_tracks"]
    ),
    _optional(*ALBUM, "artists", expected=("albums", "album_id", "album-1")),
    _optional(*ALBUM, "release_date", expected=("albums", "release_date", None)),
    _optional(*ALBUM, "release_date_precision", expected=("albums", "release_date", date(2024, 2, 29))),
    *_url(*ALBUM, table="albums", built="album/album-1"),
    _optional(*ALBUM, "images", expected=("albums", "image_url", None)),
    _optional(*ALBUM, "images", 0, "url", expected=("albums", "image_url", None)),
    _required(*ARTIST, "id"),
    _ignored(*ARTIST, "name"),  # the album credits the same artist later, with a name
    _optional(*CREDIT, "name", expected=("artists", "name", None)),
    *_url(*CREDIT, table="artists", built="artist/artist-1"),
]
HEAD_FIELDS = [
    *(_required(*path) for path in [("id",), ("name",), ("owner",), ("owner", "id"), ("snapshot_id",)]),
    _optional("owner", "display_name", expected=("playlists", "owner_name", None)),
    _optional("description", expected=("playlists", "description", None)),
    _optional("public", expected=("playlists", "is_public", None)),
    _optional("collaborative", expected=("playlists", "is_collaborative", False)),
    _optional("followers", expected=("playlists", "follower_count", None)),
    _optional("followers", "total", expected=("playlists", "follower_count", None)),
    *_url(table="playlists", built="playlist/aPlaylist0000000000001"),
    _optional("images", expected=("playlists", "image_url", None)),
    _optional("images", 0, "url", expected=("playlists", "image_url", None)),
]


def _name(field: Field) -> str:
    return ".".join(map(str, field.path))


def _each(fields: list[Field]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("field", fields, ids=_name)


def _null_and_absent(json_value: Json, field: Field) -> Iterator[Json]:
    yield replaced(json_value, field.path, None)
    yield without(json_value, field.path)


def _only_reject(json_value: Json) -> str:
    tables = tables_of(json_value, entry(song("good")))
    assert rows(tables, "playlist_songs", "position", "song_id") == [(2, "good")]
    (reject,) = rows(tables, "rejects", "position", "reason")
    assert reject[0] == 1
    return str(reject[1])


@_each([field for field in SONG_FIELDS if isinstance(field.expected, tuple)])
def test_null_and_absent_mean_the_same_in_an_optional_field(field: Field) -> None:
    assert isinstance(field.expected, tuple)
    table, column, value = field.expected
    for changed in _null_and_absent(entry(song()), field):
        tables = tables_of(changed)
        assert only(tables, table)[column] == value
        assert rows(tables, "playlist_songs", "song_id") == ["song-1"]
        assert tables["rejects"].is_empty()


@_each([field for field in SONG_FIELDS if field.expected == REJECTED])
def test_a_required_field_that_is_null_or_absent_rejects_the_entry_and_is_named(field: Field) -> None:
    for changed in _null_and_absent(entry(song()), field):
        reason = _only_reject(changed)
        if reason != "unavailable":  # Spotify marks an unavailable song by a null id with a name
            assert reason.startswith("malformed: ")
            assert str(field.path[-1]) in reason


@_each([field for field in SONG_FIELDS if field.expected == REJECTED])
def test_a_required_field_of_a_wrong_type_rejects_the_entry_and_is_named(field: Field) -> None:
    reason = _only_reject(replaced(entry(song()), field.path, WRONG_TYPE))
    assert reason.startswith("malformed: Expected ")
    assert reason.rstrip("`").endswith(f".{field.path[-1]}")


KEYS = {"playlist_songs": "song_id", "songs": "song_id", "albums": "album_id", "artists": "artist_id"}


def _receipt_name(path: Path) -> str:
    """Name of the field in a receipt."""
    return ".".join(str(part) for part in path if isinstance(part, str) and part != "item")


@_each([field for field in SONG_FIELDS if isinstance(field.expected, tuple)])
@pytest.mark.parametrize("value", [WRONG_TYPE, "half \ud83d", "\0", [[]]], ids=repr)
def test_an_unusable_optional_field_is_null_in_its_song_and_counted(field: Field, value: object) -> None:
    assert isinstance(field.expected, tuple)
    table, column, shown = field.expected
    changed = replaced(entry(song()), field.path, value)
    sound = entry(song("good", [artist("good")], album("good", [artist("good")])))
    decoded = snapshot_rows(snapshot([head([sound, changed, sound])], 3))
    tables = build_tables([decoded], DAY, RUN)
    assert rows(tables, "playlist_songs", "position", "song_id") == [(1, "good"), (2, "song-1"), (3, "good")]
    (row,) = tables[table].filter(pl.col(KEYS[table]) != "good").rows(named=True)
    assert row[column] == shown
    assert decoded.nulled == {_receipt_name(field.path): 1}


@_each([field for field in SONG_FIELDS if field.expected == IGNORED])
def test_a_field_that_only_identifies_non_songs_may_have_any_value(field: Field) -> None:
    for changed in (
        *_null_and_absent(entry(song()), field),
        replaced(entry(song()), field.path, WRONG_TYPE),
    ):
        tables = tables_of(changed)
        assert rows(tables, "playlist_songs", "song_id") == ["song-1"]
        assert tables["rejects"].is_empty()


class Invalid(NamedTuple):
    """An invalid value, and its reject reason."""

    path: Path
    value: object
    reason: str


INVALID_VALUES: dict[str, Invalid] = {
    "no artists": Invalid(("item", "artists"), [], "Expected `array` of length >= 1 - at `$.artists`"),
    "null artist": Invalid(("item", "artists"), [None], "Expected `object`, got `null` - at `$.artists[0]`"),
    "empty id": Invalid(("item", "id"), "", "Expected `str` of length >= 1 - at `$.id`"),
    "id is a number": Invalid(("item", "id"), 7, "Expected `str`, got `int` - at `$.id`"),
    "item is a string": Invalid(("item",), "song", "Expected `object`, got `str` - at `$.item`"),
}


@pytest.mark.parametrize("case", INVALID_VALUES.values(), ids=INVALID_VALUES)
def test_the_reject_reason_names_the_expected_type_and_the_path(case: Invalid) -> None:
    assert _only_reject(replaced(entry(song()), case.path, case.value)) == f"malformed: {case.reason}"


def _playlist(response: Json, total: int = 1) -> Json:
    tables = build_tables([snapshot_rows(snapshot([response], total))], DAY, RUN)
    assert tables["playlist_songs"].height + tables["rejects"].height == total
    return only(tables, "playlists")


@_each([field for field in HEAD_FIELDS if isinstance(field.expected, tuple)])
def test_a_playlist_without_an_optional_field_is_published(field: Field) -> None:
    assert isinstance(field.expected, tuple)
    _, column, value = field.expected
    for changed in _null_and_absent(head([entry(song())]), field):
        assert _playlist(changed)[column] == value


@_each([field for field in HEAD_FIELDS if field.expected == REJECTED])
def test_a_playlist_without_a_required_field_fails_and_the_field_is_named(field: Field) -> None:
    for changed in _null_and_absent(head([entry(song())]), field):
        with pytest.raises(PlaylistUnavailable, match=rf"aPlaylist0000000000001.*{field.path[-1]}"):
            _playlist(changed)


@_each([field for field in HEAD_FIELDS if field.expected == REJECTED])
def test_a_required_field_of_a_wrong_type_fails_the_playlist_and_is_named(field: Field) -> None:
    with pytest.raises(PlaylistUnavailable, match=rf"Expected .*\.{field.path[-1]}`"):
        _playlist(replaced(head([entry(song())]), field.path, WRONG_TYPE))


@_each([field for field in HEAD_FIELDS if isinstance(field.expected, tuple)])
def test_an_unusable_optional_field_of_the_playlist_is_null_and_counted(field: Field) -> None:
    assert isinstance(field.expected, tuple)
    response = replaced(head([entry(song())]), field.path, WRONG_TYPE)
    decoded = snapshot_rows(snapshot([response], 1))
    assert only(build_tables([decoded], DAY, RUN), "playlists")[field.expected[1]] == field.expected[2]
    assert decoded.nulled == {f"playlist.{_receipt_name(field.path)}": 1}


class Number(NamedTuple):
    """A JSON number, and the expected column value; None: unusable."""

    text: str
    value: int | None


NUMBERS = [
    Number("156923.0", 156923),
    Number("1.5e5", 150_000),
    Number("-0.0", 0),
    Number("9007199254740992", 2**53),
    Number("9007199254740993", None),
    Number("156923.4", None),
    Number("-1", None),
    Number("1e400", None),
    Number('"156923"', None),
    Number("true", None),
]
COUNTS: list[tuple[Path, str, str]] = [
    (("items", "items", 0, "item", "duration_ms"), "songs", "duration_ms"),
    (("items", "items", 0, "item", "popularity"), "songs", "popularity"),
    (("items", "items", 0, "item", "track_number"), "songs", "track_number"),
    (("items", "items", 0, "item", "disc_number"), "songs", "disc_number"),
    (("items", "items", 0, "item", "album", "total_tracks"), "albums", "total_tracks"),
    (("followers", "total"), "playlists", "follower_count"),
]


@pytest.mark.parametrize("number", NUMBERS, ids=lambda number: number.text)
@pytest.mark.parametrize("count", COUNTS, ids=lambda count: count[2])
def test_a_number_is_judged_by_its_value(count: tuple[Path, str, str], number: Number) -> None:
    path, table, column = count
    response = body(replaced(head([entry(song())]), path, "@@")).replace(b'"@@"', number.text.encode())
    decoded = snapshot_rows(snapshot([response], 1))
    assert only(build_tables([decoded], DAY, RUN), table)[column] == number.value
    assert sum(decoded.nulled.values()) == (number.value is None)


def test_an_unusable_album_artist_is_left_out_and_counted() -> None:
    odd: Any = 5
    two = album(artists=[artist("a"), {"name": "no id"}, odd, artist("b")])
    decoded = snapshot_rows(snapshot([head([entry(song(on=two))])], 1))
    tables = build_tables([decoded], DAY, RUN)
    assert rows(tables, "album_artists", "artist_id") == ["a", "b"]
    assert decoded.nulled == {"album.artists": 2}


class Pages(NamedTuple):
    """Key of the page object in an API shape."""

    shape: Shape
    key: str


PAGES = [Pages("items", "items"), Pages("tracks", "tracks")]


@pytest.mark.parametrize("pages", PAGES, ids=str)
def test_a_page_may_leave_out_its_total(pages: Pages) -> None:
    response, total = head([entry(song())], pages.shape), (pages.key, "total")
    for changed in (
        *_null_and_absent(response, Field(total, IGNORED)),
        replaced(response, total, WRONG_TYPE),
    ):
        assert _playlist(changed)["item_count"] == 1


@pytest.mark.parametrize("pages", PAGES, ids=str)
@pytest.mark.parametrize("field", [(), ("items",)], ids=str)
def test_a_page_of_a_wrong_type_fails_the_playlist(pages: Pages, field: Path) -> None:
    with pytest.raises(
        PlaylistUnavailable, match=rf"Expected .*`\$\.{'.'.join(map(str, (pages.key, *field)))}`"
    ):
        _playlist(replaced(head([entry(song())], pages.shape), (pages.key, *field), WRONG_TYPE))


@pytest.mark.parametrize("pages", PAGES, ids=str)
@pytest.mark.parametrize("field", [(), ("items",)], ids=str)
def test_a_kept_response_without_its_entries_publishes_nothing(pages: Pages, field: Path) -> None:
    response = head([entry(song())], pages.shape)
    for changed in _null_and_absent(response, Field((pages.key, *field), IGNORED)):
        with pytest.raises(
            AccountingError, match=r"counted 1 entries, but the kept responses have 0 songs \+ 0 rejects"
        ):
            _playlist(changed)


@pytest.mark.parametrize("raw", [b"", b"<html>", b'{"id":', b"[]", b"null"], ids=repr)
def test_a_response_that_is_not_a_playlist_fails_it(raw: bytes) -> None:
    with pytest.raises(PlaylistUnavailable, match="aPlaylist0000000000001"):
        snapshot_rows(snapshot([raw], 0))


def test_in_the_old_shape_the_song_is_read_from_track() -> None:
    broken: Any = shaped(entry(song(name=None)), "tracks")
    assert _only_reject(broken) == "malformed: Expected `str`, got `null` - at `$.name`"


def test_every_field_that_is_read_is_tested_here() -> None:
    names = ("Track", "Album", "Artist", "PlaylistHead", "Added", "AddedBy")
    structs = [vars(api_types)[name] for name in names]
    read = {field.encode_name for struct in structs for field in msgspec.structs.fields(struct)}
    assert read == {
        str(field.path[-1])
        for field in SONG_FIELDS + HEAD_FIELDS
        if field.path[-1] not in {"spotify", "isrc", "url", "display_name", "total"}
    }
