"""Where the server's responses come from: the catalogue here, recorded ones in `recordings`."""

from collections.abc import Iterable
from datetime import date, timedelta
from functools import lru_cache
from itertools import chain
from typing import NamedTuple, Protocol

from sandbox.spotify import catalogue, shapes
from sandbox.spotify.errors import RefusedError
from sandbox.spotify.objects import Json
from sandbox.spotify.settings import SPOTIFY_OWNS, AppClass
from sandbox.spotify.shapes import Shape


class Ask(NamedTuple):
    """A request: for what, by which app, and in which shape."""

    playlist_id: str
    day: date
    shape: Shape
    api_url: str
    app_class: AppClass = "extended_new"
    user: bool = True  # whose playlists may be read, or the app alone
    entries: int = 0  # more than on that day, or fewer


class Source(Protocol):
    """Response bodies; raises RefusedError for playlists that are unknown or not readable."""

    def listing(self, app_class: AppClass = "extended_new") -> dict[str, str]:
        """Returns the playlists that are there for a class of app: id → name."""

    def library(self) -> list[str]:
        """Returns the ids of the playlists that the user owns or follows, in their order."""

    def listed(self, ask: Ask) -> Json | None:
        """Returns a playlist as GET /me/playlists shows it; None if this app may not see it."""

    def head(self, ask: Ask) -> bytes:
        """Returns the response body of GET /playlists/{id}."""

    def page(self, ask: Ask, offset: int, limit: int) -> bytes:
        """Returns the response body of GET /playlists/{id}/items."""

    def entries(self, day: date) -> Iterable[Json]:
        """Returns the entries of all playlists: theirs are the artists and albums that can be asked for."""


class Synthetic:
    """The playlists of the catalogue."""

    def listing(self, app_class: AppClass = "extended_new") -> dict[str, str]:
        """Returns the playlists that are there for a class of app: id → name."""
        also = [catalogue.SPOTIFY_OWNED] if app_class == "extended_old" else []
        return catalogue.PLAYLISTS | {playlist_id: catalogue.NAMES[playlist_id] for playlist_id in also}

    def library(self) -> list[str]:
        """Returns the ids of the playlists that the user owns or follows, in their order."""
        return list(catalogue.LIBRARY)

    def listed(self, ask: Ask) -> Json | None:
        """Returns a playlist as GET /me/playlists shows it; None if this app may not see it."""
        try:
            found = _find(ask)
        except RefusedError:
            return None
        return shapes.listed(found, len(found["entries"]), ask.shape, ask.api_url)

    def head(self, ask: Ask) -> bytes:
        """Returns the response body of GET /playlists/{id}."""
        return _head(ask)

    def page(self, ask: Ask, offset: int, limit: int) -> bytes:
        """Returns the response body of GET /playlists/{id}/items."""
        return _page(ask, offset, limit)

    def entries(self, day: date) -> Iterable[Json]:
        """Returns the entries of all playlists, on a day and its neighbours."""
        days = (day + timedelta(apart) for apart in (-1, 0, 1))
        found = (catalogue.playlist(playlist_id, each) for each in days for playlist_id in catalogue.NAMES)
        return chain.from_iterable(content["entries"] for content in found if content)


def _find(ask: Ask) -> Json:
    closed = ask.playlist_id.startswith(SPOTIFY_OWNS) and ask.app_class != "extended_old"
    found = None if closed else catalogue.playlist(ask.playlist_id, ask.day)
    if found is None:
        raise RefusedError(404, "Resource not found")
    return catalogue.grown(found, ask.entries)


@lru_cache(maxsize=32)
def _head(ask: Ask) -> bytes:
    return shapes.body(shapes.head(_find(ask), ask.shape, ask.api_url, user=ask.user))


@lru_cache(maxsize=64)
def _page(ask: Ask, offset: int, limit: int) -> bytes:
    found = _find(ask)
    if not shapes.readable(found, ask.shape, user=ask.user):
        raise RefusedError(403, "Forbidden")
    return shapes.body(shapes.page(found, offset, limit, ask.shape, ask.api_url))
