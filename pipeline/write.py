"""Writes kept snapshots to the lake as CSV files. Reads, decoding and uploads overlap; memory is bounded."""

import logging
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from functools import partial
from itertools import chain, groupby
from typing import NamedTuple

from pipeline.errors import AccountingError, PipelineError, PlaylistUnavailable
from pipeline.lake.csv_files import TableFiles
from pipeline.lake.kept_details import KeptDetails
from pipeline.lake.layout import LoadMode
from pipeline.lake.retry_budget import RetryBudget
from pipeline.lake.snapshot_files import read_snapshot, read_to_end
from pipeline.lake.snapshots import by_date
from pipeline.lake.store import Lake
from pipeline.records import File, Kept, Manifest, PlaylistLine, Run, Snapshot
from pipeline.threads import THREADS, threads
from pipeline.transform.partitions import partition_lines
from pipeline.transform.responses import snapshot_rows
from pipeline.transform.rows import PlaylistRows
from pipeline.transform.tables import build_tables

log = logging.getLogger(__name__)

MAX_BATCH_ENTRIES = 10_000
MAX_BATCH_PLAYLISTS = 200
"""Limits of the batch of playlists from which tables are built: large enough that the fixed cost per batch
does not matter, and no larger than the largest playlist."""
MAX_DATES_UPLOADING = 2
"""Maximum number of dates whose files are uploaded from disk while the next date is decoded."""

Fetched = tuple[Kept, Callable[[], bytes]]
"""A snapshot, and a function that waits for its file and returns it compressed (a tenth of its size)."""


@dataclass(frozen=True)
class Writer:
    """Writes the tables of a run to the lake."""

    lake: Lake
    details: KeptDetails
    run: Run
    load: LoadMode
    retries: RetryBudget

    def write(self, kept: Sequence[Kept]) -> tuple[Manifest, list[PlaylistLine]]:
        """Writes the tables of all dates. Also returns lines of the playlists that cannot be read."""
        dates, failed = by_date(kept), list[PlaylistLine]()
        uploading = deque[_Uploading]()
        written: list[Manifest] = []
        with self._waiting(), threads() as readers, threads() as uploaders:
            fetched = self._fetched(readers, chain.from_iterable(dates.values()))
            for day, snapshots in groupby(fetched, lambda one: one[0].snapshot_date):
                files, lines = self._collect(day, dates[day], self._batches(snapshots, failed))
                uploading.append(_Uploading(day, files.upload(self.lake, uploaders), lines))
                if len(uploading) > MAX_DATES_UPLOADING:
                    written.append(uploading.popleft().wait(len(written), len(dates)))
            for one in uploading:
                written.append(one.wait(len(written), len(dates)))
        return Manifest.of(written), failed

    def _collect(
        self, day: date, kept: Sequence[Kept], batches: Iterable[list[PlaylistRows]]
    ) -> tuple[TableFiles, list[PlaylistLine]]:
        """The files of one date, on the local disk, and the lines of its playlists."""
        keys = {one.playlist_id: one.key for one in kept}
        files, lines = TableFiles(day, self.run.run_id, self.load), list[PlaylistLine]()
        try:
            for batch in batches:
                lines += self._append(files, day, keys, batch)
        except BaseException:
            files.close()
            raise
        return files, lines

    def _append(
        self, files: TableFiles, day: date, keys: Mapping[str, str], batch: list[PlaylistRows]
    ) -> list[PlaylistLine]:
        """Adds a batch to the files of its date, with the details that were kept when it was fetched."""
        fetched_on = [rows.fetched_at.date() for rows in batch]
        details = self.details.known(min(fetched_on), max(fetched_on))
        tables = build_tables(batch, day, self.run.run_id, details)
        files.append(tables)
        return partition_lines(tables, batch, keys)

    def _batches(
        self, snapshots: Iterable[Fetched], failed: list[PlaylistLine]
    ) -> Iterator[list[PlaylistRows]]:
        """Decodes snapshots one at a time, in batches. A batch is cleared when the next one is requested."""
        batch: list[PlaylistRows] = []
        for one, fetch in snapshots:
            with self._unreadable_to(failed, one):
                snapshot = read_snapshot(self.lake, one.key, fetch)
                if _is_full(batch, snapshot.envelope.total):
                    yield batch
                    batch.clear()
                batch.append(_decoded(snapshot))
        if batch:
            yield batch

    @contextmanager
    def _unreadable_to(self, failed: list[PlaylistLine], one: Kept) -> Iterator[None]:
        """Adds an unreadable playlist to `failed`. Raises an AccountingError again, with the file's URL."""
        try:
            yield
        except AccountingError as error:
            raise AccountingError(f"{self.lake.url}{one.key}: {error.message}", error.code) from error
        except PlaylistUnavailable as error:
            failed.append(PlaylistLine(one.playlist_id, one.snapshot_date, "failed", reason=str(error)))

    @contextmanager
    def _waiting(self) -> Iterator[None]:
        """Ends the waits of all threads if the block fails."""
        try:
            yield
        except BaseException:
            self.retries.close()
            raise

    def _fetched(self, pool: Executor, kept: Iterable[Kept]) -> Iterator[Fetched]:
        """Each snapshot with a function that waits for its file. Up to THREADS files are fetched ahead."""
        ahead: deque[tuple[Kept, Future[bytes]]] = deque()
        for one in kept:
            fetch = partial(self.lake.read, one.key)
            request = partial(self.retries.request, one.playlist_id, fetch)
            ahead.append((one, pool.submit(request)))
            if len(ahead) > THREADS:
                found, future = ahead.popleft()
                yield found, future.result
        while ahead:
            found, future = ahead.popleft()
            yield found, future.result


class _Uploading(NamedTuple):
    """A date whose files are being uploaded."""

    day: date
    files: list[Future[File]]
    lines: list[PlaylistLine]

    def wait(self, earlier: int, dates: int) -> Manifest:
        """Waits for all files. For the log: `earlier` of `dates` dates have been written before."""
        manifest = Manifest([file.result() for file in self.files], self.lines)
        log.info("tables of %s written (date %s of %s)", self.day, earlier + 1, dates)
        return manifest


def _is_full(batch: list[PlaylistRows], entries: int) -> bool:
    """True if a playlist with this number of entries has to start the next batch."""
    held = sum(rows.entries for rows in batch)
    return bool(batch) and (held + entries > MAX_BATCH_ENTRIES or len(batch) >= MAX_BATCH_PLAYLISTS)


def _decoded(snapshot: Snapshot) -> PlaylistRows:
    """Decodes a snapshot and reads its file to the end: damage takes precedence over other errors."""
    try:
        rows = snapshot_rows(snapshot)
    except PipelineError:
        read_to_end(snapshot.bodies)
        raise
    read_to_end(snapshot.bodies)
    return rows
