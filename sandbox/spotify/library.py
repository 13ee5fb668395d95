"""Whole artists and albums, made of the short forms in which the entries of playlists have them."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from math import isfinite
from typing import Any, Self

from sandbox.spotify import shapes
from sandbox.spotify.objects import API_URL, Json, identity, images
from sandbox.spotify.seeds import base62, hexadecimal, rng
from sandbox.spotify.words import title

GENRES = ("kettle pop", "ferry folk", "umbrella house", "lo-fi tram", "marmalade metal")
TRACKS = 50  # of an album, at most, in its response
MOST_TRACKS = 1000  # of an album, whatever a recording says
_ONLY_WHOLE = {"album", "external_ids", "popularity", "episode", "track"}  # keys that an album's tracks lack


@dataclass
class Library:
    """Artists and albums by id, and the tracks that are known of each album by number."""

    artists: dict[str, Json] = field(default_factory=dict)
    albums: dict[str, Json] = field(default_factory=dict)
    tracks: dict[str, dict[int, Json]] = field(default_factory=dict)

    @classmethod
    def of(cls, entries: Iterable[Json]) -> Self:
        """Collects what occurs in entries of playlists, under `item` or `track`; recorded ones may be odd."""
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
        self.tracks.setdefault(on["id"], {}).setdefault(_whole(song.get("track_number"), 0), song)
        for artist in (*_listed(song.get("artists")), *_listed(on.get("artists"))):
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
        total = min(_whole(on.get("total_tracks"), 1), MOST_TRACKS)
        tracks = [self._track(on, number) for number in range(1, total + 1)]
        return {
            **on,
            "copyrights": [{"text": f"2026 {label}", "type": kind} for kind in "CP"],
            "external_ids": {"upc": f"{int(hexadecimal('upc', spotify_id), 16) % 10**12:012}"},
            "genres": [],
            "label": label,
            "popularity": chance.randint(0, 100),
            "tracks": shapes.paging(tracks, f"{api_url}/albums/{spotify_id}/tracks", 0, TRACKS),
        }

    def _track(self, on: Json, number: int) -> Json:
        """Returns a track of an album in the short form, made up where no playlist has it."""
        known = self.tracks[on["id"]]
        own = {"name": title("song", on["id"], number), "track_number": number}
        own |= identity("track", base62("track", on["id"], number))
        song = known.get(number) or {**next(iter(known.values())), **own}
        return {key: value for key, value in song.items() if key not in _ONLY_WHOLE}


def _has_id(value: Any) -> bool:  # any JSON value
    return isinstance(value, dict) and isinstance(value.get("id"), str) and value["id"] != ""


def _listed(value: Any) -> list[Any]:  # any JSON value
    return value if isinstance(value, list) else []


def _whole(value: object, default: int) -> int:
    return int(value) if isinstance(value, int | float) and isfinite(value) else default
