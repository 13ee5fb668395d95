"""Kept snapshots of one date to CSV files in the lake."""

from datetime import date
from typing import NamedTuple

from flows.errors import PlaylistUnavailable
from flows.lake.details import KeptDetails
from flows.lake.files import Manifest, partitions, write_files
from flows.lake.layout import LoadMode
from flows.lake.snapshots import Kept, read_snapshot
from flows.lake.store import Lake
from flows.receipt import PlaylistLine
from flows.threads import threads
from flows.transform.tables import Rows, build_tables, snapshot_rows


class Writer(NamedTuple):
    """Writes a run's tables to the lake."""

    lake: Lake
    details: KeptDetails
    run_id: str
    load: LoadMode

    def write(self, day: date, kept: list[Kept]) -> tuple[Manifest, list[PlaylistLine]]:
        """Writes the tables of one date; playlists that cannot be decoded are left out and returned."""
        rows, failed = self._decoded(day, kept)
        if not rows:
            return Manifest([], []), failed
        looks = [one.playlist["fetched_at"].date() for one in rows]
        tables = build_tables(rows, day, self.run_id, self.details.known(min(looks), max(looks)))
        sources = {one.playlist_id: one.key for one in kept}
        files = write_files(self.lake, tables, day, self.run_id, self.load)
        return Manifest(files, partitions(tables, sources)), failed

    def _decoded(self, day: date, kept: list[Kept]) -> tuple[list[Rows], list[PlaylistLine]]:
        rows, failed = [], []
        with threads() as pool:
            reading = [pool.submit(read_snapshot, self.lake, one.key) for one in kept]
            for one, snapshot in zip(kept, reading, strict=True):
                try:
                    rows.append(snapshot_rows(snapshot.result()))
                except PlaylistUnavailable as error:
                    failed.append(PlaylistLine(one.playlist_id, day, "failed", reason=str(error)))
        return rows, failed
