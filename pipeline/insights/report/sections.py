"""What a playlist's part of the page says, in the order in which it says it. Pure."""

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from markupsafe import Markup

from pipeline.insights.report.contents import (
    Bar,
    Order,
    PlaylistDetails,
    PlaylistFigures,
    SongLine,
    SongPlace,
)
from pipeline.insights.report.drawings import RACE_PLACES, draw_race, draw_way
from pipeline.insights.report.movements import Movement, placed, raced
from pipeline.insights.report.words import NOTHING, shown_day, shown_reason, shown_title
from pipeline.records import PlaylistChanges, SongChange

CHANGES_SHOWN = 8
"""Songs that were added, and as many that were removed; a chart may have fifty a day."""
MOVES_SHOWN = 4
"""Those that moved furthest; the list shows where all others came from."""
LEAST_SNAPSHOTS = 3
"""Of a race: with two there is nothing to follow."""
LEAST_REORDERED = 1 / 3
"""Part of the snapshots in which songs overtake each other, for a list to be a race."""


class ListRow(NamedTuple):
    """A row of the list."""

    song: SongLine
    movement: Movement
    way: Markup


class Kind(NamedTuple):
    """Songs that changed in one way: the first ones, and how many more there are."""

    title: str
    songs: Sequence[SongChange]
    more: int
    where: Callable[[SongChange], str]


class Race(NamedTuple):
    """The race of the top ten: its picture, and the names that stand beside it, by place."""

    picture: Markup
    racers: Sequence[SongLine]
    order: Order


class BarGroup(NamedTuple):
    """Bars under a title, and the longest of them."""

    title: str
    bars: Sequence[Bar]
    most: float


class Section(NamedTuple):
    """A playlist's part of the page."""

    anchor: str
    details: PlaylistDetails
    headline: str
    kinds: Sequence[Kind]
    songs: Sequence[ListRow]
    more_songs: int
    race: Race | None
    groups: Sequence[BarGroup]

    @property
    def is_changed(self) -> bool:
        """Whether anything changed since the previous snapshot."""
        changes = self.details.changes
        return bool(self.details.figures.change_count or (changes and changes.moved))

    @property
    def is_not_compared(self) -> bool:
        """Whether the list is too long to be compared song by song."""
        return self.details.changes is None and self.details.figures.previous_date is not None


def section(anchor: str, details: PlaylistDetails, rows: int) -> Section:
    """A playlist's part of the page, with at most so many rows of its list."""
    race = _race(details)
    shown = details.songs[:rows]
    return Section(
        anchor=anchor,
        details=details,
        headline=headline(details.figures, details.changes),
        kinds=[*_kinds(details.changes)],
        songs=[*_rows(details, shown, is_race=race is not None)],
        more_songs=details.figures.song_count - len(shown),
        race=race,
        groups=[*_groups(details)],
    )


def moved_count(changes: PlaylistChanges | None) -> str:
    """How many songs moved, if they were compared."""
    return NOTHING if changes is None else f"{len(changes.moved):,}"


def headline(figures: PlaylistFigures, changes: PlaylistChanges | None) -> str:
    """`2 added, 1 removed, 1 moved since 27 Nov`."""
    if figures.previous_date is None:
        return "First snapshot: there is nothing to compare it with yet"
    since = f"since {shown_day(figures.previous_date, figures.snapshot_date)}"
    moved = len(changes.moved) if changes else 0
    numbers = {"added": figures.entered_count, "removed": figures.left_count, "moved": moved}
    said = ", ".join(f"{number:,} {what}" for what, number in numbers.items() if number)
    return f"{said or 'Nothing changed'} {since}"


def _kinds(changes: PlaylistChanges | None) -> Iterable[Kind]:
    if changes is None:
        return
    moved = sorted(changes.moved, key=_distance, reverse=True)
    ways: list[tuple[str, Sequence[SongChange], int, Callable[[SongChange], str]]] = [
        ("Added", changes.entered, CHANGES_SHOWN, lambda one: f"at {one.position}"),
        ("Removed", changes.left, CHANGES_SHOWN, lambda one: f"was at {one.previous_position}"),
        ("Moved", moved, MOVES_SHOWN, _way),
    ]
    for title, songs, most, where in ways:
        if songs:
            yield Kind(title, songs[:most], max(0, len(songs) - most), where)


def _way(moved: SongChange) -> str:
    """From where to where; a song that all others pass may have kept its place."""
    if moved.previous_position == moved.position:
        return f"still at {moved.position}, among others"
    return f"from {moved.previous_position} to {moved.position}"


def _distance(moved: SongChange) -> int:
    return abs((moved.previous_position or 0) - (moved.position or 0))


def _race(details: PlaylistDetails) -> Race | None:
    """A race only of a list that moves; in one made by hand nobody overtakes anybody."""
    order = details.order
    if not order or order.snapshot_count < LEAST_SNAPSHOTS:
        return None
    if order.reordered_count < LEAST_REORDERED * (order.snapshot_count - 1):
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
    return Race(draw_race(lines, others, order.snapshot_count, text), racers, order)


def _was_high(places: Sequence[SongPlace]) -> bool:
    return any(place.position <= RACE_PLACES for place in places)


def _rows(details: PlaylistDetails, songs: Sequence[SongLine], *, is_race: bool) -> Iterable[ListRow]:
    snapshots = details.order.snapshot_count if details.order else 1
    deepest = max(
        (place.position for song in songs for place in details.places.get(song.song_id, ())), default=1
    )
    moved = {(one.song_id, one.position): one for one in details.changes.moved} if details.changes else {}
    for song in songs:
        change = moved.get((song.song_id, song.position))
        yield ListRow(
            song,
            raced(song, details.figures) if is_race else placed(song, details.figures, change),
            draw_way(details.places.get(song.song_id, ()), snapshots, deepest),
        )


def _groups(details: PlaylistDetails) -> Iterable[BarGroup]:
    rejects = [bar._replace(label=shown_reason(bar.label)) for bar in details.rejects]
    titles = {
        "Artists": details.artists,
        "Release ages": details.ages,
        "Left out: not a song, or unusable": rejects,
    }
    for title, bars in titles.items():
        if bars:
            yield BarGroup(title, bars, max(bar.percent for bar in bars))
