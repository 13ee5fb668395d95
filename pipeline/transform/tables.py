"""Builds the tables of one date from its decoded snapshots, in Polars."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from typing import Any

import polars as pl

from pipeline.columns import dtypes
from pipeline.transform.api_types import Album, Image, Link, Track
from pipeline.transform.details import KINDS, Details
from pipeline.transform.release_dates import release_date
from pipeline.transform.rows import PlaylistRows
from pipeline.transform.validation import validated

Tables = dict[str, pl.DataFrame]
Columns = Mapping[str, Sequence[Any]]
"""Values by column; times in milliseconds since 1970."""


def build_tables(
    decoded: Iterable[PlaylistRows], snapshot_date: date, run_id: str, details: Details | None = None
) -> Tables:
    """All tables of one date, validated; each starts with playlist_id, snapshot_date, run_id.

    `details`: detail columns of artists and albums; an id without details has nulls there.
    """
    decoded, details = list(decoded), details or {}
    return {
        table: _table(table, columns(decoded), details.get(table), snapshot_date, run_id)
        for table, columns in COLUMNS.items()
    }


def _table(
    table: str, columns: Columns, details: pl.DataFrame | None, snapshot_date: date, run_id: str
) -> pl.DataFrame:
    """All columns of the table in order; columns in neither `columns` nor `details` are constant or null."""
    types = dtypes(table)
    frame = pl.DataFrame(columns, schema={name: types[name] for name in columns})
    if details is not None:
        frame = frame.join(details, on=KINDS[table].id, how="left", maintain_order="left")
    constants = {"snapshot_date": snapshot_date, "run_id": run_id}
    ordered = [
        frame[name]
        if name in frame.columns
        else pl.Series(name, [constants.get(name)], dtype).new_from_index(0, frame.height)
        for name, dtype in types.items()
    ]
    return validated(table, pl.DataFrame(ordered))


def _playlists(decoded: list[PlaylistRows]) -> Columns:
    heads = [one.head for one in decoded]
    envelopes = [one.envelope for one in decoded]
    return {
        "playlist_id": [one.playlist_id for one in envelopes],
        "name": [head.name for head in heads],
        "description": [head.description for head in heads],
        "owner_id": [head.owner.id for head in heads],
        "owner_name": [head.owner.display_name for head in heads],
        "is_public": [head.public for head in heads],
        "is_collaborative": [bool(head.collaborative) for head in heads],
        "follower_count": [head.followers.total if head.followers else None for head in heads],
        "snapshot_id": [one.snapshot_id for one in envelopes],
        "item_count": [one.total for one in envelopes],
        "url": [_url("playlist", head.id, head.external_urls) for head in heads],
        "image_url": [_first_image(head.images) for head in heads],
        "fetched_at": [one.fetched_at for one in envelopes],
    }


def _playlist_songs(decoded: list[PlaylistRows]) -> Columns:
    return {
        "playlist_id": _ids(decoded, lambda rows: rows.positions),
        "position": [position for rows in decoded for position in rows.positions],
        "song_id": [song_id for rows in decoded for song_id in rows.song_ids],
        "added_at": [added_at for rows in decoded for added_at in rows.added_at],
        "added_by": [added_by for rows in decoded for added_by in rows.added_by],
    }


def _songs(decoded: list[PlaylistRows]) -> Columns:
    songs = [song for rows in decoded for song in rows.songs.values()]
    return {
        "playlist_id": _ids(decoded, lambda rows: rows.songs),
        "song_id": [song.id for song in songs],
        "name": [song.name for song in songs],
        "album_id": [song.album.id for song in songs],
        "artist_id": [song.artists[0].id for song in songs],
        "duration_ms": [song.duration_ms for song in songs],
        "is_explicit": [song.explicit for song in songs],
        "popularity": [song.popularity for song in songs],
        "disc_number": [song.disc_number for song in songs],
        "track_number": [song.track_number for song in songs],
        "isrc": [song.external_ids.isrc if song.external_ids else None for song in songs],
        "url": [_url("track", song.id, song.external_urls) for song in songs],
    }


def _albums(decoded: list[PlaylistRows]) -> Columns:
    albums = [album for rows in decoded for album in rows.albums.values()]
    released = [release_date(album) for album in albums]
    return {
        "playlist_id": _ids(decoded, lambda rows: rows.albums),
        "album_id": [album.id for album in albums],
        "name": [album.name for album in albums],
        "album_type": [album.album_type for album in albums],
        "release_date": [day for day, _ in released],
        "release_date_precision": [precision for _, precision in released],
        "total_tracks": [album.total_tracks for album in albums],
        "url": [_url("album", album.id, album.external_urls) for album in albums],
        "image_url": [_first_image(album.images) for album in albums],
    }


def _artists(decoded: list[PlaylistRows]) -> Columns:
    artists = [artist for rows in decoded for artist in rows.artists.values()]
    return {
        "playlist_id": _ids(decoded, lambda rows: rows.artists),
        "artist_id": [artist.id for artist in artists],
        "name": [artist.name for artist in artists],
        "url": [_url("artist", artist.id, artist.external_urls) for artist in artists],
    }


def _song_artists(decoded: list[PlaylistRows]) -> Columns:
    return _credits("song_id", ((rows, rows.songs.values()) for rows in decoded))


def _album_artists(decoded: list[PlaylistRows]) -> Columns:
    return _credits("album_id", ((rows, rows.albums.values()) for rows in decoded))


def _credits(key: str, snapshots: Iterable[tuple[PlaylistRows, Iterable[Track | Album]]]) -> Columns:
    """Artists of songs or albums, with their position from 1; a repeated artist keeps the first position."""
    columns: dict[str, list[Any]] = {"playlist_id": [], key: [], "artist_id": [], "artist_position": []}
    for rows, credited in snapshots:
        positions: dict[tuple[str, str], int] = {}
        for one in credited:
            for position, artist in enumerate(one.artists or (), start=1):
                positions.setdefault((one.id, artist.id), position)
        columns["playlist_id"] += [rows.playlist_id] * len(positions)
        columns[key] += [id_ for id_, _ in positions]
        columns["artist_id"] += [artist_id for _, artist_id in positions]
        columns["artist_position"] += positions.values()
    return columns


def _rejects(decoded: list[PlaylistRows]) -> Columns:
    rejects = [reject for rows in decoded for reject in rows.rejects]
    return {
        "playlist_id": _ids(decoded, lambda rows: rows.rejects),
        "position": [position for position, _ in rejects],
        "reason": [reject.reason for _, reject in rejects],
        "entry": [reject.entry for _, reject in rejects],
    }


COLUMNS: Mapping[str, Callable[[list[PlaylistRows]], Columns]] = {
    "playlists": _playlists,
    "playlist_songs": _playlist_songs,
    "songs": _songs,
    "albums": _albums,
    "artists": _artists,
    "song_artists": _song_artists,
    "album_artists": _album_artists,
    "rejects": _rejects,
}
"""Builder of each table's columns, in the order of TABLES."""


def _ids(decoded: list[PlaylistRows], part: Callable[[PlaylistRows], Any]) -> list[str]:
    """The column playlist_id: the id of each snapshot, once per row of `part`."""
    return [playlist_id for rows in decoded for playlist_id in [rows.playlist_id] * len(part(rows))]


def _url(kind: str, id_: str, link: Link | None) -> str:
    return (link.spotify if link else None) or f"https://open.spotify.com/{kind}/{id_}"


def _first_image(images: list[Image] | None) -> str | None:
    return images[0].url if images else None
