"""Kept snapshots of one date to the tables of their partitions: pure Polars."""

from collections.abc import Iterable
from datetime import date, datetime
from itertools import chain, islice
from typing import Any, NamedTuple

import polars as pl

from pipeline.columns import TABLES, dtypes
from pipeline.errors import AccountingError, Code, PlaylistUnavailable
from pipeline.records import Envelope, Snapshot
from pipeline.transform.api_types import Song
from pipeline.transform.details import KINDS, Details
from pipeline.transform.drift import refuse_drift
from pipeline.transform.entries import decode_entries
from pipeline.transform.pages import decode_head
from pipeline.transform.rows import REJECT_ROWS, SONG_ROWS, playlist_row, reject_row, song_row

Tables = dict[str, pl.DataFrame]


class PlaylistRows(NamedTuple):
    """Rows of one snapshot, still nested: the playlist, its songs, its rejects."""

    playlist: dict[str, Any]
    songs: list[dict[str, Any]]
    rejects: list[dict[str, Any]]

    @property
    def entries(self) -> int:
        """Songs and rejects."""
        return len(self.songs) + len(self.rejects)

    @property
    def playlist_id(self) -> str:
        """Whose rows they are."""
        return str(self.playlist["playlist_id"])

    @property
    def fetched_at(self) -> datetime:
        """When the first page was requested."""
        fetched_at: datetime = self.playlist["fetched_at"]
        return fetched_at


def snapshot_rows(snapshot: Snapshot) -> PlaylistRows:
    """Decodes the answers of one playlist.

    Raises PlaylistUnavailable where the playlist itself cannot be read or no song has a field that every
    song needs, AccountingError where total = songs + rejects does not hold.
    """
    envelope, bodies = snapshot.envelope, iter(snapshot.bodies)
    try:
        first = next(bodies, b"")
        rows = PlaylistRows(_playlist(envelope, first), [], [])
        # One more than there should be proves a surplus; a damaged file may hold millions.
        entries = list(islice(decode_entries(chain([first], bodies)), envelope.total + 1))
    except ValueError as error:
        message = (
            f"playlist {envelope.playlist_id}: the answer is not what every playlist has: {error}. "
            "It is kept in the lake; if this lasts, the Web API has changed"
        )
        raise PlaylistUnavailable(message, Code.SPOTIFY_API_CHANGED) from error
    for entry in entries:
        if isinstance(entry, Song):
            rows.songs.append(song_row(envelope.playlist_id, entry))
        else:
            rows.rejects.append(reject_row(envelope.playlist_id, entry))
    if envelope.total != len(entries):
        counted = f"{len(rows.songs)} songs + {len(rows.rejects)} rejects"
        found = "a surplus" if len(entries) > envelope.total else counted
        message = (
            f"playlist {envelope.playlist_id}, fetched at {envelope.fetched_at}: Spotify counted "
            f"{envelope.total} entries, the kept responses hold {found}. Nothing was published. "
            "Report it; until then leave the playlist or its date out"
        )
        raise AccountingError(message, Code.ENTRIES_LOST)
    refuse_drift(envelope.playlist_id, len(rows.songs), [row["reason"] for row in rows.rejects])
    return rows


def build_tables(
    decoded: Iterable[PlaylistRows], snapshot_date: date, run_id: str, details: Details | None = None
) -> Tables:
    """All tables of one date, validated; each starts with playlist_id, snapshot_date, run_id.

    `details` adds what is known of whole artists and albums; without them those columns are null.
    """
    decoded, details = list(decoded), details or {}
    songs = pl.DataFrame([row for rows in decoded for row in rows.songs], schema=SONG_ROWS)
    rejects = pl.DataFrame([row for rows in decoded for row in rows.rejects], schema=REJECT_ROWS)
    playlists = pl.DataFrame([rows.playlist for rows in decoded], schema=_PLAYLIST_ROWS)
    frames = {
        "playlists": playlists,
        "playlist_songs": _playlist_songs(songs),
        "songs": _last(songs, "song").unnest("song"),
        "albums": _detailed("albums", _last(songs, "album").unnest("album"), details),
        "artists": _detailed("artists", _artists(songs), details),
        "song_artists": _credits(songs, "song"),
        "album_artists": _credits(songs, "album"),
        "rejects": rejects,
    }
    return {table: _validated(table, frames[table], snapshot_date, run_id) for table in TABLES}


