"""Transform of arbitrary playlists: each entry is a song or a reject, keys are unique, ids have rows."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.columns import TABLES
from pipeline.errors import AccountingError, PlaylistUnavailable
from pipeline.transform import responses
from pipeline.transform.responses import snapshot_rows
from pipeline.transform.rows import PlaylistRows
from pipeline.transform.tables import Tables, build_tables
from tests.builders import (
    DAY,
    OTHER_PLAYLIST,
    PLAYLIST,
    RUN,
    SHAPES,
    Json,
    Shape,
    album,
    artist,
    body,
    entry,
    head,
    page,
    replaced,
    rows,
    shaped,
    snapshot,
    song,
    without,
)

deterministic = settings(max_examples=20, deadline=None, derandomize=True)

any_text = st.text(st.characters(exclude_categories=()), max_size=12)  # lone surrogates too
any_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | any_text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(any_text, inner, max_size=3),
    max_leaves=6,
)
names = st.text(st.characters(exclude_characters="\0", codec="utf-8"), max_size=5)
artists = st.builds(artist, st.sampled_from("pqr"), name=names)
albums = st.builds(
    album,
    st.sampled_from("XY"),
    st.lists(artists, max_size=3),
    release_date=st.sampled_from(["2024-02-29", "1999-11", "1987", "0000", "", None, "soon"]),
    images=st.sampled_from([None, [], [{"url": "https://cover"}]]),
)
songs = st.builds(song, st.sampled_from("ABC"), st.lists(artists, min_size=1, max_size=3), albums, name=names)
valid = st.builds(entry, songs, added_by=st.sampled_from([None, {"id": ""}, {"id": "user"}]))
PATHS = [
    *[(name,) for name in ("added_at", "added_by", "is_local", "item")],
    *[
        ("item", name)
        for name in ("id", "name", "type", "uri", "album", "artists", "duration_ms", "explicit")
    ],
    *[
        ("item", "album", name)
        for name in ("id", "name", "artists", "release_date", "total_tracks", "images")
    ],
    *[("item", "artists", 0, name) for name in ("id", "name", "external_urls")],
]
valid_with_date = valid.filter(lambda one: one["item"]["album"]["release_date"] != "soon")
malformed = st.builds(replaced, valid, st.sampled_from(PATHS), any_json) | st.builds(
    without, valid, st.sampled_from(PATHS)
)
some = st.lists(valid | malformed | any_json, max_size=7)
# One valid song, so that the playlist does not fail as a changed Web API: see transform/test_api_change.py.
entries: st.SearchStrategy[list[Any]] = st.just([]) | st.tuples(some, valid_with_date).map(
    lambda both: [*both[0], both[1]]
)
shapes = st.sampled_from(SHAPES)


def _in_shape(one: Any, shape: Shape) -> Any:
    return shaped(one, shape) if isinstance(one, dict) else one


def _tables(found: list[Any], shape: Shape, playlist: str = PLAYLIST, split: int = 0) -> Tables:
    first, rest = found[: len(found) - split], found[len(found) - split :]
    received: list[Json] = [head(first, shape, playlist, len(found))]
    if rest:
        received.append(page([_in_shape(one, shape) for one in rest], len(found)))
    return build_tables([snapshot_rows(snapshot(received, len(found), playlist))], DAY, RUN)


def _ids(tables: Tables, table: str, column: str) -> set[str]:
    return set(rows(tables, table, column))


@deterministic
@given(entries, shapes, st.integers(0, 3))
def test_every_entry_is_one_song_or_one_reject(found: list[Any], shape: Shape, split: int) -> None:
    tables = _tables(found, shape, split=min(split, len(found)))
    places = rows(tables, "playlist_songs", "position") + rows(tables, "rejects", "position")
    assert sorted(places) == list(range(1, len(found) + 1))
    assert all(rows(tables, "rejects", "reason"))
    assert rows(tables, "playlists", "item_count") == [len(found)]


@deterministic
@given(entries, shapes)
def test_tables_are_valid_and_keys_are_unique(found: list[Any], shape: Shape) -> None:
    tables = _tables(found, shape)
    assert list(tables) == list(TABLES)
    for table, schema in TABLES.items():
        assert schema.is_valid(tables[table])
        assert tables[table].columns == schema.column_names()
        assert not tables[table].select(schema.primary_key()).is_duplicated().any()


@deterministic
@given(entries, shapes)
def test_every_referenced_id_has_a_row(found: list[Any], shape: Shape) -> None:
    tables = _tables(found, shape)
    assert _ids(tables, "playlist_songs", "song_id") == _ids(tables, "songs", "song_id")
    assert _ids(tables, "song_artists", "song_id") == _ids(tables, "songs", "song_id")
    assert _ids(tables, "songs", "album_id") <= _ids(tables, "albums", "album_id")
    assert _ids(tables, "album_artists", "album_id") <= _ids(tables, "albums", "album_id")
    credited = _ids(tables, "song_artists", "artist_id") | _ids(tables, "album_artists", "artist_id")
    assert credited | _ids(tables, "songs", "artist_id") <= _ids(tables, "artists", "artist_id")


def _last(found: list[Json], of: Callable[[Json], list[Json]]) -> dict[str, str]:
    """Names by id after a loop over all entries: reference for `the last occurrence wins`."""
    return {thing["id"]: thing["name"] for one in found for thing in of(one["item"])}


@deterministic
@given(st.lists(valid_with_date, max_size=8), shapes)
def test_the_last_occurrence_of_songs_albums_and_artists_wins(found: list[Json], shape: Shape) -> None:
    tables = _tables(found, shape)
    assert dict(rows(tables, "songs", "song_id", "name")) == _last(found, lambda item: [item])
    assert dict(rows(tables, "albums", "album_id", "name")) == _last(found, lambda item: [item["album"]])
    assert dict(rows(tables, "artists", "artist_id", "name")) == _last(
        found, lambda item: item["artists"] + item["album"]["artists"]
    )
    credits_of = {one["item"]["id"]: [who["id"] for who in one["item"]["artists"]] for one in found}
    for song_id, names in credits_of.items():
        credited = tables["song_artists"].filter(song_id=song_id).sort("artist_position")["artist_id"]
        assert credited.to_list() == list(dict.fromkeys(names))
    positions = rows(tables, "playlist_songs", "position", "song_id")
    assert positions == [(place, one["item"]["id"]) for place, one in enumerate(found, start=1)]


@deterministic
@given(entries, entries, shapes)
def test_tables_of_a_playlist_do_not_depend_on_other_playlists(
    one: list[Any], other: list[Any], shape: Shape
) -> None:
    decoded = [
        snapshot_rows(snapshot([head(found, shape, id_)], len(found), id_))
        for id_, found in ((PLAYLIST, one), (OTHER_PLAYLIST, other))
    ]
    together = build_tables(decoded, DAY, RUN)
    alone = {PLAYLIST: _tables(one, shape), OTHER_PLAYLIST: _tables(other, shape, OTHER_PLAYLIST)}
    for id_, tables in alone.items():
        for table in TABLES:
            found = together[table].filter(playlist_id=id_).rows()
            assert sorted(found, key=repr) == sorted(tables[table].rows(), key=repr)


@deterministic
@given(entries)
def test_every_shape_gives_the_same_songs(found: list[Any]) -> None:
    first, *others = (
        {table: frame.rows() for table, frame in _tables(found, shape).items() if table != "rejects"}
        for shape in SHAPES
    )
    assert others == [first, first]


@deterministic
@given(entries, shapes)
def test_decoding_typed_pages_and_single_entries_is_equivalent(found: list[Any], shape: Shape) -> None:
    received = [head([one], shape, total=len(found)) for one in found[:1]] or [head([], shape)]
    received += [
        page([_in_shape(one, shape)], len(found), place) for place, one in enumerate(found[1:], start=1)
    ]
    typed = snapshot_rows(snapshot(received, len(found)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(responses, "decode_typed_page", lambda _body: None)
        single = snapshot_rows(snapshot(received, len(found)))
    assert _rows_of(typed) == _rows_of(single)
    assert typed.nulled == single.nulled


def _rows_of(decoded: PlaylistRows) -> dict[str, list[Any]]:
    return {table: frame.rows() for table, frame in build_tables([decoded], DAY, RUN).items()}


spellings = st.sampled_from(["{}.0", "{}.000", "{}e0", "{}E+0", "{}.0e0"])


@deterministic
@given(st.lists(valid, max_size=4), shapes, st.data())
def test_the_notation_of_a_number_makes_no_difference(
    found: list[Json], shape: Shape, data: st.DataObject
) -> None:
    response = body(head(found, shape))
    respelled = re.sub(
        rb": (\d+)(?=[,}])",
        lambda number: b": " + data.draw(spellings).format(number[1].decode()).encode(),
        response,
    )
    assert json.loads(respelled) == json.loads(response)
    same, other = (snapshot_rows(snapshot([one], len(found))) for one in (response, respelled))
    assert _rows_of(same) == _rows_of(other)
    assert same.nulled == other.nulled


TOTAL = 6
pages = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 4), st.booleans()), max_size=5)
sizes = st.lists(st.integers(0, 4), min_size=1, max_size=4)


@deterministic
@given(sizes, st.sampled_from([2, 3, 4]))
def test_pages_whose_size_differs_from_their_limit_are_refused(sizes: list[int], limit: int) -> None:
    """Exceptions: the first page may be empty or larger, the last page smaller."""
    received, filled, fits = [], 0, True
    for number, size in enumerate(sizes):
        shown = [entry(song(f"s-{place}")) for place in range(filled, filled + size)]
        received.append(page(shown, TOTAL, filled) | {"limit": limit})
        is_last = filled + size == TOTAL
        fits &= size == limit or (size < limit and is_last) or (number == 0 and (size > limit or not size))
        filled += size
    received[0] = head([], total=TOTAL) | {"items": received[0]}
    try:
        tables = build_tables([snapshot_rows(snapshot(received, TOTAL))], DAY, RUN)
    except (AccountingError, PlaylistUnavailable):
        assert not fits or filled != TOTAL
        return
    assert fits
    assert rows(tables, "playlist_songs", "song_id") == [f"s-{place}" for place in range(TOTAL)]


@deterministic
@given(st.integers(0, 6), st.integers(0, 4), pages)
def test_pages_are_refused_unless_they_make_up_the_playlist(
    total: int, first: int, further: list[tuple[int, int, bool]]
) -> None:
    """Further pages: offset, number of entries, and whether the response includes the offset."""
    places = [*range(first)]
    received = [head([entry(song(f"s-{place}")) for place in range(first)], total=total)]
    for offset, count, has_offset in further:
        wanted = range(offset, offset + count)
        received.append(page([entry(song(f"s-{place}")) for place in wanted], total, offset))
        if not has_offset:
            del received[-1]["offset"]
        places += wanted
    try:
        tables = build_tables([snapshot_rows(snapshot(received, total))], DAY, RUN)
    except (AccountingError, PlaylistUnavailable):
        assert places != [*range(total)]
        return
    assert rows(tables, "playlist_songs", "position") == [place + 1 for place in range(total)]
    if all(has_offset for _, count, has_offset in further if count):
        assert rows(tables, "playlist_songs", "song_id") == [f"s-{place}" for place in range(total)]
