"""Answers repeated requests from memory, as Snowflake does: a lost answer must not run a statement twice."""

import asyncio
from collections import OrderedDict
from urllib.parse import parse_qs

from starlette.types import ASGIApp, Message, Receive, Scope, Send

QUERY_PATH = "/queries/v1/query-request"
ANSWERS_KEPT = 64
BYTES_KEPT = 64 * 2**20

Answer = list[Message]


class RepeatedRequests:
    """ASGI middleware: one run per requestId; a repetition gets the first answer, or waits for it."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.answers: OrderedDict[str, asyncio.Task[Answer]] = OrderedDict()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass everything else through."""
        request_id = _request_id(scope)
        if request_id is None:
            await self.app(scope, receive, send)
            return
        if request_id not in self.answers:
            # a task of its own: the statement goes on, and is remembered, when the client hangs up
            self.answers[request_id] = asyncio.create_task(self._collect(scope, receive))
            self._forget_old()
        for message in await asyncio.shield(self.answers[request_id]):
            await send(message)

    async def _collect(self, scope: Scope, receive: Receive) -> Answer:
        answer: Answer = []

        async def keep(message: Message) -> None:
            answer.append(message)

        await self.app(scope, receive, keep)
        return answer

    def _forget_old(self) -> None:
        done = [key for key, task in self.answers.items() if task.done()]
        kept_bytes = sum(_size(self.answers[key]) for key in done)
        for key in done:
            if len(self.answers) <= ANSWERS_KEPT and kept_bytes <= BYTES_KEPT:
                return
            kept_bytes -= _size(self.answers.pop(key))


def _request_id(scope: Scope) -> str | None:
    if scope["type"] != "http" or scope["path"] != QUERY_PATH:
        return None
    return next(iter(parse_qs(scope["query_string"].decode()).get("requestId", [])), None)


def _size(task: asyncio.Task[Answer]) -> int:
    return 0 if task.cancelled() or task.exception() else sum(len(m.get("body", b"")) for m in task.result())
