"""One run in its own process: `python -m tests.bench.one_run PLAYLISTS ENTRIES DATES LATENCY_MS`.

Keeps (if DATES is 1) and publishes synthetic playlists without services; prints the times as JSON.
"""

import json
import sys
from datetime import UTC, datetime
from time import perf_counter, process_time
from typing import Any, NamedTuple

from pipeline.keep import Keeper, keep_playlists
from pipeline.lake.kept_details import KeptDetails
from pipeline.lake.retry_budget import RetryBudget
from pipeline.records import Manifest, Run
from pipeline.write import Writer
from tests.bench.synthetic import Spotify, SyntheticLake, kept, playlist_ids


class Size(NamedTuple):
    """Size of a run: with one date an ingest, which reads Spotify first; otherwise a backfill."""

    playlists: int
    entries: int
    dates: int = 1
    latency_ms: int = 0


class Times(NamedTuple):
    """Wall and CPU time of publishing, CPU time of its first tenth, and the number of snapshots read."""

    seconds: float
    cpu_seconds: float
    tenth_cpu_seconds: float
    reads: int


def main(size: Size) -> Times:
    """Runs an ingest or a backfill; raises RuntimeError if an entry is missing."""
    lake, now = SyntheticLake(size.entries, size.latency_ms / 1000), datetime.now(UTC)
    run = Run("20261120T060000Z-00000000", now.date(), now, "bench", "bench")
    if size.dates == 1:
        _keep(lake, run, size)
    start, cpu = perf_counter(), process_time()
    writer = Writer(lake, KeptDetails(lake), run, "copy", RetryBudget(size.playlists))
    manifest, failed = writer.write(kept(size.playlists, size.dates))
    reads = lake.cpu_at_reads
    tenth = reads[len(reads) // 10] - cpu
    times = Times(perf_counter() - start, process_time() - cpu, tenth, len(reads))
    wanted = size.playlists * size.entries * size.dates
    if failed or _entries(manifest) != wanted:
        raise RuntimeError(f"{_entries(manifest)} of {wanted} entries were published: {failed[:1]}")
    return times


def _keep(lake: SyntheticLake, run: Run, size: Size) -> None:
    spotify: Any = Spotify(size.entries)
    keeper = Keeper(spotify, lake, run, lambda *_: False, RetryBudget(size.playlists))
    work = keep_playlists(keeper, playlist_ids(size.playlists))
    if len(work.kept) != size.playlists:
        raise RuntimeError(f"only {len(work.kept)} playlists were kept: {work.others[:1]}")


def _entries(manifest: Manifest) -> int:
    return manifest.rows("playlist_songs") + manifest.rows("rejects")


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(Size(*map(int, sys.argv[1:])))._asdict()) + "\n")