_PLAYLIST_ROWS: dict[str, Any] = {
    name: dtype for name, dtype in dtypes("playlists").items() if name not in ("snapshot_date", "run_id")
}


def _playlist(envelope: Envelope, first: bytes) -> dict[str, Any]:
    return {
        "playlist_id": envelope.playlist_id,
        **playlist_row(decode_head(first)),
        "snapshot_id": envelope.snapshot_id,
        "item_count": envelope.total,
        "fetched_at": envelope.fetched_at,
    }


def _playlist_songs(songs: pl.DataFrame) -> pl.DataFrame:
    song_id = pl.col("song").struct.field("song_id")
    return songs.select("playlist_id", "position", song_id, "added_at", "added_by")


def _last(songs: pl.DataFrame, thing: str) -> pl.DataFrame:
    """The last occurrence of each song or album of a playlist, by position."""
    key = pl.col(thing).struct.field(f"{thing}_id")
    return (
        songs.with_columns(key.alias("key"))
        .unique(["playlist_id", "key"], keep="last", maintain_order=True)
        .select("playlist_id", thing, f"{thing}_artists")
    )


def _credits(songs: pl.DataFrame, thing: str) -> pl.DataFrame:
    """Artists of the last occurrence of each song or album; one named twice keeps its first place."""
    key = pl.col(thing).struct.field(f"{thing}_id")
    return (
        _exploded(_last(songs, thing).with_columns(key), f"{thing}_artists")
        .unique(["playlist_id", f"{thing}_id", "artist_id"], keep="first", maintain_order=True)
        .select("playlist_id", f"{thing}_id", "artist_id", "artist_position")
    )


def _artists(songs: pl.DataFrame) -> pl.DataFrame:
    """Artists of every song and album; the last occurrence wins, album artists after song artists."""
    credited = [
        _exploded(songs, column).select("playlist_id", "position", pl.lit(order).alias("order"), *_ARTIST)
        for order, column in enumerate(("song_artists", "album_artists"))
    ]
    return (
        pl.concat(credited)
        .sort("playlist_id", "position", "order", "artist_position", maintain_order=True)
        .unique(["playlist_id", "artist_id"], keep="last", maintain_order=True)
        .select("playlist_id", "artist_id", "name", "url")
    )


def _detailed(table: str, frame: pl.DataFrame, details: Details) -> pl.DataFrame:
    """The frame with what is known of its artists or albums beside it."""
    if table not in details:
        return frame
    return frame.join(details[table], on=KINDS[table].id, how="left", maintain_order="left")


_ARTIST = ("artist_position", "artist_id", "name", "url")


def _exploded(frame: pl.DataFrame, artists: str) -> pl.DataFrame:
    """One row per artist of the list, with `artist_position` from 1."""
    credited = frame.filter(pl.col(artists).list.len() > 0)
    places = pl.int_ranges(1, pl.col(artists).list.len() + 1, dtype=pl.Int64)
    return (
        credited.select(
            pl.exclude(artists, "name", "url"),
            places.alias("artist_position"),
            pl.col(artists).alias("artist"),
        )
        .explode("artist_position", "artist")
        .unnest("artist")
    )


def _validated(table: str, frame: pl.DataFrame, snapshot_date: date, run_id: str) -> pl.DataFrame:
    """The frame with all columns of the table in order; what only enrichment knows is null."""
    constants = {"snapshot_date": pl.lit(snapshot_date), "run_id": pl.lit(run_id)}
    known = {name: pl.col(name) for name in frame.columns} | constants
    ordered = frame.select(
        known.get(name, pl.lit(None)).cast(dtype).alias(name) for name, dtype in dtypes(table).items()
    )
    return TABLES[table].validate(ordered)
