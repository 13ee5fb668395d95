"""Queries the report's contents from the warehouse. The number of queries is fixed."""

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
"""Maximum number of playlists that are shown in full: those with the most changes."""
TOTAL_ROWS = 1_000
"""Songs in all lists together, distributed evenly."""
MIN_ROWS_PER_LIST = 200
"""Songs that each list may show regardless of TOTAL_ROWS; a report that becomes too large is cut."""
NEWEST = date(9999, 12, 31)
"""Date that selects the newest snapshot."""


class OfPlaylist(Protocol):
    """A record of one playlist."""

    @property
    def playlist_id(self) -> str:
        """Id of the playlist."""


R = TypeVar("R", bound=OfPlaylist)


def find_report(session: Session, playlists: Sequence[str], on: date | None = None) -> ReportContents | None:
    """Contents of the report on playlists (empty: all) for a date (default: the newest).

    Returns None if there is no snapshot on or before the date. Up to MAX_DETAILED playlists are all shown in
    full, in the order of `playlists`. If there are more, those with the most changes come first, and
    unchanged ones are not shown in full.
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
    """Sort key: most changes, new, unchanged, stale. The query's order, by name, decides between equals."""
    return figures.is_stale, -figures.change_count, not figures.is_first


def _details(
    session: Session, figures: Sequence[PlaylistFigures], changes: Mapping[str, PlaylistChanges]
) -> Iterator[PlaylistDetails]:
    fields = ("playlist_id", "snapshot_date", "previous_date")
    wanted = _json([{field: getattr(one, field) for field in fields} for one in figures])
    rows = max(TOTAL_ROWS // len(figures), MIN_ROWS_PER_LIST)
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
