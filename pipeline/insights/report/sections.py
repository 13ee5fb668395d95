"""What a playlist's part of the page says, in the order in which it says it. Pure."""

from collections.abc import Callable, Iterable, Sequence
from datetime import date
from typing import NamedTuple

from markupsafe import Markup

from pipeline.insights.changes_text import in_numbers
from pipeline.insights.report.contents import (
    Bar,
    PlaylistDetails,
    PlaylistFigures,
    SongLine,
    SongPlace,
)
from pipeline.insights.report.drawings import RACE_PLACES, draw_race, draw_way
from pipeline.insights.report.movements import Movement, placed, raced
from pipeline.insights.report.owners import only_adder, usual_adder
from pipeline.insights.report.words import shown_date, shown_day, shown_reason, shown_title
from pipeline.records import PlaylistChanges, SongChange

CHANGES_SHOWN = 8
"""Songs that were added, and as many that were removed; a chart may have fifty a day."""
MOVES_SHOWN = 4
"""Those that moved furthest; the list shows where all others came from."""
LONG = 1_000
"""Places from here on need wider columns."""


class ListRow(NamedTuple):
    """A row of the list; `way` is the song's way through a race."""

    song: SongLine
    movement: Movement
    way: Markup | None


class Kind(NamedTuple):
    """Songs that changed in one way: the first ones, how many more there are, and who added all of them."""

    title: str
    songs: Sequence[SongChange]
    more: int
    where: Callable[[SongChange], str]
    adder: str | None


class Race(NamedTuple):
    """The race of the top ten: its picture, and the names that stand beside it, by place."""

    picture: Markup
    racers: Sequence[SongLine]
    snapshots: int
    first_date: date


class BarGroup(NamedTuple):
    """Bars under a title."""

    title: str
    bars: Sequence[Bar]


class Section(NamedTuple):
    """A playlist's part of the page.

    `adder`: who added most songs, so that only others are named; `is_long`: its places need much space.
    """

    anchor: str
    details: PlaylistDetails
    headline: str
    kinds: Sequence[Kind]
    songs: Sequence[ListRow]
    adder: str | None
    has_others: bool
    is_long: bool
    race: Race | None
    groups: Sequence[BarGroup]

    @property
    def is_not_compared(self) -> bool:
        """Whether the list is too long to be compared song by song."""
        return self.details.changes is None and self.details.figures.previous_date is not None


def section(anchor: str, details: PlaylistDetails, rows: int) -> Section:
    """A playlist's part of the page, with at most so many rows of its list."""
    shown = details.songs[:rows]
    adder = usual_adder(shown)
    places = [place for song in shown for place in (song.position, song.previous_position or 0)]
    return Section(
        anchor=anchor,
        details=details,
        headline=headline(details.figures),
        kinds=[*_kinds(details.changes)],
        songs=[*_rows(details, shown)],
        adder=adder,
        has_others=any(song.added_by != adder for song in shown),
        is_long=max(places, default=0) >= LONG,
        race=_race(details),
        groups=[*_groups(details)],
    )


def headline(figures: PlaylistFigures) -> str:
    """`2 added, 1 removed, 1 moved since 27 Nov`."""
    if figures.is_stale:
        return f"Last read {shown_date(figures.snapshot_date)}"
    if figures.previous_date is None:
        return "First snapshot: there is nothing to compare it with yet"
    since = f"since {shown_day(figures.previous_date, figures.snapshot_date)}"
    moved = figures.moved_count or 0
    said = in_numbers(figures.entered_count, figures.left_count, moved, figures.rejected_count)
    return f"{said or 'Nothing changed'} {since}"


def _kinds(changes: PlaylistChanges | None) -> Iterable[Kind]:
    if changes is None:
        return
    moved = sorted(changes.moved, key=_distance, reverse=True)
    ways: list[tuple[str, Sequence[SongChange], int, Callable[[SongChange], str]]] = [
        ("Added", changes.entered, CHANGES_SHOWN, lambda one: f"at {one.position:,}"),
        ("Removed", changes.left, CHANGES_SHOWN, lambda one: f"was at {one.previous_position:,}"),
        ("Moved", moved, MOVES_SHOWN, _way),
    ]
    for title, songs, most, where in ways:
        if songs:
            adder = only_adder(songs) if title == "Added" else None
            yield Kind(title, songs[:most], max(0, len(songs) - most), where, adder)


def _way(moved: SongChange) -> str:
    """From where to where; a song that all others pass may have kept its place."""
    if moved.previous_position == moved.position:
        return f"still at {moved.position:,}, among others"
    return f"from {moved.previous_position:,} to {moved.position:,}"


def _distance(moved: SongChange) -> int:
    return abs((moved.previous_position or 0) - (moved.position or 0))


def _race(details: PlaylistDetails) -> Race | None:
    """A race only of a list whose songs overtake each other; in one made by hand they do not."""
    if not details.places:
        return None
    racers = [song for song in details.songs if song.position <= RACE_PLACES]
    names = {song.song_id: shown_title(song.song_name) for song in racers}
    lines = [(name, details.places[song_id]) for song_id, name in names.items() if song_id in details.places]
    others = [
        places for song_id, places in details.places.items() if song_id not in names and _was_high(places)
    ]
    text = "Places of the songs that are in the top ten now: " + "; ".join(
        f"{name}, {places[0].position} to {places[-1].position}" for name, places in lines
    )
    one = _any_place(details)
    picture = draw_race(lines, others, one.snapshot_count, text)
    return Race(picture, racers, one.snapshot_count, one.first_date)


def _any_place(details: PlaylistDetails) -> SongPlace:
    return next(iter(details.places.values()))[0]


def _was_high(places: Sequence[SongPlace]) -> bool:
    return any(place.position <= RACE_PLACES for place in places)


def _rows(details: PlaylistDetails, songs: Sequence[SongLine]) -> Iterable[ListRow]:
    moved = {(one.song_id, one.position): one for one in details.changes.moved} if details.changes else {}
    snapshots = _any_place(details).snapshot_count if details.places else 0
    for song in songs:
        if snapshots:
            way = draw_way(details.places.get(song.song_id, ()), snapshots)
            yield ListRow(song, raced(song, details.figures), way)
        else:
            change = moved.get((song.song_id, song.position))
            yield ListRow(song, placed(song, details.figures, change), None)


def _groups(details: PlaylistDetails) -> Iterable[BarGroup]:
    rejects = [bar._replace(label=shown_reason(bar.label)) for bar in details.rejects]
    titles = {
        "Artists": details.artists,
        "Release ages": details.ages,
        "Left out: not a song, or unusable": rejects,
    }
    return (BarGroup(title, bars) for title, bars in titles.items() if bars)
