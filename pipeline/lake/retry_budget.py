"""Retry budget of a task for S3 requests, and the decision whether a failure concerns the entire lake."""

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
"""Shared by all playlists of a task. It includes the time of botocore's retries within a request."""
LONGEST_BACKOFF_S = 16.0
MANY_PLAYLISTS = 16
"""If this many playlists fail in a row (two per thread), the cause is assumed to be the entire lake."""


class RetryBudget:
    """Seconds that a task may spend on failing requests. Thread-safe.

    If the request of a playlist still fails, or is denied, the playlist fails (PlaylistUnavailable). If
    MANY_PLAYLISTS in a row fail, or all, the error concerns the entire lake and is raised unchanged.
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
        self._sleep = sleep or self._stopping.wait  # `close` ends every wait
        self._clock = clock
        self._lock = threading.Lock()
        self._charged_until = clock()
        self._failed: set[str] = set()
        self._lake_error: PipelineError | None = None

    def check(self) -> None:
        """Raises the error that concerns the entire lake, if there was one: further requests would fail."""
        if self._lake_error:
            raise self._lake_error

    def request(self, playlist_id: str, request: Callable[[], T]) -> T:
        """The result of a request for one playlist, which is retried while the budget lasts."""
        try:
            result = self._repeated(playlist_id, request)
        except (Transient, ConfigurationError) as error:
            if not self._is_about_one_playlist(playlist_id, error):
                raise
            raise PlaylistUnavailable(f"playlist {playlist_id}: {error.message}", error.code) from error
        if result:  # False (a missing key) does not prove that the lake works
            with self._lock:
                self._failed.clear()
        return result

    def close(self) -> None:
        """Ends all waits and prevents further retries."""
        self._stopping.set()

    def _repeated(self, playlist_id: str, request: Callable[[], T]) -> T:
        attempt = 0
        while True:
            attempt += 1
            started = self._clock()
            try:
                return request()
            except Transient as error:
                wait = min(2.0**attempt, LONGEST_BACKOFF_S) * random.uniform(0.5, 1.0)  # noqa: S311 - jitter
                if not self._may_wait(started, wait):
                    raise
                log.warning(
                    "playlist %s: an S3 request failed (%s); retrying in %.0f s",
                    playlist_id,
                    error.code,
                    wait,
                )
            self._sleep(wait)

    def _may_wait(self, started: float, wait: float) -> bool:
        """Charges the time since a request started, and the wait after it; False if the budget is used up.

        Time in which several threads fail or wait is charged once.
        """
        until = self._clock() + wait
        with self._lock:
            charge = max(0.0, until - max(started, self._charged_until))
            if self._stopping.is_set() or charge > self._left_s:
                return False
            self._left_s -= charge
            self._charged_until = max(self._charged_until, until)
        return True

    def _is_about_one_playlist(self, playlist_id: str, error: Transient | ConfigurationError) -> bool:
        """True if other playlists may still succeed. Of the ConfigurationErrors, only a denial may be."""
        if isinstance(error, ConfigurationError) and error.code != Code.LAKE_DENIED:
            return False
        with self._lock:
            self._failed.add(playlist_id)
            if len(self._failed) >= self._many:
                self._lake_error = error
        return self._lake_error is None
