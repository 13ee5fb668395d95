"""The stand-in's routes: Spotify's token endpoint and playlists, and /sandbox to steer and watch it."""

import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from urllib.parse import parse_qsl

import msgspec
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.spotify.accounts import Accounts
from sandbox.spotify.errors import GrantRefusedError, RefusedError
from sandbox.spotify.faults import Fault, Script, Scripted
from sandbox.spotify.shapes import Shape
from sandbox.spotify.sources import Ask, Source

PLAYLIST_ID = re.compile("[0-9A-Za-z]{22}")
# path → default and greatest page size
PAGE_SIZES = {"items": (20, 50), "tracks": (100, 100)}


@dataclass
class WebApi:
    """GET /v1/playlists/{id}, …/items and …/tracks, POST /api/token."""

    source: Source
    today: Callable[[], date]
    shape: Shape
    accounts: Accounts

    async def token(self, request: Request) -> Response:
        """Answer POST /api/token."""
        form = dict(parse_qsl((await request.body()).decode()))
        try:
            return JSONResponse(self.accounts.grant(request.headers.get("authorization", ""), form))
        except GrantRefusedError as refused:
            return JSONResponse(refused.body, 400)

    async def playlist(self, request: Request) -> Response:
        """Answer GET /v1/playlists/{id}."""
        self._token(request)
        return _json(self.source.head(self._ask(request)))

    async def items(self, request: Request) -> Response:
        """Answer GET /v1/playlists/{id}/items and the older …/tracks."""
        self._check_items(request)
        offset, limit = _window(request)
        return _json(self.source.page(self._ask(request), offset, limit))

    def _token(self, request: Request) -> str:
        return self.accounts.check(request.headers.get("authorization", ""))

    def _check_items(self, request: Request) -> None:
        token, path = self._token(request), request.path_params["path"]
        if path not in PAGE_SIZES:
            raise RefusedError(404, "Service not found")
        if self.shape == "items" and path == "tracks":
            raise RefusedError(403, "Forbidden")
        if self.shape == "items" and not self.accounts.is_user(token):
            raise RefusedError(401, "Valid user authentication required")

    def _ask(self, request: Request) -> Ask:
        playlist_id = request.path_params["playlist_id"]
        if not PLAYLIST_ID.fullmatch(playlist_id):
            raise RefusedError(400, "Invalid base62 id")
        return Ask(playlist_id, self.today(), self.shape, f"{str(request.base_url).rstrip('/')}/v1")


@dataclass
class Controls:
    """/sandbox: what tests and the demo set and read, never a client."""

    api: WebApi
    script: Script
    clock: Callable[[], date] = field(init=False)

    def __post_init__(self) -> None:
        self.clock = self.api.today

    async def playlists(self, _request: Request) -> Response:
        """GET: the playlists served, id → name."""
        return JSONResponse(self.api.source.listing())

    async def requests(self, request: Request) -> Response:
        """GET: the requests since the start or the last DELETE."""
        if request.method == "DELETE":
            self.script.requests.clear()
        return JSONResponse(self.script.log())

    async def today(self, request: Request) -> Response:
        """PUT {"date": "2026-11-21"} stops the calendar at a day, {"date": null} lets it run again."""
        try:
            chosen = json.loads(await request.body())["date"]
            fixed = None if chosen is None else date.fromisoformat(chosen)
        except (ValueError, KeyError, TypeError) as error:
            return JSONResponse({"error": f"not a date: {error}"}, 400)
        self.api.today = self.clock if fixed is None else lambda: fixed
        return JSONResponse({"date": self.api.today().isoformat()})

    async def faults(self, request: Request) -> Response:
        """PUT a list of faults in place of the old ones; GET them with their `fired` counts."""
        if request.method == "PUT":
            try:
                self.script.faults = msgspec.json.decode(await request.body(), type=list[Fault])
            except (msgspec.DecodeError, re.error) as error:
                return JSONResponse({"error": str(error)}, 400)
        return _json(msgspec.json.encode(self.script.faults))

    async def tokens(self, _request: Request) -> Response:
        """DELETE: every access token given out so far expires now."""
        self.api.accounts.expire_all()
        return Response(status_code=204)


def _json(body: bytes) -> Response:
    return Response(body, media_type="application/json; charset=utf-8")


def _window(request: Request) -> tuple[int, int]:
    """Give offset and limit of a page; raises RefusedError."""
    default, most = PAGE_SIZES[request.path_params["path"]]
    offset = _number(request, "offset", 0)
    limit = _number(request, "limit", default)
    if not 1 <= limit <= most:
        raise RefusedError(400, "Invalid limit")
    return offset, limit


def _number(request: Request, name: str, default: int) -> int:
    text = request.query_params.get(name, str(default))
    if not re.fullmatch("[0-9]{1,9}", text):
        raise RefusedError(400, f"Invalid {name}")
    return int(text)


async def _refuse(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RefusedError)  # noqa: S101  # as registered
    return JSONResponse(error.body, error.status)


def create_app(
    source: Source, *, today: Callable[[], date], shape: Shape = "both", accounts: Accounts | None = None
) -> Starlette:
    """Build the stand-in; `today` is asked at each request."""
    api = WebApi(source, today, shape, accounts or Accounts(time.monotonic))
    controls = Controls(api, Script())
    return Starlette(
        routes=[
            Route("/api/token", api.token, methods=["POST"]),
            Route("/v1/playlists/{playlist_id}", api.playlist),
            Route("/v1/playlists/{playlist_id}/{path:str}", api.items),
            Route("/sandbox/playlists", controls.playlists),
            Route("/sandbox/requests", controls.requests, methods=["GET", "DELETE"]),
            Route("/sandbox/today", controls.today, methods=["PUT"]),
            Route("/sandbox/faults", controls.faults, methods=["GET", "PUT"]),
            Route("/sandbox/tokens", controls.tokens, methods=["DELETE"]),
        ],
        middleware=[Middleware(Scripted, script=controls.script)],
        exception_handlers={RefusedError: _refuse},
    )
