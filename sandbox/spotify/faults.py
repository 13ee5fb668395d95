"""Scripted faults and the log of requests: a middleware around the whole stand-in."""

import asyncio
import json
import re
import socket
import struct
from dataclasses import asdict, dataclass, field
from http import HTTPStatus
from typing import Literal

import msgspec
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HTML = "<html><body><h1>Something went wrong</h1></body></html>"
LINGER_NOT = struct.pack("ii", 1, 0)  # closing then resets the connection
CONTROLS = "/sandbox/"  # paths that are neither logged nor made to fail


class Fault(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=False):
    """A fault for the next `times` requests whose path?query matches `path`; `fired` counts them.

    answer: `status` with `body` and `headers`. reset: the connection is reset before any answer.
    empty, html: 200, or `status`, with no body or a page. truncated: the connection ends within the body.
    """

    path: str
    times: int = 1
    kind: Literal["answer", "reset", "empty", "html", "truncated"] = "answer"
    status: int | None = None
    body: str | None = None
    headers: dict[str, str] = {}
    fired: int = 0

    def __post_init__(self) -> None:
        re.compile(self.path)

    def response(self) -> Response:
        """Give the answer to send."""
        status = self.status or (503 if self.kind == "answer" else 200)
        json_error = json.dumps({"error": {"status": status, "message": HTTPStatus(status).phrase}})
        default = {"answer": json_error, "empty": "", "html": HTML, "truncated": '{"href":"https://'}[
            self.kind
        ]
        media_type = "text/html" if self.kind == "html" else "application/json"
        body = default if self.body is None else self.body
        return Response(body.encode(), status, self.headers, media_type)


@dataclass
class Seen:
    """A request that arrived; the status is None until it is answered, and after a reset."""

    method: str
    path: str
    query: str
    status: int | None = None


@dataclass
class Script:
    """The faults to come and the requests so far."""

    faults: list[Fault] = field(default_factory=list)
    requests: list[Seen] = field(default_factory=list)

    def next_fault(self, seen: Seen) -> Fault | None:
        """Take the first fault that matches and is not used up."""
        target = f"{seen.path}?{seen.query}" if seen.query else seen.path
        for fault in self.faults:
            if fault.fired < fault.times and re.search(fault.path, target):
                fault.fired += 1
                return fault
        return None

    def log(self) -> list[dict[str, object]]:
        """Give the requests as JSON objects."""
        return [asdict(seen) for seen in self.requests]


class Scripted:
    """The middleware: logs each request, and lets faults happen instead of answers."""

    def __init__(self, app: ASGIApp, script: Script) -> None:
        self.app, self.script = app, script

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http" or scope["path"].startswith(CONTROLS):
            await self.app(scope, receive, send)
            return
        seen = Seen(scope["method"], scope["path"], scope["query_string"].decode("latin-1"))
        self.script.requests.append(seen)

        async def watched(message: Message) -> None:
            if message["type"] == "http.response.start":
                seen.status = message["status"]
            await send(message)

        fault = self.script.next_fault(seen)
        if fault is None:
            await self.app(scope, receive, watched)
        else:
            await _fire(fault, scope, receive, watched)


async def _fire(fault: Fault, scope: Scope, receive: Receive, send: Send) -> None:
    if fault.kind == "reset":
        _transport(receive).get_extra_info("socket").setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, LINGER_NOT
        )
        await _end(_transport(receive), receive)
    elif fault.kind == "truncated":
        response = fault.response()
        response.headers["content-length"] = str(2 * len(response.body) + 1)
        await send(
            {"type": "http.response.start", "status": response.status_code, "headers": response.raw_headers}
        )
        await send({"type": "http.response.body", "body": response.body, "more_body": True})
        await _end(_transport(receive), receive)
    else:
        await fault.response()(scope, receive, send)


def _transport(receive: Receive) -> asyncio.Transport:
    """Reach under ASGI, which cannot break connections: uvicorn's `receive` belongs to what can."""
    transport: asyncio.Transport = receive.__self__.transport  # type: ignore[attr-defined]
    return transport


async def _end(transport: asyncio.Transport, receive: Receive) -> None:
    transport.close()
    while (await receive())["type"] != "http.disconnect":  # else uvicorn would answer 500, or complain
        pass
