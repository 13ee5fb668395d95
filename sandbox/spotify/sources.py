"""Where the server's answers come from: the catalogue here, recorded answers in `recordings`."""

from datetime import date
from functools import lru_cache
from typing import NamedTuple, Protocol

from sandbox.spotify import catalogue, shapes
from sandbox.spotify.errors import RefusedError
from sandbox.spotify.objects import Json
from sandbox.spotify.shapes import Shape


class Ask(NamedTuple):
    """What is asked for, and how the answer shall look."""

    playlist_id: str
    day: date
    shape: Shape
    api_url: str


class Source(Protocol):
    """Bodies of API answers; raises RefusedError for playlists that are unknown or not readable."""

    def listing(self) -> dict[str, str]:
        """Give the playlists: id → name."""

    def head(self, ask: Ask) -> bytes:
        """Answer GET /playlists/{id}."""

    def page(self, ask: Ask, offset: int, limit: int) -> bytes:
        """Answer GET /playlists/{id}/items."""


class Synthetic:
    """The playlists of the catalogue."""

    def listing(self) -> dict[str, str]:
        """Give the playlists: id → name."""
        return dict(catalogue.PLAYLISTS)

    def head(self, ask: Ask) -> bytes:
        """Answer GET /playlists/{id}."""
        return _head(ask)

    def page(self, ask: Ask, offset: int, limit: int) -> bytes:
        """Answer GET /playlists/{id}/items."""
        return _page(ask, offset, limit)


def _find(ask: Ask) -> Json:
    found = catalogue.playlist(ask.playlist_id, ask.day)
    if found is None:
        raise RefusedError(404, "Resource not found")
    return found


@lru_cache(maxsize=32)
def _head(ask: Ask) -> bytes:
    return shapes.body(shapes.head(_find(ask), ask.shape, ask.api_url))


@lru_cache(maxsize=64)
def _page(ask: Ask, offset: int, limit: int) -> bytes:
    found = _find(ask)
    if not shapes.readable(found, ask.shape):
        raise RefusedError(403, "Forbidden")
    return shapes.body(shapes.page(found, offset, limit, ask.shape, ask.api_url))
