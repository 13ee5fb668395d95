"""Around the whole stand-in: the log of requests, faults, latency and limits."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from email.utils import formatdate
from time import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sandbox.spotify.faults import Fault
from sandbox.spotify.limits import Limits

CONTROLS = "/sandbox/"  # paths that are neither logged nor made to fail
LIMITED = "/v1/"


@dataclass
class Seen:
    """A request that arrived; the status is None before the response, and after a reset.

    `at_once` counts the requests in progress at that moment, itself included.
    """

    method: str
    path: str
    query: str
    status: int | None = None
    at_once: int = 1

    @property
    def target(self) -> str:
        """Path and query as they were asked for."""
        return f"{self.path}?{self.query}" if self.query else self.path


@dataclass
class Script:
    """The faults to come and the requests so far."""

    faults: list[Fault] = field(default_factory=list)
    requests: list[Seen] = field(default_factory=list)
    under_way: int = 0

    @contextmanager
    def logged(self, seen: Seen) -> Iterator[None]:
        """Logs a request while it is in progress."""
        self.requests.append(seen)
        self.under_way += 1
        seen.at_once = self.under_way
        try:
            yield
        finally:
            self.under_way -= 1

    def next_fault(self, seen: Seen) -> Fault | None:
        """Counts the request at each fault, and takes the first that may happen to it."""
        ready = [fault for fault in self.faults if fault.count(seen.target)]
        if not ready:
            return None
        ready[0].fired += 1
        return ready[0]

    def log(self) -> list[dict[str, object]]:
        """Returns the requests as JSON objects."""
        return [asdict(seen) for seen in self.requests]


class Scripted:
    """The middleware."""

    def __init__(self, app: ASGIApp, script: Script, limits: Limits) -> None:
        self.app, self.script, self.limits = app, script, limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handles one request."""
        if scope["type"] != "http" or scope["path"].startswith(CONTROLS):
            await self.app(scope, receive, send)
            return
        seen = Seen(scope["method"], scope["path"], scope["query_string"].decode("latin-1"))

        async def watched(message: Message) -> None:
            if message["type"] == "http.response.start":
                seen.status = message["status"]
                message["headers"] = [*message["headers"], (b"date", self._date())]
            await send(message)

        with self.script.logged(seen):
            await self._respond(self._responder(seen), scope, receive, watched)

    def _date(self) -> bytes:
        return formatdate(time() - self.limits.settings.date_behind_s, usegmt=True).encode()

    async def _respond(self, responder: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        if self.limits.settings.latency_ms:
            await asyncio.sleep(self.limits.settings.latency_ms / 1000)
        await responder(scope, receive, send)

    def _responder(self, seen: Seen) -> ASGIApp:
        if (fault := self.script.next_fault(seen)) is not None:
            return fault.happen
        refusal = self.limits.refusal() if seen.path.startswith(LIMITED) else None
        return refusal or self.app
