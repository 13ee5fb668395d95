"""Waits of a client: its threads share a time budget, a pause for a rate limit, and a stop."""

import random
import threading
from collections.abc import Callable

from pipeline.errors import Code, PlaylistUnavailable, RateLimited, StopRun, Transient

BUDGET_S = 300.0
"""Wait budget of a run: time of failed requests and of the waits after them; parallel waits count once."""
SHORTEST_WAIT_S = 1.0
"""Spotify's Retry-After may be 0; without a minimum, retries would never use up the budget."""
LONGEST_BACKOFF_S = 30.0


class Waits:
    """Waits that the threads of a client share. Time in which several threads wait is charged once."""

    def __init__(
        self, budget_s: float, sleep: Callable[[float], None] | None, clock: Callable[[], float]
    ) -> None:
        self._budget = self._budget_s = budget_s
        self._stopping = threading.Event()
        self._sleep = sleep or self._stopping.wait  # `stop` ends every wait
        self._clock = clock
        self._lock = threading.Lock()
        self._reason: StopRun | None = None
        self._charged_until = clock()
        self._paused_until = clock()

    def now(self) -> float:
        """The current time in seconds, of a monotonic clock."""
        return self._clock()

    def sleep(self, seconds: float) -> None:
        """Waits without charging the budget. Raises the error that has stopped the run."""
        if self._reason is None and seconds > 0:
            self._sleep(seconds)
        if self._reason is not None:
            raise self._reason

    def wait_for_pause(self) -> float:
        """Waits until a rate limit's pause ends; returns the time. Raises the error that stopped the run."""
        while self._reason is None and (left := self._paused_until - self._clock()) > 0:
            self._sleep(left)
        if self._reason is not None:
            raise self._reason
        return self._clock()

    def charge(self, started: float, wait: float = 0.0) -> bool:
        """Charges the time since `started`, plus `wait`. Beyond the budget: False, and nothing is charged."""
        with self._lock:
            return self._charge(started, self._clock() + wait)

    def _charge(self, started: float, until: float) -> bool:
        charge = max(0.0, until - max(started, self._charged_until))
        if charge > self._budget:
            return False
        self._budget -= charge
        self._charged_until = max(self._charged_until, until)
        return True

    def stop(self, reason: StopRun) -> StopRun:
        """Stops every thread before its next request; returns the first reason."""
        with self._lock:
            self._reason = self._reason or reason
        self._stopping.set()
        return self._reason

    def wait(self, subject: str, failure: Transient, attempt: int, started: float) -> None:
        """Waits after a request that started at a time and failed.

        Raises PlaylistUnavailable, for `subject`, if the budget does not suffice. A rate limit applies to the
        app, so it pauses all threads.
        """
        backoff = min(2.0**attempt, LONGEST_BACKOFF_S) * random.uniform(0.5, 1.0)  # noqa: S311 - jitter
        limited = isinstance(failure, RateLimited)
        seconds = max(failure.seconds, SHORTEST_WAIT_S) if isinstance(failure, RateLimited) else backoff
        until = self._clock() + seconds
        with self._lock:
            if not self._charge(started, until):
                where = "" if subject in failure.message else f"{subject}: "
                waited = f"the run's wait budget of {self._budget_s:g} s is used up"
                raise PlaylistUnavailable(
                    f"{where}{failure.message}; {waited}. Run again later", Code.SPOTIFY_BUDGET
                )
            if limited:
                self._paused_until = max(self._paused_until, until)
        if not limited:
            self._sleep(until - self._clock())
