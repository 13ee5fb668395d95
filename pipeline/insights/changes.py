"""Finds the changes of playlists since their previous snapshots."""

import logging
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from itertools import groupby
from operator import itemgetter
from typing import Any

import msgspec

from pipeline.insights.song_changes import ListedSong, ListedTooOften, compare_songs
from pipeline.records import PlaylistChanges
from pipeline.warehouse.session import Session

log = logging.getLogger(__name__)

Row = Mapping[str, Any]
MAX_ENTRIES = 200_000
"""Limit of the entries that are compared at once, of both snapshots together: about 200 MB of memory."""


def find_changes(session: Session, partitions: Iterable[tuple[str, date]]) -> list[PlaylistChanges]:
    """Changes of playlists, one partition of each, with a single statement.

    Playlists without an earlier snapshot are left out. So are playlists that cannot be compared, for example
    because they are too large; the log names these.
    """
    wanted = [{"playlist_id": playlist, "snapshot_date": day} for playlist, day in partitions]
    rows = session.rows("insights/find_listed_songs", (msgspec.json.encode(wanted).decode(), MAX_ENTRIES))
    found = [_changes([*own]) for _, own in groupby(rows, itemgetter("playlist_id"))]
    return [changes for changes in found if changes]


def _changes(rows: Sequence[Row]) -> PlaylistChanges | None:
    """Changes of one playlist, from the entries of both snapshots in the order of their positions."""
    playlist = rows[0]
    if not playlist["is_compared"]:
        _warn(playlist, f"the playlists together have more than {MAX_ENTRIES:,} entries")
        return None
    earlier, later = ([row for row in rows if row["is_later"] is side] for side in (False, True))
    try:
        entered, left, moved = compare_songs(_listed(earlier), _listed(later))
    except Exception as error:  # noqa: BLE001 - no error may prevent the comparison of other playlists
        _warn(playlist, error if isinstance(error, ListedTooOften) else type(error).__name__)
        return None
    return PlaylistChanges(
        playlist_id=playlist["playlist_id"],
        name=playlist["playlist_name"],
        snapshot_date=playlist["snapshot_date"],
        previous_date=playlist["previous_date"],
        entered=entered,
        left=left,
        moved=moved,
        rejected=dict(_reasons(later) - _reasons(earlier)),
    )


def _warn(playlist: Row, why: object) -> None:
    log.warning("playlist %s: its changes are not described, because %s", playlist["playlist_id"], why)


def _listed(rows: Iterable[Row]) -> list[ListedSong]:
    return [
        ListedSong(row["position"], row["song_id"], row["song_name"], row["artist_name"], row["added_by"])
        for row in rows
        if row["song_id"] is not None
    ]


def _reasons(rows: Iterable[Row]) -> Counter[str]:
    return Counter(row["reason"] for row in rows if row["reason"] is not None)
