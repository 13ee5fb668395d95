"""`GET /me/playlists`: all playlists that the authorised user owns or follows, 50 per page.

Source: Web API reference, and publicly recorded responses.
"""

import logging
import re
from collections import Counter
from typing import Any, TypeVar
from urllib.parse import unquote

from msgspec import Struct
from msgspec.json import Decoder

from pipeline.errors import Code, PlaylistUnavailable
from pipeline.records import MAX_TOTAL
from pipeline.spotify.client import SpotifyClient
from pipeline.transform.api_types import Paging
from pipeline.transform.coverage import Coverage
from pipeline.transform.lenient import decode_lenient
from pipeline.transform.pages import decode_replacing, to_page

T = TypeVar("T")

log = logging.getLogger(__name__)

READS = 3
"""Number of attempts to read a list that changes while it is read."""

_USER_IN_URL = re.compile(r"/users/([^/?#]+)/playlists")


class ListedOwner(Struct):
    """The user who owns a playlist."""

    id: str | None = None


class Listed(Struct):
    """A playlist in the list."""

    id: str | None = None
    owner: ListedOwner | None = None
    collaborative: bool | None = None
    snapshot_id: str | None = None


class ListPage(Paging[Any]):
    """`GET /me/playlists`. An item is null if the app may not see it: Spotify's own playlists, since 2024.

    `href` is `…/users/<id of the user>/playlists?…`, or `…/me/playlists?…`.
    """

    items: list[Any]
    href: Any = None


Decoder(ListPage)  # at import: msgspec crashes if two threads use a type for the first time simultaneously


def read_list(client: SpotifyClient) -> tuple[list[Listed | None], str | None]:
    """All playlists that the user owns or follows, and the user's id if a response contains it.

    An item is None if Spotify does not show that playlist to the app.
    """
    problem = ""
    for _ in range(READS):
        items, coverage, user = _read_once(client)
        ids = [one.id for one in items if one and one.id]
        if coverage.is_complete and len(set(ids)) == len(ids):
            return items, user
        twice = len(ids) - len(set(ids))
        problem = coverage.problem or f"{len(items)} of {coverage.total}, {twice} of them twice"
        log.info("mine: counts differ or the list changed (%s); reading it again", problem)
    message = (
        f"mine: the user's list of playlists changed during each of {READS} reads, or Spotify returns fewer "
        f"or other playlists than it counts: {problem}. Run again, or name the playlists"
    )
    raise PlaylistUnavailable(message, Code.SPOTIFY_CHANGING)


def _read_once(client: SpotifyClient) -> tuple[list[Listed | None], Coverage, str | None]:
    """The items of all pages, their coverage, and the user's id.

    Ends early at an empty page, or at a page that does not continue the one before or has another total.
    """
    items: list[Listed | None] = []
    coverage: Coverage | None = None
    while True:
        listed = decoded(client.my_playlists(len(items)), ListPage)
        page = to_page(listed, listed.items, "items")
        if page.total is None or page.total > MAX_TOTAL:
            raise _unreadable("its `total` is not a number of playlists")
        coverage = coverage or Coverage(page.total)
        coverage.add(page)
        if not coverage.problem:
            items += map(_listed, page.entries)
        if coverage.problem or not page.entries or coverage.received >= coverage.total:
            match = _USER_IN_URL.search(listed.href if isinstance(listed.href, str) else "")
            return items, coverage, unquote(match[1]) if match else None


def _listed(item: object) -> Listed | None:
    """A playlist, with unusable fields as None; None if Spotify does not show the playlist."""
    return None if item is None else decode_lenient(item if isinstance(item, dict) else {}, Listed, Counter())


def decoded(body: bytes, kind: type[T]) -> T:
    """Decodes a response; raises PlaylistUnavailable if it has another form."""
    try:
        return decode_replacing(body, kind)
    except ValueError as error:
        raise _unreadable(str(error)) from error


def _unreadable(why: str) -> PlaylistUnavailable:
    message = f"mine: Spotify's response is not a list of playlists: {why}. Run again"
    return PlaylistUnavailable(message, Code.SPOTIFY_UNREADABLE)
