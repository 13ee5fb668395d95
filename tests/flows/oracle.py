"""Oracle: the expected rows of each view, computed from a history in Python loops, without SQL."""

from collections.abc import Iterator
from datetime import date
from itertools import combinations, pairwise
from typing import Any, NamedTuple

from tests.flows.histories import History, Listed, Listing

Rows = list[tuple[Any, ...]]


class Streak(NamedTuple):
    """Consecutive snapshots that list a song: their dates and its best position in each."""

    days: list[date]
    positions: list[int]


def playlists(history: History) -> dict[str, list[tuple[date, Listing]]]:
    """The snapshots of each playlist, oldest first."""
    found: dict[str, list[tuple[date, Listing]]] = {}
    for (playlist_id, day), listing in sorted(history.items()):
        found.setdefault(playlist_id, []).append((day, listing))
    return found


def names(listing: Listing, song_id: str) -> tuple[str, str | None]:
    """Title of a song and names of its artists in a listing."""
    known = {id_: name for one in listing.entries for id_, name in one.artists}
    last = [one for one in listing.entries if one.song_id == song_id][-1]
    credited = [name for name in (known[id_] for id_, _ in last.artists) if name is not None]
    return last.song_name, ", ".join(credited) or None


def best_positions(listing: Listing) -> dict[str, int]:
    """The best position of each song."""
    found: dict[str, int] = {}
    for one in listing.entries:
        found.setdefault(one.song_id, one.position)
    return found


def tracklist_history(history: History) -> Rows:
    return [
        row
        for playlist_id, snapshots in playlists(history).items()
        for row in _tracks(playlist_id, snapshots)
    ]


def tracklist(history: History) -> Rows:
    return [
        row
        for playlist_id, snapshots in playlists(history).items()
        for row in _tracks(playlist_id, snapshots[-1:])
    ]


def _tracks(playlist_id: str, snapshots: list[tuple[date, Listing]]) -> Iterator[tuple[Any, ...]]:
    for day, listing in snapshots:
        for one in listing.entries:
            title, credited = names(listing, one.song_id)
            album_id, album_name = one.album
            yield (
                *(playlist_id, listing.name, day, one.position, one.song_id, title, credited),
                *(one.artists[0][0], album_id, album_name, date(2024, 2, 29), 180_000, False, 30),
                *(f"ISRC-{one.song_id}", one.added_at, one.added_by, f"https://s/{one.song_id}"),
            )


def occurrences(listing: Listing) -> dict[tuple[str, int], Listed]:
    """Entries by song and number of the occurrence, from 0."""
    found: dict[tuple[str, int], Listed] = {}
    for one in listing.entries:
        number = 0
        while (one.song_id, number) in found:
            number += 1
        found[one.song_id, number] = one
    return found


def playlist_changes(history: History) -> Rows:
    rows: Rows = []
    for playlist_id, snapshots in playlists(history).items():
        for (before, old), (day, new) in pairwise(snapshots):
            was, now = occurrences(old), occurrences(new)
            head = (playlist_id, new.name, day, before)
            for key in now.keys() - was.keys():
                one = now[key]
                about = (one.song_id, *names(new, one.song_id))
                rows.append((*head, "entered", *about, one.position, None, one.added_at, one.added_by))
            for key in was.keys() - now.keys():
                one = was[key]
                about = (one.song_id, *names(old, one.song_id))
                rows.append((*head, "left", *about, None, one.position, one.added_at, one.added_by))
    return rows


def streaks(snapshots: list[tuple[date, Listing]]) -> dict[str, list[Streak]]:
    """The streaks of each song of a playlist, oldest first."""
    found: dict[str, list[Streak]] = {}
    current: dict[str, Streak] = {}
    for day, listing in snapshots:
        continued: dict[str, Streak] = {}
        for song_id, position in best_positions(listing).items():
            streak = current.get(song_id)
            if streak is None:
                streak = Streak([], [])
                found.setdefault(song_id, []).append(streak)
            streak.days.append(day)
            streak.positions.append(position)
            continued[song_id] = streak
        current = continued
    return found


