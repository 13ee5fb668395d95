"""Usage of the three services by a run: requests, bytes and statements, counted where they are sent."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from threading import Lock

from msgspec import Struct


class Usage(Struct, frozen=True):
    """Counts of a run, including retries. Bytes are those of bodies, without headers.

    `spotify_requests`: including requests for tokens. `spotify_bytes`: read, after decompression.
    `lake_requests`: to S3. `lake_bytes_written`, `lake_bytes_read`: of files, compressed. `statements`: sent
    to Snowflake.
    """

    spotify_requests: int = 0
    spotify_bytes: int = 0
    lake_requests: int = 0
    lake_bytes_written: int = 0
    lake_bytes_read: int = 0
    statements: int = 0


class Meter:
    """Adds up usage. Thread-safe."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._lock = Lock()

    def add(self, counts: dict[str, int]) -> None:
        """Adds to the named counts."""
        with self._lock:
            self._counts.update(counts)

    def usage(self) -> Usage:
        """The counts so far."""
        with self._lock:
            return Usage(**self._counts)


# A context variable, so that tasks need not pass a meter to every client. The tasks of a run and the threads
# of pipeline/threads.py share the context of its flow; another run has another context.
_meter: ContextVar[Meter | None] = ContextVar("meter", default=None)


@contextmanager
def metered() -> Iterator[Meter]:
    """Counts the usage in this context until the block ends."""
    meter = Meter()
    token = _meter.set(meter)
    try:
        yield meter
    finally:
        _meter.reset(token)


def count_usage(**counts: int) -> None:
    """Adds to the counts of the current run, by field of Usage; has no effect outside `metered`."""
    if meter := _meter.get():
        meter.add(counts)


def usage_so_far() -> Usage:
    """The counts of the current run so far."""
    meter = _meter.get()
    return meter.usage() if meter else Usage()
