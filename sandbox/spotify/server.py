"""The stand-in's ASGI app: Spotify's routes, the controls under /sandbox, and middleware."""

import time
from collections.abc import Callable
from datetime import date

import msgspec
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from sandbox.spotify.accounts import Accounts
from sandbox.spotify.controls import Controls
from sandbox.spotify.errors import RefusedError
from sandbox.spotify.limits import Limits
from sandbox.spotify.middleware import Script, ScriptMiddleware
from sandbox.spotify.settings import Settings
from sandbox.spotify.sources import Source
from sandbox.spotify.web_api import WebApi


async def _refuse(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RefusedError)  # noqa: S101  # as registered
    return JSONResponse(error.body, error.status)


def create_app(
    source: Source,
    *,
    today: Callable[[], date],
    now: Callable[[], float] = time.monotonic,
    **settings: object,
) -> Starlette:
    """Returns the app; calls `today` and `now` (seconds) at each request.

    `settings`: fields of `Settings`; raises msgspec.ValidationError.
    """
    chosen, script = msgspec.convert(settings, Settings), Script()

    def clock() -> float:
        return now() + chosen.ahead_s

    api = WebApi(source, today, chosen, Accounts(chosen, clock))
    limits = Limits(chosen, clock)
    return Starlette(
        routes=[*api.routes(), *Controls(api, script, limits).routes()],
        middleware=[Middleware(ScriptMiddleware, script=script, limits=limits)],
        exception_handlers={RefusedError: _refuse},
    )
