"""Deduplication of repeated requests, as in Snowflake: a statement must not run twice."""

import asyncio
from collections import OrderedDict
from urllib.parse import parse_qs

from starlette.types import ASGIApp, Message, Receive, Scope, Send

QUERY_PATH = "/queries/v1/query-request"
MAX_CACHED_RESPONSES = 64
MAX_CACHED_BYTES = 64 * 2**20

Response = list[Message]


class RepeatedRequests:
    """ASGI middleware: runs each requestId once; a repeated request gets the first response."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.responses: OrderedDict[str, asyncio.Task[Response]] = OrderedDict()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handles a query; passes everything else through."""
        request_id = _request_id(scope)
        if request_id is None:
            await self.app(scope, receive, send)
            return
        if request_id not in self.responses:
            # A separate task: if the client disconnects, the statement continues and its response is cached.
            self.responses[request_id] = asyncio.create_task(self._collect(scope, receive))
            self._evict_old()
        for message in await asyncio.shield(self.responses[request_id]):
            await send(message)

    async def _collect(self, scope: Scope, receive: Receive) -> Response:
        response: Response = []

        async def collect(message: Message) -> None:
            response.append(message)

        await self.app(scope, receive, collect)
        return response

    def _evict_old(self) -> None:
        done = [key for key, task in self.responses.items() if task.done()]
        cached_bytes = sum(_size(self.responses[key]) for key in done)
        for key in done:
            if len(self.responses) <= MAX_CACHED_RESPONSES and cached_bytes <= MAX_CACHED_BYTES:
                return
            cached_bytes -= _size(self.responses.pop(key))


def _request_id(scope: Scope) -> str | None:
    if scope["type"] != "http" or scope["path"] != QUERY_PATH:
        return None
    return next(iter(parse_qs(scope["query_string"].decode()).get("requestId", [])), None)


def _size(task: asyncio.Task[Response]) -> int:
    return 0 if task.cancelled() or task.exception() else sum(len(m.get("body", b"")) for m in task.result())
