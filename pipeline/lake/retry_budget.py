"""How long a task insists on S3 for single playlists, and when their failures mean the whole lake."""

import logging
import random
import threading
import time
from collections.abc import Callable
from typing import TypeVar

from pipeline.errors import Code, ConfigurationError, PipelineError, PlaylistUnavailable, Transient

T = TypeVar("T")

log = logging.getLogger(__name__)

BUDGET_S = 120.0
"""For all playlists of a task together; botocore's own retries, within each request, are charged to it."""
LONGEST_BACKOFF_S = 16.0
MANY_PLAYLISTS = 16
"""So many that fail in a row, two for each thread, are about the whole lake."""


class RetryBudget:
    """Seconds that a task may spend on requests that fail; threads share them.

    A playlist whose request still fails, or is denied, is given up. Where that happens to MANY_PLAYLISTS in a
    row, or to all, the error is about the whole lake and is raised as it came.
    """

    def __init__(
        self,
        playlists: int,
        budget_s: float | None = None,
        sleep: Callable[[float], None] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._many = min(playlists, MANY_PLAYLISTS)
        self._left_s = BUDGET_S if budget_s is None else budget_s
        self._stopping = threading.Event()
        self._sleep = sleep or self._stopping.wait  # what ends the task ends every wait
        self._clock = clock
        self._lock = threading.Lock()
        self._charged_until = clock()
        self._failed: set[str] = set()
        self._lost: PipelineError | None = None

    def check(self) -> None:
        """Raises the error that was about the whole lake: nothing needs to be read for it any more."""
        if self._lost:
            raise self._lost

    def request(self, playlist_id: str, request: Callable[[], T]) -> T:
        """The result of a request for one playlist, repeated while it fails and the budget lasts."""
        try:
            result = self._repeated(playlist_id, request)
        except (Transient, ConfigurationError) as error:
            if not self._is_about_one_playlist(playlist_id, error):
                raise
            raise PlaylistUnavailable(f"playlist {playlist_id}: {error.message}", error.code) from error
        if result:  # that a key is not there proves nothing yet
            with self._lock:
                self._failed.clear()
        return result

    def close(self) -> None:
        """Ends all waits; nothing is repeated any more."""
        self._stopping.set()

    def _repeated(self, playlist_id: str, request: Callable[[], T]) -> T:
        attempt = 0
        while True:
            attempt += 1
            began = self._clock()
            try:
                return request()
            except Transient as error:
                wait = min(2.0**attempt, LONGEST_BACKOFF_S) * random.uniform(0.5, 1.0)  # noqa: S311 - jitter
                if not self._may_wait(began, wait):
                    raise
                log.warning(
                    "playlist %s: an S3 request failed (%s); retrying in %.0f s",
                    playlist_id,
                    error.code,
                    wait,
                )
            self._sleep(wait)

    def _may_wait(self, began: float, wait: float) -> bool:
        """Charges the time since a request began and the wait after it, once for all threads."""
        until = self._clock() + wait
        with self._lock:
            charge = max(0.0, until - max(began, self._charged_until))
            if self._stopping.is_set() or charge > self._left_s:
                return False
            self._left_s -= charge
            self._charged_until = max(self._charged_until, until)
        return True

    def _is_about_one_playlist(self, playlist_id: str, error: Transient | ConfigurationError) -> bool:
        """Of all wrong settings, only a denial may be about some keys and not others."""
        if isinstance(error, ConfigurationError) and error.code != Code.LAKE_DENIED:
            return False
        with self._lock:
            self._failed.add(playlist_id)
            if len(self._failed) >= self._many:
                self._lost = error
        return self._lost is None
