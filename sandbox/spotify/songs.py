"""Invented songs: released every day, popular for some time, some of them a second time later.

Every value depends only on the song and the date, so dates can be computed in any order.
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
MAX_CHART_AGE_DAYS = 365
"""Age after which a song is in no chart."""
ALBUM_DAYS = 40
"""Songs of an artist that are released within this period are on one album."""
# Cumulative weights of artists by rank: few artists have most of the songs.
ARTIST_WEIGHTS = tuple(accumulate(1 / (rank + 6) for rank in range(ARTISTS)))
ARTIST_COUNT_WEIGHTS = (60, 24, 8, 3, 1.5, 1, 0.8, 0.6, 0.6, 0.5)
"""Weights of 1 to 10 artists on a song."""
RENAMED_AFTER_DAYS = 12
OFTEN, SELDOM = 0.5, 0.08
"""Probabilities."""


class Song(NamedTuple):
    """A song and the parameters of its popularity; `fades`: days per point lost, `revival`: age in days."""

    released: int  # ordinal of the date
    number: int  # among the songs released on that date
    strength: float
    fades: float
    revival: int


@lru_cache(maxsize=4096)
def releases(ordinal: int) -> tuple[Song, ...]:
    """Returns the songs released on a date."""
    chance = rng("releases", ordinal)
    return tuple(
        Song(
            released=ordinal,
            number=number,
            strength=chance.gauss(0, 1),
            fades=chance.uniform(18, 70),
            revival=chance.randint(50, 200) if chance.random() < SELDOM else MAX_CHART_AGE_DAYS,
        )
        for number in range(chance.randint(1, 3))
    )


def score(song: Song, ordinal: int, chart: str) -> float:
    """Returns the score of a song in a chart: it rises after the release, declines, and may rise again."""
    age, name = ordinal - song.released, (song.released, song.number)
    week, part = divmod(ordinal, 7)
    mood = noise(*name, chart, week) * (7 - part) / 7 + noise(*name, chart, week + 1) * part / 7
    again = 1.8 * exp((song.revival - age) / 12) if age >= song.revival else 0.0
    taste = 0.7 * noise(*name, chart)
    return song.strength + taste - 1.8 * exp(-age / 4) - age / song.fades + again + 0.2 * mood


@lru_cache(maxsize=256)
def chart_of(chart: str, ordinal: int) -> tuple[Song, ...]:
    """Returns the 50 songs with the highest scores on a date, best first."""
    candidates = (song for day in range(ordinal - MAX_CHART_AGE_DAYS, ordinal + 1) for song in releases(day))
    return tuple(heapq.nlargest(CHART_LENGTH, candidates, key=lambda song: score(song, ordinal, chart)))


def popularity(song: Song, ordinal: int) -> int:
    """Returns Spotify's popularity, 0 to 100."""
    return round(min(100, max(0, 70 + 14 * score(song, ordinal, "popularity"))))


def artist(rank: int) -> Json:
    """Returns the artist with this rank; rank 0 is the most popular."""
    return {"name": artist_names()[rank], **identity("artist", base62("artist", rank))}


def _artist_ranks(chance: Random) -> list[int]:
    (size,) = chance.choices(range(1, len(ARTIST_COUNT_WEIGHTS) + 1), ARTIST_COUNT_WEIGHTS)
    ranks: dict[int, None] = {}
    while len(ranks) < size:
        ranks[chance.choices(range(ARTISTS), cum_weights=ARTIST_WEIGHTS)[0]] = None
    return list(ranks)


def _album(song: Song, leader: int, chance: Random) -> Json:
    single = chance.random() < OFTEN
    key: tuple[object, ...] = ("album", leader, song.released // ALBUM_DAYS)
    first_day = song.released - song.released % ALBUM_DAYS
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
    ranks = _artist_ranks(chance)
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
    """Returns a song's track on a date: the popularity changes daily, and some songs are renamed."""
    current = {**_track(song), "popularity": popularity(song, ordinal)}
    renamed = noise("renamed", song.released, song.number) > 1 - 2 * SELDOM
    if renamed and ordinal - song.released >= RENAMED_AFTER_DAYS:
        current["name"] += " (Sped Up Version)"
    return current
