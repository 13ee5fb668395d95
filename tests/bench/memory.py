"""Runs of every size: their peak memory, measured from outside, and how their time grows."""

import json
import os
import subprocess
import sys
from typing import NamedTuple

from pipeline.threads import THREADS
from tests.bench.half import Size, Took

BASE = Size(1, 100)
ALLOWED_MB = 150
LARGE = [Size(1000, 100), Size(500, 1000), Size(20, 10_000), Size(20, 10, dates=1000)]
"""The last one has few entries: what could grow with dates is kept for each date, playlist and file."""
YEAR, TENTH = Size(20, 100, dates=370), Size(20, 100, dates=37)
FAR_AWAY = Size(20, 100, dates=30, latency_ms=50)
MB = 1024
"""`ru_maxrss` is in KiB."""


class Measured(NamedTuple):
    """What a run took, and the most memory that its process had."""

    took: Took
    peak_mb: float


def measure() -> list[tuple[str, str, str]]:
    """Rows for the table: what, measured, allowed."""
    base = run(BASE).peak_mb
    return [*(_memory(size, base) for size in LARGE), *_backfill(), *_far_away()]


def _memory(size: Size, base: float) -> tuple[str, str, str]:
    run_of = f"{size.dates:,} dates x {size.playlists:,} playlists x {size.entries:,} entries"
    what = f"{run_of}: peak memory, MB over that of 1 x 1 x 100 ({base:.0f} MB)"
    return what, f"{run(size).peak_mb - base:.0f}", str(ALLOWED_MB)


def _backfill() -> list[tuple[str, str, str]]:
    """Times are compared within one run: between two runs a machine's speed differs by more than that."""
    year, tenth = run(YEAR), run(TENTH)
    what = f"backfill of {YEAR.dates} dates x {YEAR.playlists} x {YEAR.entries} / a tenth of it"
    seconds = f"CPU time ({year.took.cpu_seconds:.1f} s)"
    return [
        (f"{what}: {seconds}", f"{year.took.cpu_seconds / year.took.tenth_cpu_seconds:.2f}", "10.5"),
        (f"{what}: memory ({year.peak_mb:.0f} MB)", f"{year.peak_mb / tenth.peak_mb:.2f}", "1.1"),
    ]


def _far_away() -> list[tuple[str, str, str]]:
    """If everything overlaps, the time is that of the slower: the processor, or reading in all threads."""
    took = run(FAR_AWAY).took
    ideal = max(took.cpu_seconds, took.reads * FAR_AWAY.latency_ms / 1000 / THREADS)
    what = f"{FAR_AWAY.dates} dates, {FAR_AWAY.latency_ms} ms for each request to S3: time ÷ ideal"
    return [(f"{what} ({ideal:.1f} s)", f"{took.seconds / ideal:.2f}", "1.25")]


def run(size: Size) -> Measured:
    """A run of this size in a process of its own."""
    command = [sys.executable, "-m", "tests.bench.half", *map(str, size)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as child:
        if child.stdout is None:
            raise RuntimeError("no output")
        text = child.stdout.read()
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise RuntimeError(f"{size} ended with {child.returncode}")
    return Measured(Took(**json.loads(text)), usage.ru_maxrss / MB)
