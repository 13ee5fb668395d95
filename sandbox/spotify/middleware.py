"""Middleware for all requests: log, faults, latency and limits."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from email.utils import formatdate
from time import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sandbox.spotify.faults import Fault
from sandbox.spotify.limits import Limits

CONTROLS = "/sandbox/"  # requests to these paths are not logged and get no faults
LIMITED = "/v1/"


@dataclass
class LoggedRequest:
    """A received request; `status` is None before the response, and after a reset.

    `at_once`: number of requests in progress when it arrived, including itself.
    """

    method: str
    path: str
    query: str
    status: int | None = None
    at_once: int = 1

    @property
    def target(self) -> str:
        """Path and query as requested."""
        return f"{self.path}?{self.query}" if self.query else self.path


@dataclass
class Script:
    """The scripted faults and the log of requests."""

    faults: list[Fault] = field(default_factory=list)
    requests: list[LoggedRequest] = field(default_factory=list)
    in_progress: int = 0

    @contextmanager
    def logged(self, request: LoggedRequest) -> Iterator[None]:
        """Logs a request, and counts it as in progress within the context."""
        self.requests.append(request)
        self.in_progress += 1
        request.at_once = self.in_progress
        try:
            yield
        finally:
            self.in_progress -= 1

    def next_fault(self, request: LoggedRequest) -> Fault | None:
        """Counts the request at every fault; returns the first fault that applies to it."""
        applicable = [fault for fault in self.faults if fault.count(request.target)]
        if not applicable:
            return None
        applicable[0].fired += 1
        return applicable[0]

    def log(self) -> list[dict[str, object]]:
        """Returns the requests as JSON objects."""
        return [asdict(request) for request in self.requests]


class ScriptMiddleware:
    """ASGI middleware that applies a script and the limits."""

    def __init__(self, app: ASGIApp, script: Script, limits: Limits) -> None:
        self.app, self.script, self.limits = app, script, limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handles one request."""
        if scope["type"] != "http" or scope["path"].startswith(CONTROLS):
            await self.app(scope, receive, send)
            return
        request = LoggedRequest(scope["method"], scope["path"], scope["query_string"].decode("latin-1"))

        async def send_logged(message: Message) -> None:
            if message["type"] == "http.response.start":
                request.status = message["status"]
                message["headers"] = [*message["headers"], (b"date", self._date())]
            await send(message)

        with self.script.logged(request):
            await self._respond(self._responder(request), scope, receive, send_logged)

    def _date(self) -> bytes:
        return formatdate(time() - self.limits.settings.date_behind_s, usegmt=True).encode()

    async def _respond(self, responder: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        if self.limits.settings.latency_ms:
            await asyncio.sleep(self.limits.settings.latency_ms / 1000)
        await responder(scope, receive, send)

    def _responder(self, request: LoggedRequest) -> ASGIApp:
        if (fault := self.script.next_fault(request)) is not None:
            return fault.apply
        refusal = self.limits.refusal() if request.path.startswith(LIMITED) else None
        return refusal or self.app