def song_journeys(history: History) -> Rows:
    return [
        (playlist_id, snapshots[-1][1].name, *_journey(song_id, of_song, snapshots))
        for playlist_id, snapshots in playlists(history).items()
        for song_id, of_song in streaks(snapshots).items()
    ]


def _journey(song_id: str, of_song: list[Streak], snapshots: list[tuple[date, Listing]]) -> tuple[Any, ...]:
    days = [day for streak in of_song for day in streak.days]
    positions = [position for streak in of_song for position in streak.positions]
    peak, longest = min(positions), of_song[0]
    for streak in of_song:
        if len(streak.days) >= len(longest.days):
            longest = streak
    now = best_positions(snapshots[-1][1]).get(song_id)
    before = best_positions(snapshots[-2][1]).get(song_id) if len(snapshots) > 1 else None
    return (
        *(song_id, *names(dict(snapshots)[days[-1]], song_id), days[0], days[-1], len(days)),
        *(peak, days[positions.index(peak)], positions.count(peak), positions.count(1)),
        *(len(longest.days), longest.days[0], longest.days[-1], len(of_song) - 1),
        *(now is not None, now, before),
    )


def longest_runs(history: History) -> Rows:
    return [
        (
            *(playlist_id, song_id, names(dict(snapshots)[streak.days[-1]], song_id)[0]),
            *(streak.days[0], streak.days[-1], len(streak.days), min(streak.positions)),
        )
        for playlist_id, snapshots in playlists(history).items()
        for song_id, of_song in streaks(snapshots).items()
        for streak in of_song
    ]


def number_one_runs(history: History) -> Rows:
    rows: Rows = []
    for playlist_id, snapshots in playlists(history).items():
        tops = [
            (day, Listing(listing.name, tuple(one for one in listing.entries if one.position == 1)))
            for day, listing in snapshots
        ]
        for song_id, of_song in streaks(tops).items():
            for streak in of_song:
                about = names(dict(snapshots)[streak.days[-1]], song_id)
                days = streak.days
                rows.append((playlist_id, song_id, *about, days[0], days[-1], len(days)))
    return rows


def top_artists(history: History) -> Rows:
    rows: Rows = []
    for (playlist_id, day), listing in history.items():
        by_artist: dict[str, dict[str, int]] = {}
        known: dict[str, str | None] = {}
        for one in listing.entries:
            for id_, name in one.artists:
                known[id_] = name
                by_artist.setdefault(id_, {}).setdefault(one.song_id, one.position)
        score = {id_: (-len(songs), min(songs.values())) for id_, songs in by_artist.items()}
        for id_, (songs, best) in score.items():
            rank = 1 + sum(other < (songs, best) for other in score.values())
            rows.append((playlist_id, day, id_, known[id_], -songs, best, rank))
    return rows


def chart_movers(history: History) -> Rows:
    return [
        (playlist_id, from_date, to_date, *row)
        for playlist_id, snapshots in playlists(history).items()
        for (from_date, old), (to_date, new) in combinations(snapshots, 2)
        for row in _moves(old, new)
    ]


def _moves(old: Listing, new: Listing) -> Iterator[tuple[Any, ...]]:
    was, now = best_positions(old), best_positions(new)
    titles = {one.song_id: one.song_name for listing in (old, new) for one in listing.entries}
    for song_id in was.keys() | now.keys():
        start, end = was.get(song_id), now.get(song_id)
        if start is None or end is None:
            yield song_id, titles[song_id], start, end, None, "new" if start is None else "gone"
        else:
            movement = "same" if start == end else "up" if end < start else "down"
            yield song_id, titles[song_id], start, end, start - end, movement


VIEWS = {
    view.__name__: view
    for view in (
        *(tracklist, tracklist_history, playlist_changes, song_journeys),
        *(number_one_runs, longest_runs, top_artists, chart_movers),
    )
}
"""The functions above by the name of their view."""
