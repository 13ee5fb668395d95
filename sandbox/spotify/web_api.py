"""Spotify's routes: consent, tokens, playlists, the user's list of playlists, artists and albums."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from sandbox.spotify import shapes
from sandbox.spotify.accounts import Accounts
from sandbox.spotify.errors import GrantRefusedError, RefusedError
from sandbox.spotify.library import Library
from sandbox.spotify.objects import ME, Json, user
from sandbox.spotify.settings import Settings
from sandbox.spotify.sources import PlaylistQuery, Source

SPOTIFY_ID = re.compile("[0-9A-Za-z]{22}")
# path → default and maximum page size
PAGE_SIZES = {"items": (20, 50), "tracks": (100, 100)}
LIST_SIZES = (20, 50)
# kind → maximum number of ids per request
BATCH_SIZES = {"artists": 50, "albums": 20}


@dataclass
class WebApi:
    """The routes that a client of Spotify uses."""

    source: Source
    today: Callable[[], date]
    settings: Settings
    accounts: Accounts
    _libraries: dict[date, Library] = field(default_factory=dict)  # contains only the latest date

    def routes(self) -> list[Route]:
        """Returns the routes."""
        return [
            Route("/authorize", self.authorize),
            Route("/api/token", self.token, methods=["POST"]),
            Route("/v1/me", self.me),
            Route("/v1/me/playlists", self.my_playlists),
            Route("/v1/playlists/{playlist_id}", self.playlist),
            Route("/v1/playlists/{playlist_id}/{path:str}", self.items),
            *(Route(f"/v1/{kind}", self.several, name=kind) for kind in BATCH_SIZES),
            *(Route(f"/v1/{kind}/{{spotify_id}}", self.single, name=kind) for kind in BATCH_SIZES),
        ]

    async def authorize(self, request: Request) -> Response:
        """Handles GET /authorize; redirects immediately, without a page."""
        try:
            return RedirectResponse(self.accounts.authorize(request.query_params), 302)
        except RefusedError as refused:
            return PlainTextResponse(str(refused), refused.status)

    async def token(self, request: Request) -> Response:
        """Handles POST /api/token."""
        form = dict(parse_qsl((await request.body()).decode()))
        try:
            return JSONResponse(self.accounts.grant(request.headers.get("authorization", ""), form))
        except GrantRefusedError as refused:
            return JSONResponse(refused.body, 400)

    async def me(self, request: Request) -> Response:
        """Handles GET /v1/me."""
        self.accounts.scopes(self._token(request))
        found = {
            "display_name": "Sandbox Listener",
            **user(ME),
            "followers": {"href": None, "total": 7},
            "images": [],
        }
        return self._json(shapes.body(shapes.withheld(found, self.settings.shape)))

    async def my_playlists(self, request: Request) -> Response:
        """Handles GET /v1/me/playlists: playlists that the user owns or follows, if the scopes allow it."""
        token = self._token(request)
        scopes = self.accounts.scopes(token)
        queries = [self._playlist_query(request, token, playlist_id) for playlist_id in self.source.library()]
        found = [one for one in map(self.source.listed, queries) if one is None or _scope_of(one) <= scopes]
        of = f"users/{ME}" if self.settings.user_in_href else "me"
        url = f"{_api_url(request)}/{of}/playlists"
        return self._json(shapes.body(shapes.paging(found, url, *_window(request, LIST_SIZES))))

    async def playlist(self, request: Request) -> Response:
        """Handles GET /v1/playlists/{id}."""
        query = self._playlist_query(
            request, self._token(request), _checked(request.path_params["playlist_id"])
        )
        return self._json(self.source.head(query))

    async def items(self, request: Request) -> Response:
        """Handles GET /v1/playlists/{id}/items and, for the shape before 2026, …/tracks."""
        token = self._token(request)
        self._check_items(token, request.path_params["path"])
        offset, limit = _window(request, PAGE_SIZES[request.path_params["path"]])
        query = self._playlist_query(request, token, _checked(request.path_params["playlist_id"]))
        return self._json(self.source.page(query, offset, limit))

    async def several(self, request: Request) -> Response:
        """Handles GET /v1/artists?ids= and /v1/albums?ids=; unknown ids return null."""
        self._token(request)
        kind = request.url.path.rpartition("/")[2]
        if self.settings.restricted:
            raise RefusedError(403, "Forbidden")
        ids = [_checked(given) for given in request.query_params.get("ids", "").split(",")]
        if len(ids) > BATCH_SIZES[kind]:
            raise RefusedError(400, "Too many ids requested")
        return self._json(shapes.body({kind: [self._full_object(request, kind, given) for given in ids]}))

    async def single(self, request: Request) -> Response:
        """Handles GET /v1/artists/{id} and /v1/albums/{id}."""
        self._token(request)
        kind = request.url.path.split("/")[2]
        found = self._full_object(request, kind, _checked(request.path_params["spotify_id"]))
        if found is None:
            raise RefusedError(404, "Resource not found")
        return self._json(shapes.body(shapes.withheld(found, self.settings.shape)))

    def _full_object(self, request: Request, kind: str, spotify_id: str) -> Json | None:
        library = self._library(self.today())
        found = library.artist if kind == "artists" else library.album
        return found(spotify_id, _api_url(request))

    def _library(self, day: date) -> Library:
        if day not in self._libraries:
            self._libraries = {day: Library.of(self.source.entries(day))}
        return self._libraries[day]

    def _token(self, request: Request) -> str:
        return self.accounts.check(request.headers.get("authorization", ""))

    def _check_items(self, token: str, path: str) -> None:
        if path not in PAGE_SIZES:
            raise RefusedError(404, "Service not found")
        if self.settings.restricted and path == "tracks":
            raise RefusedError(403, "Forbidden")
        if self.settings.restricted and not self.accounts.is_user(token):
            raise RefusedError(401, "Valid user authentication required")

    def _playlist_query(self, request: Request, token: str, playlist_id: str) -> PlaylistQuery:
        days, entries = self._changes(playlist_id)
        day, api_url = self.today() + timedelta(days), _api_url(request)
        user = self.accounts.is_user(token)
        return PlaylistQuery(
            playlist_id, day, self.settings.shape, api_url, self.settings.app_class, user, entries
        )

    def _changes(self, playlist_id: str) -> tuple[int, int]:
        """Counts the response, and returns the days and entries by which the playlist has changed."""
        changes = [change for change in self.settings.changes if change.playlist == playlist_id]
        for change in changes:
            change.count()
        days = sum(change.fired * change.days for change in changes)
        return days, sum(change.fired * change.entries for change in changes)

    def _json(self, body: bytes) -> Response:
        return as_json(shapes.with_floats(body) if self.settings.floats else body)


def as_json(body: bytes) -> Response:
    """Returns a JSON response with Spotify's media type."""
    return Response(body, media_type="application/json; charset=utf-8")


def _api_url(request: Request) -> str:
    return f"{str(request.base_url).rstrip('/')}/v1"


def _checked(spotify_id: str) -> str:
    if not SPOTIFY_ID.fullmatch(spotify_id):
        raise RefusedError(400, "Invalid base62 id")
    return spotify_id


def _scope_of(playlist: Json) -> set[str]:
    """Returns the scope that GET /me/playlists requires to list a playlist; empty for a public playlist."""
    if playlist["collaborative"]:
        return {"playlist-read-collaborative"}
    return set() if playlist["public"] else {"playlist-read-private"}


def _window(request: Request, sizes: tuple[int, int]) -> tuple[int, int]:
    """Returns offset and limit of a page; `sizes`: default and maximum limit. Raises RefusedError."""
    default, maximum = sizes
    offset = _number(request, "offset", 0)
    limit = _number(request, "limit", default)
    if not 1 <= limit <= maximum:
        raise RefusedError(400, "Invalid limit")
    return offset, limit


def _number(request: Request, name: str, default: int) -> int:
    text = request.query_params.get(name, str(default))
    if not re.fullmatch("[0-9]{1,9}", text):
        raise RefusedError(400, f"Invalid {name}")
    return int(text)
