"""The report's contents from the warehouse: a fixed number of queries, however many playlists there are."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from itertools import groupby
from operator import attrgetter
from typing import Any, Protocol, TypeVar

import msgspec

from pipeline.insights.changes import find_changes
from pipeline.insights.report.contents import (
    Bar,
    PlaylistDetails,
    PlaylistFigures,
    ReportContents,
    SongLine,
    SongPlace,
)
from pipeline.records import PlaylistChanges
from pipeline.warehouse.session import Session

MAX_DETAILED = 20
"""Playlists that are shown in full; of more, those with most changes."""
ROWS = 1_000
"""Songs that all lists show together, shared evenly."""
ROWS_OF_LIST = 200
"""Songs that each list may show in any case; the page is cut if it becomes too large."""
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

    In the order of `playlists` and in full if there are few. Of more, those with most changes come first, and
    those in which nothing changed are not shown in full.
    """
    values = (_json(playlists), on or NEWEST)
    found = [PlaylistFigures(**row) for row in session.rows("insights/find_report_playlists", values)]
    if not found:
        return None
    partitions = [(one.playlist_id, one.snapshot_date) for one in found if one.previous_date]
    changes = {one.playlist_id: one for one in find_changes(session, partitions)} if partitions else {}
    found = sorted((_with_moves(one, changes) for one in found), key=_rank)
    if len(found) <= MAX_DETAILED:
        places = {playlist_id: place for place, playlist_id in enumerate(playlists)}
        found = detailed = sorted(found, key=lambda one: places.get(one.playlist_id, len(places)))
    else:
        detailed = [one for one in found if one.change_count or one.is_first][:MAX_DETAILED]
    details = [*_details(session, detailed, changes)] if detailed else []
    return ReportContents(found[0].report_date, found, details)


def _with_moves(figures: PlaylistFigures, changes: Mapping[str, PlaylistChanges]) -> PlaylistFigures:
    compared = changes.get(figures.playlist_id)
    return figures._replace(moved_count=len(compared.moved)) if compared else figures


def _rank(figures: PlaylistFigures) -> tuple[bool, int, bool]:
    """Those with most changes, new ones, unchanged ones, stale ones; by name where that is equal."""
    return figures.is_stale, -figures.change_count, not figures.is_first


def _details(
    session: Session, figures: Sequence[PlaylistFigures], changes: Mapping[str, PlaylistChanges]
) -> Iterator[PlaylistDetails]:
    fields = ("playlist_id", "snapshot_date", "previous_date")
    wanted = _json([{field: getattr(one, field) for field in fields} for one in figures])
    rows = max(ROWS // len(figures), ROWS_OF_LIST)
    songs = _by_playlist(SongLine, session.rows("insights/find_report_songs", (wanted, rows)))
    places = _by_playlist(SongPlace, session.rows("insights/find_report_places", (wanted, rows)))
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
            artists=artists[own],
            ages=ages[own],
            rejects=rejects[own],
        )


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()


def _by_playlist(kind: type[R], rows: Iterable[dict[str, Any]]) -> dict[str, list[R]]:
    found: dict[str, list[R]] = defaultdict(list)
    for row in rows:
        record = kind(**row)
        found[record.playlist_id].append(record)
    return found
