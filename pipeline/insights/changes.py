"""What changed in playlists since their previous snapshots, as people would say it."""

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
"""Entries that are compared at once, those of both snapshots together: some 200 MB of memory."""


def find_changes(session: Session, partitions: Iterable[tuple[str, date]]) -> list[PlaylistChanges]:
    """What is different in playlists on a date, one of each, in one statement.

    Playlists without an earlier snapshot are left out, as are those that are too large; the log names these.
    """
    wanted = [{"playlist_id": playlist, "snapshot_date": day} for playlist, day in partitions]
    rows = session.rows("insights/find_listed_songs", (msgspec.json.encode(wanted).decode(), MAX_ENTRIES))
    found = [_changes([*own]) for _, own in groupby(rows, itemgetter("playlist_id"))]
    return [changes for changes in found if changes]


def _changes(rows: Sequence[Row]) -> PlaylistChanges | None:
    """Changes of one playlist, from its entries in order of their positions."""
    playlist = rows[0]
    if not playlist["is_compared"]:
        _warn(playlist, f"the playlists together have more than {MAX_ENTRIES:,} entries")
        return None
    earlier, later = ([row for row in rows if row["is_later"] is side] for side in (False, True))
    try:
        entered, left, moved = compare_songs(_listed(earlier), _listed(later))
    except Exception as error:  # noqa: BLE001 - whatever it is, the other playlists are described
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
    log.warning("playlist %s: what changed is not described, because %s", playlist["playlist_id"], why)


def _listed(rows: Iterable[Row]) -> list[ListedSong]:
    return [
        ListedSong(row["position"], row["song_id"], row["song_name"], row["artist_name"], row["added_by"])
        for row in rows
        if row["song_id"] is not None
    ]


def _reasons(rows: Iterable[Row]) -> Counter[str]:
    return Counter(row["reason"] for row in rows if row["reason"] is not None)
