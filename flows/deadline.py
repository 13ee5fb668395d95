"""The deadline of a run: an alarm that interrupts whatever the main thread waits for."""

import logging
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import current_thread, main_thread
from time import monotonic

log = logging.getLogger(__name__)

AGAIN_S = 300.0
"""Seconds after which the alarm is repeated: what a run does after its deadline must end, too."""
AT_ONCE_S = 0.001


class OutOfTime(BaseException):
    """The run has reached its deadline. Not an Exception: no client may take it for a failed request.

    `where`: what the run was doing. `outcome`: what became of its load.
    """

    def __init__(self, where: str) -> None:
        super().__init__(where)
        self.where = where
        self.outcome = "Nothing was loaded"


@contextmanager
def run_deadline(seconds: float, where: Callable[[], str], again: float = AGAIN_S) -> Iterator[None]:
    """Raises OutOfTime in the main thread after `seconds`, and `again`; `where` is called then.

    Never outlives an alarm that is set already; that one's handler and remaining time are restored.
    Outside the main thread, where Python delivers no signals, it only warns that nothing ends the run.
    """
    if current_thread() is not main_thread():
        log.warning("max_hours is not enforced: this run is not in the main thread of its process")
        yield
        return

    def expire(*_: object) -> None:
        raise OutOfTime(where())

    before, start = signal.getitimer(signal.ITIMER_REAL), monotonic()
    handler = signal.signal(signal.SIGALRM, expire)
    signal.setitimer(signal.ITIMER_REAL, min(seconds, before[0] or seconds), again)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, handler)
        if before[0]:
            signal.setitimer(signal.ITIMER_REAL, max(before[0] - monotonic() + start, AT_ONCE_S), before[1])


def lift_deadline() -> None:
    """Cancels the deadline that is set; leaving its context restores what was before it."""
    signal.setitimer(signal.ITIMER_REAL, 0)
