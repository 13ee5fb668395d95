"""The songs of an invented world: released day by day, popular for a while, some of them twice.

Every number follows from the song and the day alone, so any day can be asked for first.
"""

import heapq
from datetime import date
from functools import lru_cache
from itertools import accumulate
from math import exp
from random import Random
from typing import NamedTuple

from sandbox.spotify.objects import Json, album, identity, track
from sandbox.spotify.seeds import base62, noise, rng
from sandbox.spotify.words import ARTISTS, artist_names, title

CHART_LENGTH = 50
REMEMBERED = 365  # days after which no song is in a chart any more
ERA = 40  # days in which an artist's songs are on one album
PREFERENCE = tuple(accumulate(1 / (rank + 6) for rank in range(ARTISTS)))  # few artists have most of the hits
LINE_UPS = (60, 24, 8, 3, 1.5, 1, 0.8, 0.6, 0.6, 0.5)  # weights of 1-10 artists on one song
RENAMED_AFTER = 12  # days after the release
OFTEN, SELDOM = 0.5, 0.08


class Song(NamedTuple):
    """A song and how its popularity will run; ages in days."""

    released: int  # ordinal of the day
    number: int  # among the songs of that day
    strength: float
    fades: float
    revival: int


@lru_cache(maxsize=4096)
def releases(ordinal: int) -> tuple[Song, ...]:
    """Returns the songs released on a day."""
    chance = rng("releases", ordinal)
    return tuple(
        Song(
            released=ordinal,
            number=number,
            strength=chance.gauss(0, 1),
            fades=chance.uniform(18, 70),
            revival=chance.randint(50, 200) if chance.random() < SELDOM else REMEMBERED,
        )
        for number in range(chance.randint(1, 3))
    )


def score(song: Song, ordinal: int, chart: str) -> float:
    """How popular a song is on a day in a chart: climbing first, fading slowly, perhaps coming back."""
    age, name = ordinal - song.released, (song.released, song.number)
    week, part = divmod(ordinal, 7)
    mood = noise(*name, chart, week) * (7 - part) / 7 + noise(*name, chart, week + 1) * part / 7
    again = 1.8 * exp((song.revival - age) / 12) if age >= song.revival else 0.0
    taste = 0.7 * noise(*name, chart)
    return song.strength + taste - 1.8 * exp(-age / 4) - age / song.fades + again + 0.2 * mood


@lru_cache(maxsize=256)
def chart_of(chart: str, ordinal: int) -> tuple[Song, ...]:
    """Returns the 50 most popular songs of a day, best first."""
    candidates = (song for day in range(ordinal - REMEMBERED, ordinal + 1) for song in releases(day))
    return tuple(heapq.nlargest(CHART_LENGTH, candidates, key=lambda song: score(song, ordinal, chart)))


def popularity(song: Song, ordinal: int) -> int:
    """Returns Spotify's number from 0 to 100."""
    return round(min(100, max(0, 70 + 14 * score(song, ordinal, "popularity"))))


def artist(rank: int) -> Json:
    """Returns an artist of the world, rank 0 the most popular one."""
    return {"name": artist_names()[rank], **identity("artist", base62("artist", rank))}


def _line_up(chance: Random) -> list[int]:
    (size,) = chance.choices(range(1, len(LINE_UPS) + 1), LINE_UPS)
    ranks: dict[int, None] = {}
    while len(ranks) < size:
        ranks[chance.choices(range(ARTISTS), cum_weights=PREFERENCE)[0]] = None
    return list(ranks)


def _album(song: Song, leader: int, chance: Random) -> Json:
    single = chance.random() < OFTEN
    key: tuple[object, ...] = ("album", leader, song.released // ERA)
    first_day = song.released - song.released % ERA
    if single:
        key, first_day = ("single", song.released, song.number), song.released
    name = title("song", song.released, song.number) if single else title(*key)
    return album(
        base62(*key),
        name,
        [artist(leader)],
        album_type="single" if single else "album",
        release_date=date.fromordinal(first_day).isoformat(),
        total_tracks=1 if single else rng("size", *key).randint(9, 18),
    )


@lru_cache(maxsize=4096)
def _track(song: Song) -> Json:
    chance = rng("track", song.released, song.number)
    ranks = _line_up(chance)
    on = _album(song, ranks[0], chance)
    return track(
        base62("track", song.released, song.number),
        title("song", song.released, song.number),
        on,
        [artist(rank) for rank in ranks],
        explicit=chance.random() < OFTEN / 2,
        track_number=chance.randint(1, on["total_tracks"]),
        duration_ms=chance.randint(95_000, 290_000),
    )


def track_on(song: Song, ordinal: int) -> Json:
    """Returns a song's track as it stands on a day: its popularity moves, and some songs get a new name."""
    standing = {**_track(song), "popularity": popularity(song, ordinal)}
    renamed = noise("renamed", song.released, song.number) > 1 - 2 * SELDOM
    if renamed and ordinal - song.released >= RENAMED_AFTER:
        standing["name"] += " (Sped Up Version)"
    return standing
