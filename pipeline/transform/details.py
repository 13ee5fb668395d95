"""Whole artists and albums: what the entries of a playlist do not say of them."""

from typing import Any

import msgspec
import polars as pl
from msgspec import Raw, Struct

from pipeline.columns import dtypes
from pipeline.transform.api_types import FullAlbum, FullArtist
from pipeline.transform.pages import decode_text
from pipeline.transform.rows import PlaylistRows

Details = dict[str, pl.DataFrame]
"""Columns to add to `artists` and `albums`, one row per id."""


class _Kind(Struct, frozen=True):
    id: str
    columns: tuple[str, ...]
    type: Any


KINDS = {
    "artists": _Kind("artist_id", ("genres", "popularity", "follower_count"), FullArtist),
    "albums": _Kind("album_id", ("label", "upc"), FullAlbum),
}
"""What can be asked for by id."""


def split_details(kind: str, body: bytes) -> list[bytes]:
    """The objects in an answer: those of a batch, null where Spotify knows none, or the answer itself."""
    try:
        batch = decode_text(body, dict[str, Raw]).get(kind)
        return [body] if batch is None else [bytes(one) for one in msgspec.json.decode(batch, type=list[Raw])]
    except ValueError:
        return []


def decode_details(kind: str, body: bytes) -> list[dict[str, Any]]:
    """Rows of one answer; what cannot be read has no row."""
    return [row for one in split_details(kind, body) if (row := _row(kind, one))]


def details_frame(kind: str, rows: list[dict[str, Any]]) -> pl.DataFrame:
    """The last row of each id."""
    key, columns = KINDS[kind].id, KINDS[kind].columns
    schema = {name: dtype for name, dtype in dtypes(kind).items() if name in (key, *columns)}
    return pl.DataFrame(rows, schema=schema).unique(key, keep="last", maintain_order=True)


def wanted_ids(rows: PlaylistRows) -> dict[str, set[str]]:
    """Ids of the artists and albums of a playlist, by kind."""
    return {"artists": set(rows.artists), "albums": set(rows.albums)}


def _row(kind: str, one: bytes) -> dict[str, Any] | None:
    """One object as a row; None where Spotify does not know it, or it is not what it should be."""
    try:
        whole = decode_text(one, KINDS[kind].type | None)
    except ValueError:
        return None
    if isinstance(whole, FullArtist):
        return _artist(whole)
    return _album(whole) if whole else None


def _artist(artist: FullArtist) -> dict[str, Any]:
    return {
        "artist_id": artist.id,
        "genres": None if artist.genres is None else msgspec.json.encode(artist.genres).decode(),
        "popularity": artist.popularity,
        "follower_count": artist.followers.total if artist.followers else None,
    }


def _album(album: FullAlbum) -> dict[str, Any]:
    return {
        "album_id": album.id,
        "label": album.label,
        "upc": album.external_ids.upc if album.external_ids else None,
    }
