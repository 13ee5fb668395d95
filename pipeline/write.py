"""Kept snapshots of one date to CSV files in the lake."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from functools import partial

from pipeline.errors import AccountingError, PlaylistUnavailable
from pipeline.lake.csv_files import write_files
from pipeline.lake.kept_details import KeptDetails
from pipeline.lake.layout import LoadMode
from pipeline.lake.patience import Patience
from pipeline.lake.snapshots import read_snapshot
from pipeline.lake.store import Lake
from pipeline.records import Kept, Manifest, PlaylistLine, Run
from pipeline.threads import THREADS, threads
from pipeline.transform.details import details_frame
from pipeline.transform.partitions import partition_lines
from pipeline.transform.responses import snapshot_rows
from pipeline.transform.rows import PlaylistRows
from pipeline.transform.tables import build_tables


@dataclass(frozen=True)
class Writer:
    """Writes a run's tables to the lake."""

    lake: Lake
    details: KeptDetails
    run: Run
    load: LoadMode
    patience: Patience

    def write(self, day: date, kept: Sequence[Kept]) -> tuple[Manifest, list[PlaylistLine]]:
        """Writes the tables of one date; playlists that cannot be read are left out and returned."""
        rows, failed = self._decoded(day, kept)
        if not rows:
            return Manifest(), failed
        fetched_on = [one.fetched_at.date() for one in rows]
        known = self.details.known(min(fetched_on), max(fetched_on))
        details = {kind: details_frame(kind, found) for kind, found in known.items()}
        tables = build_tables(rows, day, self.run.run_id, details)
        files = write_files(self.lake, tables, day, self.run.run_id, self.load)
        return Manifest(
            files, partition_lines(tables, rows, {one.playlist_id: one.key for one in kept})
        ), failed

    def _decoded(self, day: date, kept: Sequence[Kept]) -> tuple[list[PlaylistRows], list[PlaylistLine]]:
        """Fetches in parallel, but decodes one by one: compressed, a file is a tenth of what it holds."""
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

    def _fetched(self, pool: Executor, kept: Sequence[Kept]) -> Iterator[tuple[Kept, Callable[[], bytes]]]:
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
