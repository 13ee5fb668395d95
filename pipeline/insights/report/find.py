"""The report's contents from the warehouse: a fixed number of queries, however many playlists there are."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from itertools import groupby
from operator import attrgetter
from typing import Any, Protocol, TypeVar

import msgspec

from pipeline.insights.changes import MAX_ENTRIES, changes_in
from pipeline.insights.report.contents import (
    Bar,
    Order,
    PlaylistDetails,
    PlaylistFigures,
    ReportContents,
    SongLine,
    SongPlace,
)
from pipeline.insights.report.page import ROWS
from pipeline.records import PlaylistChanges
from pipeline.warehouse.session import Session

MAX_DETAILED = 20
"""Playlists that are shown in full; of more, those with most changes."""
NEWEST = date(9999, 12, 31)
"""In place of a date: that of the newest snapshot."""


class OfPlaylist(Protocol):
    """A record of one playlist."""

    @property
    def playlist_id(self) -> str:
        """Whose it is."""


R = TypeVar("R", bound=OfPlaylist)


def find_report(session: Session, playlists: Sequence[str], on: date | None = None) -> ReportContents | None:
    """What is to be shown of playlists, or of all there are, on a date; None if no snapshot is that old.

    Shown in the order of `playlists` if all are shown in full.
    """
    values = (_json(playlists), on or NEWEST)
    found = [PlaylistFigures(**row) for row in session.rows("insights/find_report_playlists", values)]
    if not found:
        return None
    detailed = found[:MAX_DETAILED]
    if len(found) <= MAX_DETAILED:
        places = {playlist_id: place for place, playlist_id in enumerate(playlists)}
        found = detailed = sorted(found, key=lambda one: places.get(one.playlist_id, len(places)))
    return ReportContents(found[0].report_date, found, [*_details(session, detailed)])


def _details(session: Session, figures: Sequence[PlaylistFigures]) -> Iterator[PlaylistDetails]:
    wanted, rows = _json([_part(one) for one in figures]), ROWS // len(figures)
    changes = {one.playlist_id: one for one in _changes(session, figures)}
    songs = _by_playlist(SongLine, session.rows("insights/find_report_songs", (wanted, rows)))
    places = _by_playlist(SongPlace, session.rows("insights/find_report_places", (wanted, rows)))
    orders = _by_playlist(Order, session.rows("insights/find_report_orders", (wanted,)))
    artists, ages, rejects = (
        _by_playlist(Bar, session.rows(f"insights/find_report_{name}", (wanted,)))
        for name in ("artists", "ages", "rejects")
    )
    for one in figures:
        own = one.playlist_id
        yield PlaylistDetails(
            figures=one,
            changes=changes.get(own),
            songs=songs[own],
            places={song: [*of] for song, of in groupby(places[own], attrgetter("song_id"))},
            order=next(iter(orders[own]), None),
            artists=artists[own],
            ages=ages[own],
            rejects=rejects[own],
        )


def _changes(session: Session, figures: Iterable[PlaylistFigures]) -> list[PlaylistChanges]:
    """What changed since the previous snapshots, song by song; leaves out the largest if that is too much."""
    left, compared = MAX_ENTRIES, []
    for one in sorted(figures, key=attrgetter("entry_count", "playlist_id")):
        left -= one.entry_count
        if one.previous_date is not None and left >= 0:
            compared.append(_part(one))
    if not compared:
        return []
    return changes_in(session.rows("insights/find_report_changes", (_json(compared),)))


def _part(figures: PlaylistFigures) -> dict[str, Any]:
    fields = ("playlist_id", "playlist_name", "snapshot_date", "previous_date")
    return {field: getattr(figures, field) for field in fields}


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()


def _by_playlist(kind: type[R], rows: Iterable[dict[str, Any]]) -> dict[str, list[R]]:
    found: dict[str, list[R]] = defaultdict(list)
    for row in rows:
        record = kind(**row)
        found[record.playlist_id].append(record)
    return found
