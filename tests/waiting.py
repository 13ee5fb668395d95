"""Waiting for what other processes do, never longer than needed."""

from collections.abc import Callable
from threading import Event
from time import monotonic
from typing import TypeVar

T = TypeVar("T")
PATIENCE_S = 120


def until(look: Callable[[], T | None], what: str, patience_s: float = PATIENCE_S) -> T:
    """The first thing that is found, looking again and again."""
    deadline, pause = monotonic() + patience_s, Event()
    while not (found := look()):
        assert monotonic() < deadline, f"{what} did not come within {patience_s} s"
        pause.wait(0.2)
    return found
