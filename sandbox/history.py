"""Writes a history of raw snapshots to the lake, as daily runs would have kept them."""

from collections.abc import Collection
from datetime import UTC, date, datetime, time, timedelta

from pipeline import VERSION
from pipeline.lake.raw_files import RawFile
from pipeline.lake.snapshot_files import keep_snapshot
from pipeline.lake.store import Lake
from pipeline.records import Envelope
from sandbox.spotify import catalogue
from sandbox.spotify.shapes import response_bodies

DAILY_PLAYLISTS = (catalogue.SHARED, *catalogue.PLAYLISTS)
"""Playlists of the daily runs, first the one that two people edit."""


def keep_history(lake: Lake, today: date, days: int, missed: Collection[date] = ()) -> int:
    """Keeps the catalogue's playlists of the `days` days before today; returns the number of snapshots.

    `missed`: dates without snapshots.
    """
    kept = 0
    for age in range(days, 0, -1):
        day = today - timedelta(days=age)
        for playlist_id in DAILY_PLAYLISTS if day not in missed else ():
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
    keep_snapshot(lake, RawFile.of(envelope, response_bodies(playlist, "both")), day)
    return True
