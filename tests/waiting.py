"""Waits for a condition in another process, without a fixed delay."""

from collections.abc import Callable
from threading import Event
from time import monotonic
from typing import TypeVar

T = TypeVar("T")
TIMEOUT_S = 120


def until(find: Callable[[], T | None], what: str, timeout_s: float = TIMEOUT_S) -> T:
    """Calls `find` repeatedly until its result is true, and returns the result; `what`: for the message."""
    deadline, pause = monotonic() + timeout_s, Event()
    while not (found := find()):
        assert monotonic() < deadline, f"timeout after {timeout_s} s: waited for {what}"
        pause.wait(0.2)
    return found
