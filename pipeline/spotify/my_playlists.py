"""The word `mine`: every playlist that the authorised user owns or collaborates on.

The Web API does not state whether the user collaborates on another user's playlist. Therefore every playlist
counts that is marked as collaborative or has no owner in the response. If the user only follows it, an app in
development mode may not read its entries, and that playlist fails.
Source: Web API reference, and publicly recorded responses.
"""

import logging
import re
from collections.abc import Mapping, Sequence
from typing import Annotated, NamedTuple

from msgspec import Meta, Struct
from msgspec.json import Decoder

from pipeline.errors import Code, ConfigurationError, PlaylistUnavailable
from pipeline.records import PlaylistLine, Run
from pipeline.spotify.client import SpotifyClient
from pipeline.spotify.credentials import SCOPE
from pipeline.spotify.links import MINE
from pipeline.spotify.listed_playlists import decoded, read_list

log = logging.getLogger(__name__)

_ID = re.compile(r"[0-9A-Za-z]{22}")


class User(Struct):
    """`GET /me`."""

    id: Annotated[str, Meta(min_length=1)]


Decoder(User)  # at import: msgspec crashes if two threads use a type for the first time simultaneously


class Wanted(NamedTuple):
    """The playlists that a run reads, without duplicates.

    `snapshot_ids`: current snapshot ids by playlist, from the user's list. `failed`: one line, for `mine`, if
    the list could not be read.
    """

    ids: list[str]
    snapshot_ids: Mapping[str, str] = {}
    failed: Sequence[PlaylistLine] = ()


def find_wanted(client: SpotifyClient, run: Run, names: list[str]) -> Wanted:
    """Replaces `mine` with the user's playlists; if their list cannot be read, only the other names remain.

    Raises ConfigurationError, before any request, if `mine` is named and the app has no user.
    """
    if MINE not in names:
        return Wanted(names)
    if not client.for_user:
        message = (
            "`mine` means the playlists of a user, and the SpotifyCredentials block has no refresh_token. "
            "Nothing was requested. Authorise a user (python -m blocks authorize), or name the playlists"
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
    """Ids of the user's playlists, and the snapshot ids of all listed playlists.

    Raises PlaylistUnavailable if the list is incomplete or contains no playlist of the user.
    """
    _refuse_narrow_consent(client)
    listed, user = read_list(client)
    shown = [one for one in listed if one]
    seen = {one.id: one for one in shown if one.id and _ID.fullmatch(one.id)}
    owners = {playlist_id: one.owner.id if one.owner else None for playlist_id, one in seen.items()}
    if seen and user not in owners.values():
        user = decoded(client.me(), User).id
    mine = [
        playlist_id
        for playlist_id, one in seen.items()
        if one.collaborative or owners[playlist_id] in (user, None)
    ]
    log.info(
        "mine: %s playlists of user %s; left out: %s that the user follows, %s that Spotify does not show",
        len(mine),
        user,
        len(seen) - len(mine),
        len(listed) - len(shown),
    )
    if len(seen) < len(shown):
        log.warning("mine: %s playlists of the list have no usable id: left out", len(shown) - len(seen))
    if not mine:
        who = f"user {user}" if user else "the user"
        message = f"mine: {who} owns no playlist and collaborates on none. Create one, or name playlists"
        raise PlaylistUnavailable(message, Code.PLAYLISTS_EMPTY)
    return mine, {playlist_id: one.snapshot_id for playlist_id, one in seen.items() if one.snapshot_id}


def _refuse_narrow_consent(client: SpotifyClient) -> None:
    """Raises PlaylistUnavailable without these scopes: Spotify would silently omit playlists."""
    if client.scope is None:
        return
    missing = [scope for scope in SCOPE.split() if scope not in client.scope.split()]
    if missing:
        message = (
            f"mine: the user's consent lacks {' and '.join(missing)}, so Spotify omits playlists. "
            "Authorise again: python -m blocks authorize"
        )
        raise PlaylistUnavailable(message, Code.SPOTIFY_SCOPE)
