"""The word `mine`: every playlist that the authorised user owns or collaborates on.

`GET /me/playlists` lists what a user owns or follows, 50 a page. Whether the user collaborates on another
user's playlist is not in the response: each one that is marked as collaborative counts. If the user only
follows it, an app in development mode is refused its entries, and that playlist fails.
Source: Web API reference, and responses recorded by others.
"""

import logging
import re
from collections.abc import Mapping, Sequence
from typing import Annotated, NamedTuple, TypeVar
from urllib.parse import unquote

from msgspec import Meta, Struct
from msgspec.json import Decoder

from pipeline.errors import Code, ConfigurationError, PlaylistUnavailable
from pipeline.records import PlaylistLine, Run
from pipeline.spotify.client import SpotifyClient
from pipeline.spotify.credentials import SCOPE
from pipeline.spotify.links import MINE
from pipeline.transform.api_types import Paging
from pipeline.transform.pages import decode_text, page_of
from pipeline.transform.slots import Slots

T = TypeVar("T")

log = logging.getLogger(__name__)

READS = 3
"""A list that changes while it is read is read again, twice at most."""
MAX_TOTAL = 100_000
"""Spotify's own limit of offsets; an account holds about 11,000 playlists."""

_USER_IN_URL = re.compile(r"/users/([^/?#]+)/playlists")


class ListedOwner(Struct):
    """The user who owns a playlist."""

    id: str | None = None


class Listed(Struct):
    """A playlist as the list shows it; without an id it cannot be read by this app."""

    id: Annotated[str, Meta(pattern=r"\A[0-9A-Za-z]{22}\Z")] | None = None
    owner: ListedOwner | None = None
    collaborative: bool | None = None
    snapshot_id: str | None = None


class ListPage(Paging[Listed | None]):
    """`GET /me/playlists`. An item is null if the app may not see it: Spotify's own playlists, since 2024.

    `href` is `…/users/<id of the user>/playlists?…`, or `…/me/playlists?…`.
    """

    items: list[Listed | None]
    href: str | None = None


class User(Struct):
    """`GET /me`."""

    id: Annotated[str, Meta(min_length=1)]


for _kind in (ListPage, User):  # before threads need them: msgspec crashes if two look into a type at once
    Decoder(_kind)


class Wanted(NamedTuple):
    """The playlists that a run reads, each once.

    `snapshot_ids`: as the user's list showed them, by playlist. `failed`: `mine`, if it could not be read.
    """

    ids: list[str]
    snapshot_ids: Mapping[str, str] = {}
    failed: Sequence[PlaylistLine] = ()


def find_wanted(client: SpotifyClient, run: Run, names: list[str]) -> Wanted:
    """The playlists named, with the user's in place of `mine`. If Spotify does not list these, others remain.

    Raises ConfigurationError, before any request, if `mine` is named and the app has no user.
    """
    if MINE not in names:
        return Wanted(names)
    if not client.for_user:
        message = (
            "`mine` means the playlists of a user, and the SpotifyCredentials block has no refresh_token. "
            "Nothing was requested. Authorise a user, python -m blocks authorize, or name the playlists"
        )
        raise ConfigurationError(message, Code.SPOTIFY_NO_USER)
    client.authorise()
    try:
        mine, snapshot_ids = _read_mine(client)
    except PlaylistUnavailable as error:
        log.warning("%s", error)
        failed = PlaylistLine(MINE, run.snapshot_date, "failed", reason=str(error))
        return Wanted([name for name in names if name != MINE], failed=[failed])
    ids = (one for name in names for one in (mine if name == MINE else [name]))
    return Wanted(list(dict.fromkeys(ids)), snapshot_ids)


def _read_mine(client: SpotifyClient) -> tuple[list[str], dict[str, str]]:
    """Ids of the user's playlists, and the snapshot id of each playlist listed.

    Raises PlaylistUnavailable if the list is not whole, or holds no playlist of the user.
    """
    _refuse_narrow_consent(client)
    listed, user = _read_list(client)
    seen = {one.id: one for one in listed if one and one.id}
    owners = {playlist_id: one.owner.id if one.owner else None for playlist_id, one in seen.items()}
    if seen and user not in owners.values():
        user = _decoded(client.me(), User).id
    mine = [
        playlist_id for playlist_id, one in seen.items() if one.collaborative or owners[playlist_id] == user
    ]
    log.info(
        "mine: %s playlists of user %s; left out: %s that the user follows, %s that Spotify does not show",
        len(mine),
        user,
        len(seen) - len(mine),
        len(listed) - len(seen),
    )
    if not mine:
        message = (
            f"mine: user {user} owns no playlist and collaborates on none. Create one, or name playlists"
        )
        raise PlaylistUnavailable(message, Code.PLAYLISTS_EMPTY)
    return mine, {playlist_id: one.snapshot_id for playlist_id, one in seen.items() if one.snapshot_id}


def _refuse_narrow_consent(client: SpotifyClient) -> None:
    """Without a scope, Spotify leaves private or collaborative playlists out and does not say so."""
    if client.scope is None:
        return
    missing = [scope for scope in SCOPE.split() if scope not in client.scope.split()]
    if missing:
        message = (
            f"mine: the user's consent lacks {' and '.join(missing)}, so Spotify leaves playlists out. "
            "Authorise again: python -m blocks authorize"
        )
        raise PlaylistUnavailable(message, Code.SPOTIFY_SCOPE)


def _read_list(client: SpotifyClient) -> tuple[list[Listed | None], str | None]:
    """Everything that the user owns or follows, and the user's id if the response names it."""
    counted = ""
    for _ in range(READS):
        items, slots, user = _read_once(client)
        ids = [one.id for one in items if one and one.id]
        if slots.is_whole and len(set(ids)) == len(ids):
            return items, user
        twice = len(ids) - len(set(ids))
        counted = slots.problem or f"{len(items)} of {slots.total}, {twice} of them twice"
        log.info("mine: counts differ or the list changed (%s); reading it again", counted)
    message = (
        f"mine: the user's list of playlists changed during each of {READS} reads, or Spotify returns fewer "
        f"or other playlists than it counts: {counted}. Run again, or name the playlists"
    )
    raise PlaylistUnavailable(message, Code.SPOTIFY_CHANGING)


def _read_once(client: SpotifyClient) -> tuple[list[Listed | None], Slots, str | None]:
    """The items of all pages, the places that they fill, and the user's id.

    Ends early at a page that is empty, does not start where the one before ended, or gives another total.
    """
    items: list[Listed | None] = []
    slots: Slots | None = None
    while True:
        listed = _decoded(client.my_playlists(len(items)), ListPage)
        page = page_of(listed, listed.items, "items")
        if page.total is None or page.total > MAX_TOTAL:
            raise _unreadable("its `total` is no number of playlists")
        slots = slots or Slots(page.total)
        slots.take(page._replace(limit=None))  # some servers cut it without saying so
        if not slots.problem:
            items += page.entries
        if slots.problem or not page.entries or slots.filled >= slots.total:
            match = _USER_IN_URL.search(listed.href or "")
            return items, slots, unquote(match[1]) if match else None


def _decoded(body: bytes, kind: type[T]) -> T:
    try:
        return decode_text(body, kind)
    except ValueError as error:
        raise _unreadable(str(error)) from error


def _unreadable(why: str) -> PlaylistUnavailable:
    message = f"mine: Spotify's response is not a list of playlists: {why}. Run again"
    return PlaylistUnavailable(message, Code.SPOTIFY_UNREADABLE)
