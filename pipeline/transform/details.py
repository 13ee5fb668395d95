"""Whole artists and albums: what the entries of a playlist do not say of them."""

from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec
import polars as pl
from msgspec import Raw, Struct

from pipeline.columns import dtypes
from pipeline.transform.api_types import FullAlbum, FullArtist
from pipeline.transform.pages import decode_text, decode_usable
from pipeline.transform.rows import PlaylistRows

Row = dict[str, Any]
"""What is known of one artist or album: its id, and the columns of its kind."""

Details = dict[str, pl.DataFrame]
"""Columns to add to `artists` and `albums`, one row per id."""


class _Kind(Struct, frozen=True):
    id: str
    columns: tuple[str, ...]
    type: type[FullArtist | FullAlbum]


NULL = b"null"

KINDS = {
    "artists": _Kind("artist_id", ("genres", "popularity", "follower_count"), FullArtist),
    "albums": _Kind("album_id", ("label", "upc"), FullAlbum),
}
"""What can be asked for by id."""


class Answer(NamedTuple):
    """What one response says of the ids it was asked for; of an id in neither it cannot be read.

    `rows` by id; `unknown`: Spotify does not know them. `nulled` counts, by path, values that are unusable.
    """

    rows: dict[str, Row]
    unknown: set[str]
    nulled: Counter[str]


def read_answer(kind: str, body: bytes, asked: Sequence[str]) -> Answer:
    """Judges a response to a request for some ids; an object with another id is no detail of theirs."""
    objects, nulled = split_details(kind, body), Counter[str]()
    rows = _by_id(kind, objects, nulled)
    known = {spotify_id: rows[spotify_id] for spotify_id in asked if spotify_id in rows}
    # A batch is in the order of the ids. If it has more or fewer objects, a null belongs to no id.
    nulls = zip(asked, objects, strict=True) if len(objects) == len(asked) else ()
    return Answer(known, {spotify_id for spotify_id, one in nulls if one == NULL} - known.keys(), nulled)


def split_details(kind: str, body: bytes) -> list[bytes]:
    """The objects in a response: those of a batch, null where Spotify knows none, or the response itself."""
    try:
        batch = decode_text(body, dict[str, Raw]).get(kind)
        return [body] if batch is None else [bytes(one) for one in msgspec.json.decode(batch, type=list[Raw])]
    except ValueError:
        return []


def decode_details(kind: str, body: bytes) -> list[Row]:
    """Rows of one response; what cannot be read has no row."""
    return list(_by_id(kind, split_details(kind, body), Counter()).values())


def details_frame(kind: str, rows: list[Row]) -> pl.DataFrame:
    """The last row of each id."""
    key, columns = KINDS[kind].id, KINDS[kind].columns
    schema = {name: dtype for name, dtype in dtypes(kind).items() if name in (key, *columns)}
    return pl.DataFrame(rows, schema=schema).unique(key, keep="last", maintain_order=True)


def wanted_ids(rows: PlaylistRows) -> dict[str, set[str]]:
    """Ids of the artists and albums of a playlist, by kind."""
    return {"artists": set(rows.artists), "albums": set(rows.albums)}


def _by_id(kind: str, objects: list[bytes], nulled: Counter[str]) -> dict[str, Row]:
    """The last row of each id; what is not the object that it should be has none."""
    rows = (_row(whole) for one in objects if (whole := _whole(kind, one, nulled)))
    return {row[KINDS[kind].id]: row for row in rows}


def _whole(kind: str, one: bytes, nulled: Counter[str]) -> FullArtist | FullAlbum | None:
    """One object; None for null, and where it has no usable id. Unusable side fields are null."""
    if one == NULL:
        return None
    unusable = Counter[str]()
    try:
        whole = decode_usable(one, KINDS[kind].type, unusable, kind)
    except ValueError:
        return None
    nulled.update(unusable)
    if isinstance(whole, FullArtist) and unusable["artists.genres"]:
        whole.genres = None  # the rest of a list would pass for the whole list
    return whole


def _row(whole: FullArtist | FullAlbum) -> Row:
    return _artist(whole) if isinstance(whole, FullArtist) else _album(whole)


def _artist(artist: FullArtist) -> Row:
    return {
        "artist_id": artist.id,
        "genres": None if artist.genres is None else msgspec.json.encode(artist.genres).decode(),
        "popularity": artist.popularity,
        "follower_count": artist.followers.total if artist.followers else None,
    }


def _album(album: FullAlbum) -> Row:
    return {
        "album_id": album.id,
        "label": album.label,
        "upc": album.external_ids.upc if album.external_ids else None,
    }
