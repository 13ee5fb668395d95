"""Kept snapshots of one date to CSV files in the lake."""

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from datetime import date
from functools import partial
from typing import NamedTuple

from pipeline.errors import AccountingError, PlaylistUnavailable
from pipeline.lake.csv_files import Manifest, partitions, write_files
from pipeline.lake.kept_details import KeptDetails
from pipeline.lake.layout import LoadMode
from pipeline.lake.patience import Patience
from pipeline.lake.snapshots import Kept, read_snapshot
from pipeline.lake.store import Lake
from pipeline.receipt import PlaylistLine
from pipeline.threads import THREADS, threads
from pipeline.transform.tables import Rows, build_tables, snapshot_rows


class Writer(NamedTuple):
    """Writes a run's tables to the lake."""

    lake: Lake
    details: KeptDetails
    run_id: str
    load: LoadMode
    patience: Patience

    def write(self, day: date, kept: list[Kept]) -> tuple[Manifest, list[PlaylistLine]]:
        """Writes the tables of one date; playlists that cannot be read are left out and returned."""
        rows, failed = self._decoded(day, kept)
        if not rows:
            return Manifest([], []), failed
        looks = [one.playlist["fetched_at"].date() for one in rows]
        tables = build_tables(rows, day, self.run_id, self.details.known(min(looks), max(looks)))
        sources = {one.playlist_id: one.key for one in kept}
        files = write_files(self.lake, tables, day, self.run_id, self.load)
        return Manifest(files, partitions(tables, sources)), failed

    def _decoded(self, day: date, kept: list[Kept]) -> tuple[list[Rows], list[PlaylistLine]]:
        """Fetches side by side, but decodes one by one: compressed, a file is a tenth of what it holds."""
        rows, failed = [], []
        with self._waiting(), threads() as pool:
            for one, fetched in self._fetched(pool, kept):
                try:
                    rows.append(snapshot_rows(read_snapshot(self.lake, one.key, fetched)))
                except AccountingError as error:
                    raise AccountingError(f"{self.lake.url}{one.key}: {error.message}", error.code) from error
                except PlaylistUnavailable as error:
                    failed.append(PlaylistLine(one.playlist_id, day, "failed", reason=str(error)))
        return rows, failed

    @contextmanager
    def _waiting(self) -> Iterator[None]:
        """Ends the waits of all threads where the block ends early."""
        try:
            yield
        except BaseException:
            self.patience.close()
            raise

    def _fetched(self, pool: Executor, kept: list[Kept]) -> Iterator[tuple[Kept, Callable[[], bytes]]]:
        """Each snapshot with what fetches its bytes; no more are fetched ahead than there are threads."""
        ahead: deque[tuple[Kept, Future[bytes]]] = deque()
        for one in kept:
            fetch = partial(self.lake.read, one.key)
            request = partial(self.patience.request, one.playlist_id, fetch)
            ahead.append((one, pool.submit(request)))
            if len(ahead) > THREADS:
                found, future = ahead.popleft()
                yield found, future.result
        while ahead:
            found, future = ahead.popleft()
            yield found, future.result
