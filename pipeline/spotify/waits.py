"""All waiting of a run: one budget for its threads, one pause for a rate window, one stop for all."""

import random
import threading
from collections.abc import Callable

from pipeline.errors import Code, PlaylistUnavailable, RateLimited, StopRun, Transient

BUDGET_S = 300.0
"""Seconds that a run may spend on failed requests and on waiting for the next, threads side by side."""
SHORTEST_WAIT_S = 1.0
"""Spotify's Retry-After may be 0; without a wait the budget would never end."""
LONGEST_BACKOFF_S = 30.0


class Waits:
    """Shared by the threads of a client. Seconds in which several of them wait count once."""

    def __init__(
        self, budget_s: float, sleep: Callable[[float], None] | None, clock: Callable[[], float]
    ) -> None:
        self._budget = self._budget_s = budget_s
        self._stopping = threading.Event()
        self._sleep = sleep or self._stopping.wait  # what stops the run ends every wait
        self._clock = clock
        self._lock = threading.Lock()
        self._reason: StopRun | None = None
        self._charged_until = clock()
        self._paused_until = clock()

    def now(self) -> float:
        """The time, in seconds."""
        return self._clock()

    def sleep(self, seconds: float) -> None:
        """Waits, and charges nothing. Raises what has stopped the run."""
        if self._reason is None and seconds > 0:
            self._sleep(seconds)
        if self._reason is not None:
            raise self._reason

    def hold(self) -> float:
        """Waits while a rate window pauses the app; returns the time. Raises what has stopped the run."""
        while self._reason is None and (left := self._paused_until - self._clock()) > 0:
            self._sleep(left)
        if self._reason is not None:
            raise self._reason
        return self._clock()

    def charge(self, began: float, wait: float = 0.0) -> bool:
        """Charges the time since `began` and a wait to come; False, and no charge, beyond the budget."""
        with self._lock:
            return self._charge(began, self._clock() + wait)

    def _charge(self, began: float, until: float) -> bool:
        charge = max(0.0, until - max(began, self._charged_until))
        if charge > self._budget:
            return False
        self._budget -= charge
        self._charged_until = max(self._charged_until, until)
        return True

    def stop(self, reason: StopRun) -> StopRun:
        """Makes every thread stop before its next request; returns the first reason."""
        with self._lock:
            self._reason = self._reason or reason
        self._stopping.set()
        return self._reason

    def wait(self, subject: str, failure: Transient, attempt: int, began: float) -> None:
        """Waits after a request that began at a time and failed; where nothing is left, `subject` fails.

        A rate window is the app's, so it pauses all threads.
        """
        backoff = min(2.0**attempt, LONGEST_BACKOFF_S) * random.uniform(0.5, 1.0)  # noqa: S311 - jitter
        limited = isinstance(failure, RateLimited)
        seconds = max(failure.seconds, SHORTEST_WAIT_S) if isinstance(failure, RateLimited) else backoff
        until = self._clock() + seconds
        with self._lock:
            if not self._charge(began, until):
                where = "" if subject in failure.message else f"{subject}: "
                waited = f"the {self._budget_s:g} s that a run may wait are used up"
                raise PlaylistUnavailable(
                    f"{where}{failure.message}; {waited}. Run again later", Code.SPOTIFY_BUDGET
                )
            if limited:
                self._paused_until = max(self._paused_until, until)
        if not limited:
            self._sleep(until - self._clock())
