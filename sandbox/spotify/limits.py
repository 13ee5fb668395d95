"""Spotify's two limits: number of requests in a rolling window, and in a day."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import takewhile
from math import ceil

from starlette.responses import JSONResponse, Response

from sandbox.spotify.settings import Settings

WINDOW_S = 30
DAY_S = 86_400


@dataclass
class Limits:
    """Counts accepted requests; `now`: clock in seconds."""

    settings: Settings
    now: Callable[[], float]
    _accepted: deque[float] = field(default_factory=deque)

    def restart(self) -> None:
        """Resets the counts."""
        self._accepted.clear()

    def refusal(self) -> Response | None:
        """Counts a request and returns None, or returns a 429 if it exceeds a limit."""
        if self.settings.quota is None and self.settings.window is None:
            return None
        now = self.now()
        while self._accepted and self._accepted[0] <= now - DAY_S:
            self._accepted.popleft()
        if self.settings.quota is not None and len(self._accepted) >= self.settings.quota:
            return _refusal("Daily quota exceeded", reason="QUOTA_EXCEEDED")
        if (wait := self._wait(now)) is not None:
            return _refusal("API rate limit exceeded", retry_after=wait)
        self._accepted.append(now)
        return None

    def _wait(self, now: float) -> int | None:
        """Seconds until the window allows a request, rounded up; None if it allows one now."""
        recent = list(takewhile(lambda moment: moment > now - WINDOW_S, reversed(self._accepted)))
        if self.settings.window is None or len(recent) < self.settings.window:
            return None
        next_to_expire = recent[self.settings.window - 1] if self.settings.window else now
        return max(1, ceil(next_to_expire + WINDOW_S - now))


def _refusal(message: str, reason: str | None = None, retry_after: int | None = None) -> Response:
    error: dict[str, object] = {"status": 429, "message": message}
    if reason:
        error["reason"] = reason
    headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
    return JSONResponse({"error": error}, 429, headers)
