"""The stand-in's application: Spotify's routes, /sandbox to steer and watch it, and what lies around both."""

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
from sandbox.spotify.middleware import Script, Scripted
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
    """Builds the stand-in; `today` and `now`, in seconds, are asked at each request.

    `settings` are those of `sandbox.spotify.settings`; raises msgspec.ValidationError.
    """
    chosen, script = msgspec.convert(settings, Settings), Script()

    def clock() -> float:
        return now() + chosen.ahead_s

    api = WebApi(source, today, chosen, Accounts(chosen, clock))
    limits = Limits(chosen, clock)
    return Starlette(
        routes=[*api.routes(), *Controls(api, script, limits).routes()],
        middleware=[Middleware(Scripted, script=script, limits=limits)],
        exception_handlers={RefusedError: _refuse},
    )
