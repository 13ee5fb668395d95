"""Peak memory of runs of different sizes, and growth of time with the number of dates."""

import json
import os
import subprocess
import sys
from typing import NamedTuple

from pipeline.threads import THREADS
from tests.bench.one_run import Size, Times

BASE = Size(1, 100)
ALLOWED_MB = 150
LARGE = [Size(1000, 100), Size(500, 1000), Size(20, 10_000), Size(20, 10, dates=1000)]
"""The last one has few entries and many dates: it shows state kept per date, playlist or file."""
YEAR, TENTH = Size(20, 100, dates=370), Size(20, 100, dates=37)
HIGH_LATENCY = Size(20, 100, dates=30, latency_ms=50)
KIB_PER_MB = 1024
"""`ru_maxrss` is in KiB."""


class Measured(NamedTuple):
    """Times and peak memory of a run."""

    times: Times
    peak_mb: float


def measure() -> list[tuple[str, str, str]]:
    """Rows of the table: what, measured, allowed."""
    base = run(BASE).peak_mb
    return [*(_memory(size, base) for size in LARGE), *_backfill(), *_high_latency()]


def _memory(size: Size, base: float) -> tuple[str, str, str]:
    run_of = f"{size.dates:,} dates x {size.playlists:,} playlists x {size.entries:,} entries"
    what = f"{run_of}: peak memory, MB over that of 1 x 1 x 100 ({base:.0f} MB)"
    return what, f"{run(size).peak_mb - base:.0f}", str(ALLOWED_MB)


def _backfill() -> list[tuple[str, str, str]]:
    """Compares CPU times within one run: the machine's speed varies more between two runs."""
    year, tenth = run(YEAR), run(TENTH)
    what = f"backfill of {YEAR.dates} dates x {YEAR.playlists} x {YEAR.entries} / a tenth of it"
    seconds = f"CPU time ({year.times.cpu_seconds:.1f} s)"
    return [
        (f"{what}: {seconds}", f"{year.times.cpu_seconds / year.times.tenth_cpu_seconds:.2f}", "10.5"),
        (f"{what}: memory ({year.peak_mb:.0f} MB)", f"{year.peak_mb / tenth.peak_mb:.2f}", "1.1"),
    ]


def _high_latency() -> list[tuple[str, str, str]]:
    """Ideal time if everything overlaps: the larger of CPU time and of reading in all threads."""
    times = run(HIGH_LATENCY).times
    ideal = max(times.cpu_seconds, times.reads * HIGH_LATENCY.latency_ms / 1000 / THREADS)
    what = f"{HIGH_LATENCY.dates} dates, {HIGH_LATENCY.latency_ms} ms for each request to S3: time ÷ ideal"
    return [(f"{what} ({ideal:.1f} s)", f"{times.seconds / ideal:.2f}", "1.25")]


def run(size: Size) -> Measured:
    """Runs this size in its own process."""
    command = [sys.executable, "-m", "tests.bench.one_run", *map(str, size)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as child:
        if child.stdout is None:
            raise RuntimeError("no output")
        text = child.stdout.read()
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise RuntimeError(f"{size} ended with {child.returncode}")
    return Measured(Times(**json.loads(text)), usage.ru_maxrss / KIB_PER_MB)
