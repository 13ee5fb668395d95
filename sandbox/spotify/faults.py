"""Scripted faults, which replace the response to a request."""

import asyncio
import json
import re
import socket
import struct
from contextlib import suppress
from http import HTTPStatus
from typing import Literal

import msgspec
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from sandbox.spotify.echoes import Echo, echo
from sandbox.spotify.settings import Count, Positive

HTML = "<html><body><h1>Something went wrong</h1></body></html>"
LINGER_ZERO = struct.pack("ii", 1, 0)  # value of SO_LINGER: close() resets the connection
MAX_STALL_S = 60
"""Seconds after which a stalled connection is closed, for clients without a timeout."""


class Fault(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=False):
    """A fault for `times` requests whose path?query matches `path`, after the first `after` matches.

    answer: a response with `status`, `body` and `headers`. reset: the connection is reset before a response.
    empty, html: 200, or `status`, with no body or an HTML page. truncated: the body ends early.
    timeout: no response until the client disconnects. trickle, slow_headers: the body or the headers are sent
    one byte every `every_ms`. echo: `status` with the request in the body, in the format `echo_as`.
    `matched` counts the matching requests, `fired` the faults.
    """

    path: str
    times: Count = 1
    after: Count = 0
    kind: Literal[
        "answer", "reset", "empty", "html", "truncated", "timeout", "trickle", "slow_headers", "echo"
    ] = "answer"
    every_ms: Positive = 50
    echo_as: Echo = "message"
    status: Positive | None = None
    body: str | None = None
    headers: dict[str, str] = {}
    matched: int = 0
    fired: int = 0

    def __post_init__(self) -> None:
        re.compile(self.path)

    def count(self, target: str) -> bool:
        """Counts a matching request; returns True if the fault applies to it."""
        if not re.search(self.path, target):
            return False
        self.matched += 1
        return self.matched > self.after and self.fired < self.times

    def response(self) -> Response:
        """Returns the response to send."""
        status = self.status or (503 if self.kind == "answer" else 200)
        default = {"empty": "", "html": HTML, "truncated": '{"href":"https://'}.get(self.kind, _error(status))
        media_type = "text/html" if self.kind == "html" else "application/json"
        body = default if self.body is None else self.body
        return Response(body.encode(), status, self.headers, media_type)

    async def apply(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handles the request as this fault defines."""
        match self.kind:
            case "reset":
                await _reset(receive)
            case "timeout":
                await _stall(receive)
            case "truncated":
                await _truncate(self.response(), receive, send)
            case "trickle":
                await _trickle(self.response(), self.every_ms, receive, send)
            case "slow_headers":
                await _trickle_headers(self.every_ms, receive)
            case "echo":
                status = self.status or HTTPStatus.FORBIDDEN
                await (await echo(scope, receive, status, self.echo_as))(scope, receive, send)
            case _:
                await self.response()(scope, receive, send)


def _error(status: int) -> str:
    """Returns Spotify's error body; empty for 204 and 304, which have no body."""
    if status in {HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED}:
        return ""
    return json.dumps({"error": {"status": status, "message": HTTPStatus(status).phrase}})


async def _reset(receive: Receive) -> None:
    connection = _transport(receive).get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_ZERO)
    await _close(receive)


async def _stall(receive: Receive) -> None:
    with suppress(TimeoutError):
        await asyncio.wait_for(_disconnected(receive), MAX_STALL_S)
    await _close(receive)


async def _truncate(response: Response, receive: Receive, send: Send) -> None:
    response.headers["content-length"] = str(2 * len(response.body) + 1)
    start = {"type": "http.response.start", "status": response.status_code, "headers": response.raw_headers}
    await send(start)
    await send({"type": "http.response.body", "body": response.body, "more_body": True})
    await _close(receive)


async def _trickle(response: Response, every_ms: int, receive: Receive, send: Send) -> None:
    """Sends the body byte by byte, repeatedly, until the client disconnects."""
    headers = [(name, value) for name, value in response.raw_headers if name != b"content-length"]
    await send({"type": "http.response.start", "status": response.status_code, "headers": headers})
    disconnected = asyncio.ensure_future(_disconnected(receive))
    for position in range(MAX_STALL_S * 1000 // every_ms):
        byte = response.body[position % len(response.body) :][:1]
        await send({"type": "http.response.body", "body": byte, "more_body": True})
        await asyncio.wait([disconnected], timeout=every_ms / 1000)
        if disconnected.done():
            return
    await _close(receive)


async def _trickle_headers(every_ms: int, receive: Receive) -> None:
    transport, disconnected = _transport(receive), asyncio.ensure_future(_disconnected(receive))
    transport.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    for _ in range(MAX_STALL_S * 1000 // every_ms):
        transport.write(b"x")
        await asyncio.wait([disconnected], timeout=every_ms / 1000)
        if disconnected.done():
            return
    await _close(receive)


def _transport(receive: Receive) -> asyncio.Transport:
    """Returns uvicorn's transport, because ASGI has no way to break a connection."""
    transport: asyncio.Transport = receive.__self__.transport  # type: ignore[attr-defined]
    return transport


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _close(receive: Receive) -> None:
    _transport(receive).close()
    await _disconnected(receive)  # otherwise uvicorn sends a 500 or logs an error
