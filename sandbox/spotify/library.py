"""Full artist and album objects, derived from the simplified objects in the entries of playlists."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from math import isfinite
from typing import Any, Self

from sandbox.spotify import shapes
from sandbox.spotify.objects import API_URL, Json, identity, images
from sandbox.spotify.seeds import base62, hexadecimal, rng
from sandbox.spotify.words import title

GENRES = ("kettle pop", "ferry folk", "umbrella house", "lo-fi tram", "marmalade metal")
TRACKS_PER_PAGE = 50
MAX_TRACKS = 1000
"""Maximum number of tracks of an album; a recorded total_tracks may be larger."""
_FULL_TRACK_KEYS = {"album", "external_ids", "popularity", "episode", "track"}  # absent in simplified tracks


@dataclass
class Library:
    """Artists and albums by id, and the known tracks of each album by track number."""

    artists: dict[str, Json] = field(default_factory=dict)
    albums: dict[str, Json] = field(default_factory=dict)
    tracks: dict[str, dict[int, Json]] = field(default_factory=dict)

    @classmethod
    def of(cls, entries: Iterable[Json]) -> Self:
        """Collects artists, albums and tracks from entries; recorded entries may have any JSON values."""
        library = cls()
        for entry in filter(None, entries):
            song = entry.get("item") or entry.get("track")
            if isinstance(song, dict) and _has_id(song.get("album")):
                library.add(song)
        return library

    def add(self, song: Json) -> None:
        """Adds a track with its artists and its album."""
        on = song["album"]
        self.albums.setdefault(on["id"], on)
        self.tracks.setdefault(on["id"], {}).setdefault(_as_int(song.get("track_number"), 0), song)
        for artist in (*_as_list(song.get("artists")), *_as_list(on.get("artists"))):
            if _has_id(artist):
                self.artists.setdefault(artist["id"], artist)

    def artist(self, spotify_id: str, _api_url: str = API_URL) -> Json | None:
        """Returns an artist as GET /artists/{id} does."""
        if spotify_id not in self.artists:
            return None
        chance = rng("whole artist", spotify_id)
        return {
            **self.artists[spotify_id],
            "followers": {"href": None, "total": chance.randrange(9_000_000)},
            "genres": sorted(chance.sample(GENRES, chance.choice((0, 0, 0, 1, 2)))),
            "images": images("artist", spotify_id),
            "popularity": chance.randint(0, 100),
        }

    def album(self, spotify_id: str, api_url: str = API_URL) -> Json | None:
        """Returns an album as GET /albums/{id} does."""
        if spotify_id not in self.albums:
            return None
        on, chance = self.albums[spotify_id], rng("whole album", spotify_id)
        label = f"{title('label', spotify_id)} Records"
        total = min(_as_int(on.get("total_tracks"), 1), MAX_TRACKS)
        tracks = [self._track(on, number) for number in range(1, total + 1)]
        return {
            **on,
            "copyrights": [{"text": f"2026 {label}", "type": kind} for kind in "CP"],
            "external_ids": {"upc": f"{int(hexadecimal('upc', spotify_id), 16) % 10**12:012}"},
            "genres": [],
            "label": label,
            "popularity": chance.randint(0, 100),
            "tracks": shapes.paging(tracks, f"{api_url}/albums/{spotify_id}/tracks", 0, TRACKS_PER_PAGE),
        }

    def _track(self, on: Json, number: int) -> Json:
        """Returns a simplified track of an album, invented if no playlist contains it."""
        known = self.tracks[on["id"]]
        own = {"name": title("song", on["id"], number), "track_number": number}
        own |= identity("track", base62("track", on["id"], number))
        song = known.get(number) or {**next(iter(known.values())), **own}
        return {key: value for key, value in song.items() if key not in _FULL_TRACK_KEYS}


def _has_id(value: Any) -> bool:  # any JSON value
    return isinstance(value, dict) and isinstance(value.get("id"), str) and value["id"] != ""


def _as_list(value: Any) -> list[Any]:  # any JSON value
    return value if isinstance(value, list) else []


def _as_int(value: object, default: int) -> int:
    return int(value) if isinstance(value, int | float) and isfinite(value) else default
