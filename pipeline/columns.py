"""Tables, columns, types and validation rules: the only place where they are defined.

DDL of tables, views, landing tables and pipes (`sql/setup/generated`), COPY column lists, CSV headers and
`docs/tables.md` are generated from this module or checked against it. One class per table; `metadata["doc"]`
is the column's description in the docs. docs/architecture.md lists the steps for a new column.
"""

from collections.abc import Iterator, Mapping
from functools import cache

import dataframely as dy
import polars as pl


def _text(doc: str, *, nullable: bool = False) -> dy.String:
    return dy.String(nullable=nullable, metadata={"doc": doc})


def _id(doc: str, *, key: bool = False, nullable: bool = False) -> dy.String:
    return dy.String(primary_key=key, nullable=nullable, min_length=1, metadata={"doc": doc})


def _count(doc: str, *, key: bool = False, nullable: bool = False) -> dy.Int64:
    return dy.Int64(primary_key=key, nullable=nullable, min=0, metadata={"doc": doc})


def _position(doc: str, *, key: bool = False) -> dy.Int64:
    return dy.Int64(primary_key=key, nullable=False, min=1, metadata={"doc": doc})


def _flag(doc: str, *, nullable: bool = False) -> dy.Bool:
    return dy.Bool(nullable=nullable, metadata={"doc": doc})


def _time(doc: str, *, nullable: bool = False) -> dy.Datetime:
    return dy.Datetime(nullable=nullable, time_unit="ms", time_zone="UTC", metadata={"doc": doc})


class Partition(dy.Schema):
    """First columns of every table. A load replaces complete (playlist_id, snapshot_date) partitions."""

    playlist_id = dy.String(primary_key=True, min_length=1, metadata={"doc": "Spotify id of the playlist"})
    snapshot_date = dy.Date(primary_key=True, metadata={"doc": "date of the snapshot (UTC)"})
    run_id = dy.String(nullable=False, min_length=1, metadata={"doc": "run that loaded the row"})


class Playlists(Partition):
    """One row per partition. Empty playlists have a row, too."""

    name = _text("name of the playlist")
    description = _text("description, as HTML text", nullable=True)
    owner_id = _text("user id of the owner")
    owner_name = _text("display name of the owner", nullable=True)
    is_public = _flag("shown on the owner's profile; null if Spotify does not send it", nullable=True)
    is_collaborative = _flag("users other than the owner can edit it")
    follower_count = _count("followers; null for restricted apps", nullable=True)
    snapshot_id = _id("Spotify's version of the playlist; the same id means the same content")
    item_count = _count("entries, as counted by Spotify; equals the rows in playlist_songs plus rejects")
    url = _text("link to the playlist")
    image_url = _text("first cover image", nullable=True)
    fetched_at = _time("time of the request for the first page, UTC; ranks snapshots of the same date")


class PlaylistSongs(Partition):
    """Songs of the playlist by position. Rejected entries leave gaps in the positions."""

    position = _position("position in the playlist, from 1", key=True)
    song_id = _id("song at this position")
    added_at = _time("when the entry was added, UTC; null if unknown", nullable=True)
    added_by = _id("id of the user who added it; null if unknown", nullable=True)


class Songs(Partition):
    """Songs of the playlist. If a song occurs several times, the values are those of its last occurrence."""

    song_id = _id("Spotify id of the song (track)", key=True)
    name = _text("title")
    album_id = _id("album of the song")
    artist_id = _id("first artist; song_artists has all artists")
    duration_ms = _count("length in milliseconds; null if Spotify sends no usable value", nullable=True)
    is_explicit = _flag("explicit lyrics; null if Spotify sends no usable value", nullable=True)
    popularity = _count("0 to 100, when fetched; null for restricted apps", nullable=True)
    disc_number = _count("disc of the album; null if Spotify sends no usable value", nullable=True)
    track_number = _count("track number on the disc; null if Spotify sends no usable value", nullable=True)
    isrc = _text("International Standard Recording Code", nullable=True)
    url = _text("link to the song")


class Albums(Partition):
    """Albums of the playlist's songs."""

    album_id = _id("Spotify id of the album", key=True)
    name = _text("title; null if Spotify sends no usable value", nullable=True)
    album_type = _text("album, single or compilation; null if Spotify sends no usable value", nullable=True)
    release_date = dy.Date(
        nullable=True, metadata={"doc": "release date; the first day if only year or month is known"}
    )
    release_date_precision = _text("precision of the date at Spotify: year, month or day", nullable=True)
    total_tracks = _count("tracks on the album; null if Spotify sends no usable value", nullable=True)
    label = _text("record label; null unless the run used enrich", nullable=True)
    upc = _text("Universal Product Code; null unless the run used enrich", nullable=True)
    url = _text("link to the album")
    image_url = _text("first cover image", nullable=True)


class Artists(Partition):
    """Artists of the songs and of their albums."""

    artist_id = _id("Spotify id of the artist", key=True)
    name = _text("name; null if Spotify sends no usable value", nullable=True)
    url = _text("link to the artist")
    genres = _text("JSON list of genres; null unless the run used enrich", nullable=True)
    popularity = _count("0 to 100, when fetched; null unless the run used enrich", nullable=True)
    follower_count = _count("followers; null unless the run used enrich", nullable=True)


class SongArtists(Partition):
    """Artists of each song, in Spotify's order."""

    song_id = _id("song", key=True)
    artist_id = _id("artist of the song", key=True)
    artist_position = _position("position in Spotify's list of the song's artists, from 1")


class AlbumArtists(Partition):
    """Artists of each album, in Spotify's order."""

    album_id = _id("album", key=True)
    artist_id = _id("artist of the album", key=True)
    artist_position = _position("position in Spotify's list of the album's artists, from 1")


class Rejects(Partition):
    """Entries of the playlist that are not songs, with the reason. No entry is lost."""

    position = _position("position in the playlist, from 1", key=True)
    reason = _id("why the entry is not in playlist_songs; docs/runbook.md explains each reason")
    entry = _text("the entry as JSON text")


TABLES: dict[str, type[dy.Schema]] = {
    "playlists": Playlists,
    "playlist_songs": PlaylistSongs,
    "songs": Songs,
    "albums": Albums,
    "artists": Artists,
    "song_artists": SongArtists,
    "album_artists": AlbumArtists,
    "rejects": Rejects,
}
"""Tables by name without `_history`, in the order in which they are loaded."""

PARTITION = tuple(Partition.column_names())


def history(table: str) -> str:
    """Name of the warehouse table that holds all partitions of `table`."""
    return f"{table}_history"


def landing(table: str) -> str:
    """Name of the warehouse table into which a pipe loads the rows of `table`."""
    return f"{table}_landing"


def pipe(table: str) -> str:
    """Name of the pipe that loads the landing table of `table`."""
    return f"{table}_pipe"


@cache
def dtypes(table: str) -> Mapping[str, pl.DataType]:
    """Polars dtype of each column, in order."""
    return {name: column.dtype for name, column in TABLES[table].columns().items()}


def columns(table: str) -> Iterator[tuple[str, str, bool, str]]:
    """Name, Snowflake type, nullable and doc of each column, in order."""
    for name, column in TABLES[table].columns().items():
        yield name, SNOWFLAKE_TYPES[type(column)], column.nullable, (column.metadata or {})["doc"]


SNOWFLAKE_TYPES: dict[type[dy.Column], str] = {
    dy.String: "VARCHAR",
    dy.Int64: "NUMBER(38, 0)",
    dy.Bool: "BOOLEAN",
    dy.Date: "DATE",
    dy.Datetime: "TIMESTAMP_NTZ(3)",
}
