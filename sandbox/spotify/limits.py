"""Spotify's two limits: requests in a rolling window, and requests in a day."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import takewhile
from math import ceil

from starlette.responses import JSONResponse, Response

from sandbox.spotify.settings import Settings

WINDOW = 30  # seconds
DAY = 86_400  # seconds


@dataclass
class Limits:
    """Counts requests that were let through; `now` in seconds."""

    settings: Settings
    now: Callable[[], float]
    _let_through: deque[float] = field(default_factory=deque)

    def restart(self) -> None:
        """Forgets what was counted."""
        self._let_through.clear()

    def refusal(self) -> Response | None:
        """Returns the 429 of a request that is too many, or counts it and returns None."""
        if self.settings.quota is None and self.settings.window is None:
            return None
        now = self.now()
        while self._let_through and self._let_through[0] <= now - DAY:
            self._let_through.popleft()
        if self.settings.quota is not None and len(self._let_through) >= self.settings.quota:
            return _refusal("Daily quota exceeded", reason="QUOTA_EXCEEDED")
        if (wait := self._wait(now)) is not None:
            return _refusal("API rate limit exceeded", retry_after=wait)
        self._let_through.append(now)
        return None

    def _wait(self, now: float) -> int | None:
        """Whole seconds until the window has room again; None if it has room."""
        recent = list(takewhile(lambda moment: moment > now - WINDOW, reversed(self._let_through)))
        if self.settings.window is None or len(recent) < self.settings.window:
            return None
        first_to_leave = recent[self.settings.window - 1] if self.settings.window else now
        return max(1, ceil(first_to_leave + WINDOW - now))


def _refusal(message: str, reason: str | None = None, retry_after: int | None = None) -> Response:
    error: dict[str, object] = {"status": 429, "message": message}
    if reason:
        error["reason"] = reason
    headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
    return JSONResponse({"error": error}, 429, headers)
