"""Section of a playlist in the report: its parts, in the order in which they are shown. Pure."""

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
from pipeline.insights.report.drawings import RACE_PLACES, draw_race, draw_trend
from pipeline.insights.report.movements import Movement, chart_movement, list_movement
from pipeline.insights.report.owners import only_adder, usual_adder
from pipeline.insights.report.words import shown_date, shown_day, shown_reason, shown_title
from pipeline.records import PlaylistChanges, SongChange

CHANGES_SHOWN = 8
"""Maximum number of added, and of removed, songs that are shown; a chart may have fifty per day."""
MOVES_SHOWN = 4
"""Maximum number of moved songs that are shown, by distance; the list shows all movements."""
WIDE_PLACE = 1_000
"""Lowest place that needs wider columns."""


class ListRow(NamedTuple):
    """A row of the list; `trend`: only in a chart."""

    song: SongLine
    movement: Movement
    trend: Markup | None


class ChangeGroup(NamedTuple):
    """Added, removed or moved songs: the first ones, the number of further ones, and a common adder."""

    title: str
    songs: Sequence[SongChange]
    more: int
    where: Callable[[SongChange], str]
    adder: str | None


class Race(NamedTuple):
    """The race of the top ten: its drawing, and the songs next to it, by place."""

    picture: Markup
    racers: Sequence[SongLine]
    snapshots: int
    first_date: date


class BarGroup(NamedTuple):
    """Bars with a common title."""

    title: str
    bars: Sequence[Bar]


class Section(NamedTuple):
    """Section of a playlist.

    `adder`: the user who added most songs; only other users are named at their songs. `has_wide_places`:
    places need wider columns.
    """

    anchor: str
    details: PlaylistDetails
    headline: str
    changes: Sequence[ChangeGroup]
    songs: Sequence[ListRow]
    adder: str | None
    has_other_adders: bool
    has_wide_places: bool
    race: Race | None
    bars: Sequence[BarGroup]

    @property
    def is_not_compared(self) -> bool:
        """True if the list is too long to be compared song by song."""
        return self.details.changes is None and self.details.figures.previous_date is not None


def section(anchor: str, details: PlaylistDetails, rows: int) -> Section:
    """Section of a playlist, with at most `rows` rows of its list."""
    shown = details.songs[:rows]
    adder = usual_adder(shown)
    places = [place for song in shown for place in (song.position, song.previous_position or 0)]
    return Section(
        anchor=anchor,
        details=details,
        headline=headline(details.figures),
        changes=[*_change_groups(details.changes)],
        songs=[*_rows(details, shown)],
        adder=adder,
        has_other_adders=any(song.added_by != adder for song in shown),
        has_wide_places=max(places, default=0) >= WIDE_PLACE,
        race=_race(details),
        bars=[*_bar_groups(details)],
    )


def headline(figures: PlaylistFigures) -> str:
    """`2 added, 1 removed, 1 moved since 27 Nov`."""
    if figures.is_stale:
        return f"Last read {shown_date(figures.snapshot_date)}"
    if figures.previous_date is None:
        return "First snapshot: there is nothing to compare it with yet"
    since = f"since {shown_day(figures.previous_date, figures.snapshot_date)}"
    moved = figures.moved_count or 0
    counts = in_numbers(figures.entered_count, figures.left_count, moved, figures.rejected_count)
    return f"{counts or 'Nothing changed'} {since}"


def _change_groups(changes: PlaylistChanges | None) -> Iterable[ChangeGroup]:
    if changes is None:
        return
    moved = sorted(changes.moved, key=_distance, reverse=True)
    groups: list[tuple[str, Sequence[SongChange], int, Callable[[SongChange], str]]] = [
        ("Added", changes.entered, CHANGES_SHOWN, lambda one: f"at {one.position:,}"),
        ("Removed", changes.left, CHANGES_SHOWN, lambda one: f"was at {one.previous_position:,}"),
        ("Moved", moved, MOVES_SHOWN, _from_to),
    ]
    for title, songs, limit, where in groups:
        if songs:
            adder = only_adder(songs) if title == "Added" else None
            yield ChangeGroup(title, songs[:limit], max(0, len(songs) - limit), where, adder)


def _from_to(moved: SongChange) -> str:
    """Old and new place, which are the same if all other songs have moved past this one."""
    if moved.previous_position == moved.position:
        return f"still at {moved.position:,}, among others"
    return f"from {moved.previous_position:,} to {moved.position:,}"


def _distance(moved: SongChange) -> int:
    return abs((moved.previous_position or 0) - (moved.position or 0))


def _race(details: PlaylistDetails) -> Race | None:
    """The race of a chart; None for a list made by hand, in which songs do not overtake each other."""
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
            trend = draw_trend(details.places.get(song.song_id, ()), snapshots)
            yield ListRow(song, chart_movement(song, details.figures), trend)
        else:
            change = moved.get((song.song_id, song.position))
            yield ListRow(song, list_movement(song, details.figures, change), None)


def _bar_groups(details: PlaylistDetails) -> Iterable[BarGroup]:
    rejects = [bar._replace(label=shown_reason(bar.label)) for bar in details.rejects]
    titles = {
        "Artists": details.artists,
        "Release ages": details.ages,
        "Left out: not a song, or unusable": rejects,
    }
    return (BarGroup(title, bars) for title, bars in titles.items() if bars)
