"""Threads that wait for services."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

THREADS = 8


@contextmanager
def threads() -> Iterator[ThreadPoolExecutor]:
    """A pool that nobody waits for where the block ends early: a hanging service must not hold up SIGTERM."""
    pool = ThreadPoolExecutor(THREADS)
    try:
        yield pool
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
