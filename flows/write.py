"""Kept snapshots of one date to CSV files in the lake."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date

from flows.errors import PlaylistUnavailable
from flows.lake.details import KeptDetails
from flows.lake.files import Manifest, partitions, write_files
from flows.lake.snapshots import Kept, read_snapshot
from flows.lake.store import Lake
from flows.receipt import PlaylistLine
from flows.transform.tables import Rows, build_tables, snapshot_rows

THREADS = 8


def write_date(
    lake: Lake, details: KeptDetails, day: date, kept: list[Kept], run_id: str
) -> tuple[Manifest, list[PlaylistLine]]:
    """Writes the tables of one date; playlists that cannot be decoded are left out and returned."""
    rows: list[Rows] = []
    failed = []
    with ThreadPoolExecutor(THREADS) as threads:
        reading = [threads.submit(read_snapshot, lake, one.key) for one in kept]
        for one, snapshot in zip(kept, reading, strict=True):
            try:
                rows.append(snapshot_rows(snapshot.result()))
            except PlaylistUnavailable as error:
                failed.append(PlaylistLine(one.playlist_id, day, "failed", reason=str(error)))
    if not rows:
        return Manifest([], []), failed
    looks = [one.playlist["fetched_at"].date() for one in rows]
    tables = build_tables(rows, day, run_id, details.known(min(looks), max(looks)))
    sources = {one.playlist_id: one.key for one in kept}
    return Manifest(write_files(lake, tables, day, run_id), partitions(tables, sources)), failed
