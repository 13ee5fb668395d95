"""Deadline of a run: an alarm signal that interrupts the main thread, whatever it is waiting for."""

import logging
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import current_thread, main_thread
from time import monotonic

log = logging.getLogger(__name__)

REPEAT_S = 300.0
"""Interval of repeated alarms: the clean-up after the deadline may not respond, either."""
IMMEDIATELY_S = 0.001
"""A timer of 0 would be switched off."""


class OutOfTime(BaseException):
    """The run has reached its deadline.

    Not an Exception, because clients would catch it as a failed request and retry.
    `where`: the step that was interrupted. `outcome`: whether the run's data is loaded.
    """

    def __init__(self, where: str) -> None:
        super().__init__(where)
        self.where = where
        self.outcome = "Nothing was loaded"


@contextmanager
def run_deadline(seconds: float, where: Callable[[], str], repeat_s: float = REPEAT_S) -> Iterator[None]:
    """Raises OutOfTime in the main thread after `seconds`, then every `repeat_s`.

    `where` returns the step that is interrupted. If an earlier alarm is already set, that time applies. The
    earlier handler and its remaining time are restored at the end. Python delivers signals only to the main
    thread; in any other thread, this only warns that there is no deadline.
    """
    if current_thread() is not main_thread():
        log.warning("max_hours is not enforced: this run is not in the main thread of its process")
        yield
        return

    def expire(*_: object) -> None:
        raise OutOfTime(where())

    before, start = signal.getitimer(signal.ITIMER_REAL), monotonic()
    handler = signal.signal(signal.SIGALRM, expire)
    signal.setitimer(signal.ITIMER_REAL, min(seconds, before[0] or seconds), repeat_s)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, handler)
        if before[0]:
            remaining = max(before[0] - monotonic() + start, IMMEDIATELY_S)
            signal.setitimer(signal.ITIMER_REAL, remaining, before[1])


def cancel_deadline() -> None:
    """Cancels the current deadline. The end of its `run_deadline` block restores the earlier alarm."""
    signal.setitimer(signal.ITIMER_REAL, 0)
