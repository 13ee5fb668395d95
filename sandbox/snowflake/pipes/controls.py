"""/sandbox/pipes: simulated faults of pipes, for tests only; Snowflake has no such endpoint."""

import re
from typing import Any

import msgspec
from snowflake.connector.errors import ProgrammingError
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.snowflake.state.account import Account
from sandbox.snowflake.state.pipe_queues import Settings


def routes(account: Account) -> list[Route]:
    """Returns the routes."""

    async def pipes(request: Request) -> Response:
        """PUT replaces all settings, {} resets them; GET returns the settings and their effects."""
        if request.method == "PUT":
            try:
                wanted = msgspec.json.decode(await request.body(), type=dict[str, Any])
                defaults = msgspec.structs.asdict(account.pipes.defaults)
                settings = msgspec.convert({**defaults, **wanted}, Settings)
            except (msgspec.DecodeError, re.error) as error:
                return JSONResponse({"error": str(error)}, 400)
            await run_in_threadpool(account.pipes.set, settings)
        return JSONResponse(_shown(account))

    async def channel(_request: Request) -> Response:
        """POST returns the ARN for the bucket's notifications, even before the first pipe exists."""
        try:
            return JSONResponse({"notification_channel": await run_in_threadpool(account.channel.open)})
        except ProgrammingError as error:
            return JSONResponse({"error": str(error.raw_msg)}, 503)

    return [
        Route("/sandbox/pipes", pipes, methods=["GET", "PUT"]),
        Route("/sandbox/pipes/channel", channel, methods=["POST"]),
    ]


def _shown(account: Account) -> dict[str, Any]:
    pipes = account.pipes
    with pipes.lock:
        waiting = [event.url for pipe in pipes.by_name.values() for event in pipe.queue]
        effects = {"held": [event.url for event in pipes.held], "repeated": list(pipes.repeated)}
        return {**msgspec.structs.asdict(pipes.settings), **effects, "waiting": waiting}
