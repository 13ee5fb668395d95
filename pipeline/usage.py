"""What a run used of the three services: requests, bytes and statements, counted where each passes."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from threading import Lock

from msgspec import Struct


class Usage(Struct, frozen=True):
    """Counts of a run, what was repeated included; bytes are of bodies.

    `spotify_requests`: those for tokens too. `spotify_bytes`: read, after decompression. `lake_requests`: to
    S3. `lake_bytes_written`, `lake_bytes_read`: of files, compressed. `statements`: sent to Snowflake.
    """

    spotify_requests: int = 0
    spotify_bytes: int = 0
    lake_requests: int = 0
    lake_bytes_written: int = 0
    lake_bytes_read: int = 0
    statements: int = 0


class Meter:
    """Adds up what is used. Threads share it."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._lock = Lock()

    def add(self, counts: dict[str, int]) -> None:
        """Adds to some of the counts."""
        with self._lock:
            self._counts.update(counts)

    def usage(self) -> Usage:
        """The counts so far."""
        with self._lock:
            return Usage(**self._counts)


# A context variable, so that clients need not be handed a meter by every task that makes one: the tasks of a
# run and the threads of pipeline/threads.py have the context of its flow, and another run has another.
_meter: ContextVar[Meter | None] = ContextVar("meter", default=None)


@contextmanager
def metered() -> Iterator[Meter]:
    """Counts what is used in this context, until the block ends."""
    meter = Meter()
    token = _meter.set(meter)
    try:
        yield meter
    finally:
        _meter.reset(token)


def count_usage(**counts: int) -> None:
    """Counts what has just been used, by the fields of Usage; outside `metered` it is not counted."""
    if meter := _meter.get():
        meter.add(counts)


def usage_so_far() -> Usage:
    """The counts of the run whose context this is."""
    meter = _meter.get()
    return meter.usage() if meter else Usage()
