"""A month of kept snapshots, as daily runs would have left them in the lake."""

from collections.abc import Collection
from datetime import UTC, date, datetime, time, timedelta

from pipeline import VERSION
from pipeline.lake.raw_files import RawFile
from pipeline.lake.snapshot_files import keep_snapshot
from pipeline.lake.store import Lake
from pipeline.records import Envelope
from sandbox.spotify import catalogue
from sandbox.spotify.shapes import answers

WANTED = (catalogue.SHARED, *catalogue.PLAYLISTS)
"""What daily runs read: first the playlist that people edit."""


def keep_history(lake: Lake, today: date, days: int, missed: Collection[date] = ()) -> int:
    """Keeps what the catalogue showed on the days before today; returns the number of snapshots.

    `missed`: days of them on which no run kept anything.
    """
    kept = 0
    for age in range(days, 0, -1):
        day = today - timedelta(days=age)
        for playlist_id in WANTED if day not in missed else ():
            kept += _keep(lake, playlist_id, day)
    return kept


def _keep(lake: Lake, playlist_id: str, day: date) -> bool:
    playlist = catalogue.playlist(playlist_id, day)
    if playlist is None:
        return False
    fetched_at = datetime.combine(day, time(6), UTC)
    envelope = Envelope(
        run_id=f"{fetched_at:%Y%m%dT%H%M%SZ}-00000000",
        playlist_id=playlist_id,
        snapshot_id=playlist["snapshot_id"],
        fetched_at=fetched_at,
        api_shape="both",
        total=len(playlist["entries"]),
        code_version=VERSION,
    )
    keep_snapshot(lake, RawFile.of(envelope, answers(playlist, "both")), day)
    return True
