"""Typed entries to nested rows: what Polars takes apart into tables."""

from typing import Any

import polars as pl

from pipeline.columns import PARTITION, dtypes
from pipeline.transform.api_types import Album, Artist, Image, Link, PlaylistHead, Reject, Song

ARTIST = pl.Struct({"artist_id": pl.String, "name": pl.String, "url": pl.String})


def _own(table: str, *, without: tuple[str, ...] = ()) -> pl.Struct:
    skipped = (*PARTITION, *without)
    return pl.Struct({name: dtype for name, dtype in dtypes(table).items() if name not in skipped})


SONG_ROWS: dict[str, Any] = {
    "playlist_id": pl.String,
    "position": pl.Int64,
    "added_at": dtypes("playlist_songs")["added_at"],
    "added_by": pl.String,
    "song": _own("songs"),
    "album": _own("albums", without=("label", "upc")),
    "song_artists": pl.List(ARTIST),
    "album_artists": pl.List(ARTIST),
}
"""Columns of the frame of accepted entries."""

REJECT_ROWS: dict[str, Any] = {"playlist_id": pl.String} | {
    name: dtype for name, dtype in dtypes("rejects").items() if name in ("position", "reason", "entry")
}
"""Columns of the frame of refused entries."""


def playlist_row(head: PlaylistHead) -> dict[str, Any]:
    """Own columns of `playlists`; a missing `collaborative` means no."""
    return {
        "name": head.name,
        "description": head.description,
        "owner_id": head.owner.id,
        "owner_name": head.owner.display_name,
        "is_public": head.public,
        "is_collaborative": bool(head.collaborative),
        "follower_count": head.followers.total if head.followers else None,
        "url": _url("playlist", head.id, head.external_urls),
        "image_url": _first_image(head.images),
    }


def song_row(playlist_id: str, song: Song) -> dict[str, Any]:
    """One row of `SONG_ROWS`."""
    track = song.track
    return {
        "playlist_id": playlist_id,
        "position": song.position,
        "added_at": song.added_at,
        "added_by": song.added_by,
        "song": {
            "song_id": track.id,
            "name": track.name,
            "album_id": track.album.id,
            "artist_id": track.artists[0].id,
            "duration_ms": track.duration_ms,
            "is_explicit": track.explicit,
            "popularity": track.popularity,
            "disc_number": track.disc_number,
            "track_number": track.track_number,
            "isrc": track.external_ids.isrc if track.external_ids else None,
            "url": _url("track", track.id, track.external_urls),
        },
        "album": _album(song, track.album),
        "song_artists": [_artist(artist) for artist in track.artists],
        "album_artists": [_artist(artist) for artist in track.album.artists or []],
    }


def reject_row(playlist_id: str, reject: Reject) -> dict[str, Any]:
    """One row of `REJECT_ROWS`."""
    return {
        "playlist_id": playlist_id,
        "position": reject.position,
        "reason": reject.reason,
        "entry": reject.entry,
    }


def _album(song: Song, album: Album) -> dict[str, Any]:
    return {
        "album_id": album.id,
        "name": album.name,
        "album_type": album.album_type,
        "release_date": song.release_date,
        "release_date_precision": song.release_date_precision,
        "total_tracks": album.total_tracks,
        "url": _url("album", album.id, album.external_urls),
        "image_url": _first_image(album.images),
    }


def _artist(artist: Artist) -> dict[str, Any]:
    return {
        "artist_id": artist.id,
        "name": artist.name,
        "url": _url("artist", artist.id, artist.external_urls),
    }


def _url(kind: str, id_: str, link: Link | None) -> str:
    return (link.spotify if link else None) or f"https://open.spotify.com/{kind}/{id_}"


def _first_image(images: list[Image] | None) -> str | None:
    return images[0].url if images else None
