"""Sources of the server's responses: the synthetic catalogue here, recorded responses in recordings.py."""

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


class PlaylistQuery(NamedTuple):
    """A request for a playlist: id, date, shape, class of app and kind of token."""

    playlist_id: str
    day: date
    shape: Shape
    api_url: str
    app_class: AppClass = "extended_new"
    user: bool = True  # the token is a user's, not the app's alone
    entries: int = 0  # number of entries to add, or if negative, to remove


class Source(Protocol):
    """Returns response bodies; raises RefusedError if a playlist is unknown or the app may not read it."""

    def listing(self, app_class: AppClass = "extended_new") -> dict[str, str]:
        """Returns the playlists for a class of app: id → name."""

    def library(self) -> list[str]:
        """Returns the ids of the playlists that the user owns or follows, in the order of the API."""

    def listed(self, query: PlaylistQuery) -> Json | None:
        """Returns the simplified playlist of GET /me/playlists; None if the app may not see it."""

    def head(self, query: PlaylistQuery) -> bytes:
        """Returns the response body of GET /playlists/{id}."""

    def page(self, query: PlaylistQuery, offset: int, limit: int) -> bytes:
        """Returns the response body of GET /playlists/{id}/items."""

    def entries(self, day: date) -> Iterable[Json]:
        """Returns the entries of all playlists, from which artists and albums are served."""


class Synthetic:
    """The playlists of the catalogue."""

    def listing(self, app_class: AppClass = "extended_new") -> dict[str, str]:
        """Returns the playlists for a class of app: id → name."""
        also = [catalogue.SPOTIFY_OWNED] if app_class == "extended_old" else []
        return catalogue.PLAYLISTS | {playlist_id: catalogue.NAMES[playlist_id] for playlist_id in also}

    def library(self) -> list[str]:
        """Returns the ids of the playlists that the user owns or follows, in the order of the API."""
        return list(catalogue.LIBRARY)

    def listed(self, query: PlaylistQuery) -> Json | None:
        """Returns the simplified playlist of GET /me/playlists; None if the app may not see it."""
        try:
            found = _find(query)
        except RefusedError:
            return None
        return shapes.listed(found, len(found["entries"]), query.shape, query.api_url)

    def head(self, query: PlaylistQuery) -> bytes:
        """Returns the response body of GET /playlists/{id}."""
        return _head(query)

    def page(self, query: PlaylistQuery, offset: int, limit: int) -> bytes:
        """Returns the response body of GET /playlists/{id}/items."""
        return _page(query, offset, limit)

    def entries(self, day: date) -> Iterable[Json]:
        """Returns the entries of all playlists, on a date, the day before and the day after."""
        days = (day + timedelta(shift) for shift in (-1, 0, 1))
        found = (catalogue.playlist(playlist_id, each) for each in days for playlist_id in catalogue.NAMES)
        return chain.from_iterable(content["entries"] for content in found if content)


def _find(query: PlaylistQuery) -> Json:
    closed = query.playlist_id.startswith(SPOTIFY_OWNS) and query.app_class != "extended_old"
    found = None if closed else catalogue.playlist(query.playlist_id, query.day)
    if found is None:
        raise RefusedError(404, "Resource not found")
    return catalogue.resized(found, query.entries)


@lru_cache(maxsize=32)
def _head(query: PlaylistQuery) -> bytes:
    return shapes.body(shapes.head(_find(query), query.shape, query.api_url, user=query.user))


@lru_cache(maxsize=64)
def _page(query: PlaylistQuery, offset: int, limit: int) -> bytes:
    found = _find(query)
    if not shapes.readable(found, query.shape, user=query.user):
        raise RefusedError(403, "Forbidden")
    return shapes.body(shapes.page(found, offset, limit, query.shape, query.api_url))
