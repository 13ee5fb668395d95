"""Compares two snapshots of a playlist: the fewest songs that were added, removed or moved. Pure."""

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from itertools import takewhile
from typing import NamedTuple

from pipeline.records import SongChange

MAX_PAIRS = 3_000_000
"""Limit of pairs of equal songs, which take three seconds. Only a song listed a thousand times exceeds it."""


class ListedTooOften(ValueError):
    """Songs are repeated so often that the comparison would take too long."""


class ListedSong(NamedTuple):
    """A song at one position of a snapshot."""

    position: int
    song_id: str
    name: str
    artist: str | None
    added_by: str | None


class SongChanges(NamedTuple):
    """Changes, sorted by new position (`entered`, `moved`) or old position (`left`)."""

    entered: list[SongChange]
    left: list[SongChange]
    moved: list[SongChange]


def compare_songs(older: Sequence[ListedSong], newer: Sequence[ListedSong]) -> SongChanges:
    """The fewest songs that have to leave, enter or move to get from the older snapshot to the newer one.

    Both are in the order of positions. A song that is listed twice counts twice. An edit of k songs yields at
    most k changes, because all other songs keep their order. Raises ListedTooOften.
    """
    stayed = _in_same_order([one.song_id for one in older], [one.song_id for one in newer])
    stayed_older, stayed_newer = ({pair[side] for pair in stayed} for side in (0, 1))
    removed: dict[str, list[ListedSong]] = defaultdict(list)
    for index, song in enumerate(older):
        if index not in stayed_older:
            removed[song.song_id].append(song)
    entered, moved = [], []
    for index, song in enumerate(newer):
        if index in stayed_newer:
            continue
        if before := removed[song.song_id]:
            moved.append(_change(song, song.position, before.pop(0).position))
        else:
            entered.append(_change(song, song.position, None))
    left = sorted((song for songs in removed.values() for song in songs), key=lambda song: song.position)
    return SongChanges(entered, [_change(song, None, song.position) for song in left], moved)


def _change(song: ListedSong, position: int | None, previous: int | None) -> SongChange:
    return SongChange(song.song_id, song.name, song.artist, position, previous, song.added_by)


def _in_same_order(older: Sequence[str], newer: Sequence[str]) -> list[tuple[int, int]]:
    """The largest set of pairs of equal songs, by index, with the same order in both snapshots.

    Equal beginnings and ends are paired first, which is fast: on most days little changes.
    """
    start = _equal(older, newer)
    end = _equal(older[start:][::-1], newer[start:][::-1])
    middle = _longest_common(older[start : len(older) - end], newer[start : len(newer) - end])
    return [
        *((index, index) for index in range(start)),
        *((start + i, start + j) for i, j in middle),
        *((len(older) - index, len(newer) - index) for index in range(end, 0, -1)),
    ]


def _equal(older: Sequence[str], newer: Sequence[str]) -> int:
    """Number of equal songs at the beginning."""
    pairs = zip(older, newer, strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))


class _Chain(NamedTuple):
    """Pairs in the same order, from the last one backwards."""

    pair: tuple[int, int]
    rest: "_Chain | None"


def _longest_common(older: Sequence[str], newer: Sequence[str]) -> list[tuple[int, int]]:
    """The longest common subsequence: a longest increasing subsequence of the pairs (Hunt and Szymanski)."""
    _refuse_too_many(Counter(older), Counter(newer))
    places: dict[str, list[int]] = defaultdict(list)
    # Descending indexes, so that each newer song extends a chain by only one pair.
    for i in reversed(range(len(older))):
        places[older[i]].append(i)
    # For each length: the smallest index of the older snapshot at which a chain ends, and that chain.
    ends: list[int] = []
    chains: list[_Chain] = []
    for j, song in enumerate(newer):
        for i in places.get(song, ()):
            length = bisect_left(ends, i)
            chain = _Chain((i, j), chains[length - 1] if length else None)
            ends[length : length + 1], chains[length : length + 1] = [i], [chain]
    return [*_pairs(chains[-1] if chains else None)][::-1]


def _refuse_too_many(older: Counter[str], newer: Counter[str]) -> None:
    pairs = sum(count * newer[song] for song, count in older.items())
    if pairs > MAX_PAIRS:
        raise ListedTooOften(f"its songs are repeated too often: {pairs:,} pairs of equal songs")


def _pairs(chain: _Chain | None) -> Iterator[tuple[int, int]]:
    while chain:
        yield chain.pair
        chain = chain.rest
