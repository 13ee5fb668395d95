"""What each view must show of a history, in row loops; nothing here knows SQL."""

from collections.abc import Iterator
from datetime import date
from itertools import combinations, pairwise
from typing import Any, NamedTuple

from tests.flows.histories import History, Listed, Listing

Rows = list[tuple[Any, ...]]


class Run(NamedTuple):
    """Consecutive snapshots: their dates and the positions of the song."""

    days: list[date]
    places: list[int]


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


def places(listing: Listing) -> dict[str, int]:
    """The best position of each song."""
    found: dict[str, int] = {}
    for one in listing.entries:
        found.setdefault(one.song_id, one.position)
    return found


def tracklist_history(history: History) -> Rows:
    return [row for playlist_id, all_ in playlists(history).items() for row in _tracks(playlist_id, all_)]


def tracklist(history: History) -> Rows:
    return [
        row for playlist_id, all_ in playlists(history).items() for row in _tracks(playlist_id, all_[-1:])
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
    """The entries by song and number of its occurrence."""
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


def runs(snapshots: list[tuple[date, Listing]]) -> dict[str, list[Run]]:
    """The runs of each song of a playlist, oldest first."""
    found: dict[str, list[Run]] = {}
    open_: dict[str, Run] = {}
    for day, listing in snapshots:
        still: dict[str, Run] = {}
        for song_id, place in places(listing).items():
            run = open_.get(song_id)
            if run is None:
                run = Run([], [])
                found.setdefault(song_id, []).append(run)
            run.days.append(day)
            run.places.append(place)
            still[song_id] = run
        open_ = still
    return found


def song_journeys(history: History) -> Rows:
    return [
        (playlist_id, snapshots[-1][1].name, *_journey(song_id, all_, snapshots))
        for playlist_id, snapshots in playlists(history).items()
        for song_id, all_ in runs(snapshots).items()
    ]


def _journey(song_id: str, all_: list[Run], snapshots: list[tuple[date, Listing]]) -> tuple[Any, ...]:
    days = [day for run in all_ for day in run.days]
    on = [place for run in all_ for place in run.places]
    peak, longest = min(on), all_[0]
    for run in all_:
        if len(run.days) >= len(longest.days):
            longest = run
    now = places(snapshots[-1][1]).get(song_id)
    before = places(snapshots[-2][1]).get(song_id) if len(snapshots) > 1 else None
    return (
        *(song_id, *names(dict(snapshots)[days[-1]], song_id), days[0], days[-1], len(days)),
        *(peak, days[on.index(peak)], on.count(peak), on.count(1)),
        *(len(longest.days), longest.days[0], longest.days[-1], len(all_) - 1),
        *(now is not None, now, before),
    )


def longest_runs(history: History) -> Rows:
    return [
        (
            *(playlist_id, song_id, names(dict(snapshots)[run.days[-1]], song_id)[0]),
            *(run.days[0], run.days[-1], len(run.days), min(run.places)),
        )
        for playlist_id, snapshots in playlists(history).items()
        for song_id, all_ in runs(snapshots).items()
        for run in all_
    ]


def number_one_runs(history: History) -> Rows:
    rows: Rows = []
    for playlist_id, snapshots in playlists(history).items():
        tops = [
            (day, Listing(listing.name, tuple(one for one in listing.entries if one.position == 1)))
            for day, listing in snapshots
        ]
        for song_id, all_ in runs(tops).items():
            for run in all_:
                about = names(dict(snapshots)[run.days[-1]], song_id)
                rows.append((playlist_id, song_id, *about, run.days[0], run.days[-1], len(run.days)))
    return rows


def top_artists(history: History) -> Rows:
    rows: Rows = []
    for (playlist_id, day), listing in history.items():
        made: dict[str, dict[str, int]] = {}
        known: dict[str, str | None] = {}
        for one in listing.entries:
            for id_, name in one.artists:
                known[id_] = name
                made.setdefault(id_, {}).setdefault(one.song_id, one.position)
        score = {id_: (-len(songs), min(songs.values())) for id_, songs in made.items()}
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
    was, now = places(old), places(new)
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
"""What a view must show, by its name."""
