"""Details of artists and albums (genres, labels …), which playlist entries lack: responses to columns."""

from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec
import polars as pl
from msgspec import Raw, Struct

from pipeline.columns import dtypes
from pipeline.transform.api_types import FullAlbum, FullArtist
from pipeline.transform.pages import decode_replacing, decode_usable_fields
from pipeline.transform.rows import PlaylistRows

Row = dict[str, Any]
"""Details of one artist or album: its id, and the columns of its kind."""

Details = dict[str, pl.DataFrame]
"""Columns to join to the tables `artists` and `albums`, one row per id."""


class _Kind(Struct, frozen=True):
    id: str
    columns: tuple[str, ...]
    type: type[FullArtist | FullAlbum]


NULL = b"null"

KINDS = {
    "artists": _Kind("artist_id", ("genres", "popularity", "follower_count"), FullArtist),
    "albums": _Kind("album_id", ("label", "upc"), FullAlbum),
}
"""Kinds of objects whose details are requested by id."""


class DetailsResponse(NamedTuple):
    """One response, sorted by requested id.

    `rows`: details by id. `unknown`: ids that Spotify does not know. Any other id: unreadable object.
    `nulled`: number of unusable values, by path.
    """

    rows: dict[str, Row]
    unknown: set[str]
    nulled: Counter[str]


def read_response(kind: str, body: bytes, requested: Sequence[str]) -> DetailsResponse:
    """Decodes the response to a request for some ids; objects with other ids are ignored."""
    objects, nulled = split_details(kind, body), Counter[str]()
    rows = _rows_by_id(kind, objects, nulled)
    known = {spotify_id: rows[spotify_id] for spotify_id in requested if spotify_id in rows}
    # A batch has the order of the ids. If it has more or fewer objects, a null cannot be assigned to an id.
    pairs = zip(requested, objects, strict=True) if len(objects) == len(requested) else ()
    unknown = {spotify_id for spotify_id, text in pairs if text == NULL} - known.keys()
    return DetailsResponse(known, unknown, nulled)


def split_details(kind: str, body: bytes) -> list[bytes]:
    """The JSON texts of a response's objects: the items of a batch, or the response itself.

    In a batch, null stands for an unknown id. Empty if the response has another form.
    """
    try:
        batch = decode_replacing(body, dict[str, Raw]).get(kind)
        return [body] if batch is None else list(map(bytes, msgspec.json.decode(batch, type=list[Raw])))
    except ValueError:
        return []


def decode_details(kind: str, body: bytes) -> list[Row]:
    """Rows of one response; an unreadable object has no row."""
    return list(_rows_by_id(kind, split_details(kind, body), Counter()).values())


def details_frame(kind: str, rows: list[Row]) -> pl.DataFrame:
    """A frame of the rows; the last row of each id wins."""
    key, columns = KINDS[kind].id, KINDS[kind].columns
    schema = {name: dtype for name, dtype in dtypes(kind).items() if name in (key, *columns)}
    return pl.DataFrame(rows, schema=schema).unique(key, keep="last", maintain_order=True)


def wanted_ids(rows: PlaylistRows) -> dict[str, set[str]]:
    """Ids of the artists and albums of a playlist, by kind."""
    return {"artists": set(rows.artists), "albums": set(rows.albums)}


def _rows_by_id(kind: str, objects: list[bytes], nulled: Counter[str]) -> dict[str, Row]:
    """Rows of the readable objects; the last row of each id wins."""
    rows = (_row(full) for text in objects if (full := _decoded(kind, text, nulled)))
    return {row[KINDS[kind].id]: row for row in rows}


def _decoded(kind: str, text: bytes, nulled: Counter[str]) -> FullArtist | FullAlbum | None:
    """One object; None for null or without a usable id. Other unusable fields are null and counted."""
    if text == NULL:
        return None
    unusable = Counter[str]()
    try:
        full = decode_usable_fields(text, KINDS[kind].type, unusable, kind)
    except ValueError:
        return None
    nulled.update(unusable)
    if isinstance(full, FullArtist) and unusable["artists.genres"]:
        full.genres = None  # a list of only the usable genres would look complete
    return full


def _row(full: FullArtist | FullAlbum) -> Row:
    return _artist(full) if isinstance(full, FullArtist) else _album(full)


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
