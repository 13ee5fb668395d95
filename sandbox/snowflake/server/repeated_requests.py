"""Repeated requests get the first response, as in Snowflake: a statement must not run twice."""

import asyncio
from collections import OrderedDict
from urllib.parse import parse_qs

from starlette.types import ASGIApp, Message, Receive, Scope, Send

QUERY_PATH = "/queries/v1/query-request"
RESPONSES_KEPT = 64
BYTES_KEPT = 64 * 2**20

Response = list[Message]


class RepeatedRequests:
    """ASGI middleware: one run per requestId; a repetition gets the first response, or waits for it."""

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
            # a task of its own: the statement goes on, and is remembered, when the client hangs up
            self.responses[request_id] = asyncio.create_task(self._collect(scope, receive))
            self._forget_old()
        for message in await asyncio.shield(self.responses[request_id]):
            await send(message)

    async def _collect(self, scope: Scope, receive: Receive) -> Response:
        response: Response = []

        async def keep(message: Message) -> None:
            response.append(message)

        await self.app(scope, receive, keep)
        return response

    def _forget_old(self) -> None:
        done = [key for key, task in self.responses.items() if task.done()]
        kept_bytes = sum(_size(self.responses[key]) for key in done)
        for key in done:
            if len(self.responses) <= RESPONSES_KEPT and kept_bytes <= BYTES_KEPT:
                return
            kept_bytes -= _size(self.responses.pop(key))


def _request_id(scope: Scope) -> str | None:
    if scope["type"] != "http" or scope["path"] != QUERY_PATH:
        return None
    return next(iter(parse_qs(scope["query_string"].decode()).get("requestId", [])), None)


def _size(task: asyncio.Task[Response]) -> int:
    return 0 if task.cancelled() or task.exception() else sum(len(m.get("body", b"")) for m in task.result())
