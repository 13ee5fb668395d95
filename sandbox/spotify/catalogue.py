"""The synthetic playlists, which depend only on the date.

A playlist has one canonical form: Spotify's metadata, and all entries under `entries`, with the song or
episode under `item`. shapes.py converts it to API responses. The returned objects are cached; do not change
them.
"""

import json
from base64 import b64decode, b64encode
from collections.abc import Callable
from datetime import date
from functools import lru_cache, partial
from hashlib import sha256
from itertools import cycle, islice

from sandbox.spotify.edited import edited
from sandbox.spotify.objects import ME, Json, entry, identity, images, user
from sandbox.spotify.oddities import ODDITIES
from sandbox.spotify.seeds import base62, rng
from sandbox.spotify.settings import SPOTIFY_OWNS
from sandbox.spotify.songs import Song, chart_of, releases, track_on

CHARTS = ("sandboxTop50Worldwide1", "sandboxTop50Atlantis01")
MIXTAPE = "sandboxMixtape00000001"
EMPTY = "sandboxEmpty0000000001"
EMPTIED = "sandboxEmptied00000001"  # empty every other day: has entries if date.toordinal() is odd
FOREIGN = "sandboxForeign00000001"  # owned by another user: a restricted app may not read its entries
SPOTIFY_OWNED = f"{SPOTIFY_OWNS}sandbox000000001"  # only apps of class extended_old may read it
SHARED = "sandboxShared000000001"  # owned by another user; collaborative, also edited by the sandbox's user
HUGE = "sandboxHuge00000000001"  # has the maximum number of entries of a playlist; never changes

# id → name, in the order of the demo; without SHARED, SPOTIFY_OWNED and HUGE
PLAYLISTS = {
    CHARTS[0]: "Top 50 - Worldwide",
    CHARTS[1]: "Top 50 - Atlantis",
    MIXTAPE: 'The Mixtape of "Everything", Vol. 3 🫖',
    EMPTY: "Songs I Finished Writing",
    EMPTIED: "Here Today",
    FOREIGN: "Somebody Else's Road Trip",
}
NAMES = {**PLAYLISTS, SHARED: "Office Kettle", SPOTIFY_OWNED: "Today's Top Kettles", HUGE: "Everything, Ever"}
_DESCRIPTIONS = {
    CHARTS[0]: "Your daily update of the most played songs right now - Worldwide.",
    CHARTS[1]: "Your daily update of the most played songs right now - Atlantis.",
    MIXTAPE: 'Long, "strange", 100 % mixed:\nrain, ferries & kettles; 夜 too. \\N',
    EMPTY: "",
    EMPTIED: "Every other day.",
    FOREIGN: None,
    SHARED: "Everybody adds, nobody skips.",
    SPOTIFY_OWNED: "The hottest 50. Cover: nobody yet.",
    HUGE: "",
}
# playlist id → owner's id and name; the user owns all other playlists
_OWNERS = {
    FOREIGN: ("somebody-else", None),
    SHARED: ("colleague", "A Colleague"),
    SPOTIFY_OWNED: ("spotify", "Spotify"),
}
# playlists that the user owns or follows, in the order of GET /me/playlists
LIBRARY = (SHARED, *PLAYLISTS, SPOTIFY_OWNED)
MIXTAPE_LENGTH = 320
HUGE_LENGTH = 10_000
_EMPTIED_LENGTH = 12
_FOREIGN_LENGTH = 40
_WEEK = 7  # days; playlists edited by hand change once a week
# Prefix of every snapshot_id: it contains `/`, `+` and `=`, which are unsafe in file names and URLs.
_PREFIX = b64decode("AAAA/+8=")


def _chart(playlist_id: str, day: int) -> list[Json]:
    added_at = f"{date.fromordinal(day)}T10:30:00Z"
    return [entry(track_on(song, day), added_at, user("")) for song in chart_of(playlist_id, day)]


def _pick(collection: str, number: int, week: int) -> Json:
    """Returns the entry with this number of a collection that grows by four entries every week."""
    added = number // 4 * _WEEK + rng(collection, number).randrange(_WEEK)
    song: Song = releases(added - rng(collection, number, "age").randrange(1500))[0]
    return entry(track_on(song, week * _WEEK), f"{date.fromordinal(added)}T18:{number % 60:02}:00Z", user(ME))


def _picks(collection: str, length: int, day: int) -> list[Json]:
    week = day // _WEEK
    return [_pick(collection, number, week) for number in range(week * 4 - length, week * 4)]


def _mixtape(day: int) -> list[Json]:
    """Returns ordinary songs, with the oddities distributed over all pages."""
    entries = _picks(MIXTAPE, MIXTAPE_LENGTH - len(ODDITIES), day)
    distance = MIXTAPE_LENGTH // len(ODDITIES)
    for number, odd in enumerate(ODDITIES.values()):
        entries.insert(distance // 2 + number * distance, odd(day))
    return entries


@lru_cache(maxsize=1)
def _huge() -> list[Json]:
    """Returns 10,000 different songs, derived from the songs of one chart."""
    on = date(2026, 1, 1)
    songs = [picked["item"] for picked in _chart(HUGE, on.toordinal())]
    numbered = (
        {**song, "name": f"{song['name']} {number}", **identity("track", base62(HUGE, number))}
        for number, song in enumerate(islice(cycle(songs), HUGE_LENGTH), start=1)
    )
    return [entry(song, f"{on}T10:30:00Z", user(ME)) for song in numbered]


def _emptied(day: int) -> list[Json]:
    return _picks(EMPTIED, _EMPTIED_LENGTH, day) if day % 2 else []


_EDITED_BY_HAND: dict[str, Callable[[int], list[Json]]] = {
    MIXTAPE: _mixtape,
    SHARED: edited,
    FOREIGN: partial(_picks, FOREIGN, _FOREIGN_LENGTH),
    EMPTIED: _emptied,
}


def _entries(playlist_id: str, day: int) -> list[Json]:
    if playlist_id in (*CHARTS, SPOTIFY_OWNED):
        return _chart(playlist_id, day)
    if playlist_id == HUGE:
        return _huge()
    return _EDITED_BY_HAND[playlist_id](day) if playlist_id in _EDITED_BY_HAND else []


def _followers(playlist_id: str, day: int) -> int:
    if playlist_id in CHARTS:
        return 4_000_000 + rng("followers", playlist_id).randrange(900_000) + 137 * (day % 3000)
    return 0 if playlist_id in (EMPTY, HUGE) else 3 + len(playlist_id) + day // _WEEK % 50


def _snapshot_id(content: Json) -> str:
    """Returns an id that identifies the content; in the format of real ids, 32 characters of base64."""
    if content.get("id") == HUGE:
        content = {
            **content,
            "entries": HUGE_LENGTH,
        }  # the entries never change, and take half a second to encode
    text = json.dumps(content, sort_keys=True)
    return b64encode(_PREFIX + sha256(text.encode("ascii")).digest()[:18]).decode("ascii")


@lru_cache(maxsize=256)
def playlist(playlist_id: str, day: date) -> Json | None:
    """Returns a playlist on a date, in the canonical form; None for an unknown id."""
    if playlist_id not in NAMES:
        return None
    owner, owner_name = _OWNERS.get(playlist_id, (ME, "Sandbox Listener"))
    content = {
        "collaborative": playlist_id == SHARED,
        "description": _DESCRIPTIONS[playlist_id],
        **identity("playlist", playlist_id),
        "followers": {"href": None, "total": _followers(playlist_id, day.toordinal())},
        "images": [] if playlist_id == EMPTY else images(playlist_id)[:1],
        "name": NAMES[playlist_id],
        "owner": {"display_name": owner_name, **user(owner)},
        "primary_color": None,
        "public": playlist_id != SHARED,
        "entries": _entries(playlist_id, day.toordinal()),
    }
    return {**content, "snapshot_id": _snapshot_id(content)}


def resized(content: Json, entries: int) -> Json:
    """Returns the playlist with `entries` more at the end, or if negative, fewer at the start."""
    if not entries:
        return content
    more = islice(cycle(content["entries"]), max(0, entries))
    changed = [*content["entries"][max(0, -entries) :], *more]
    snapshot_id = _snapshot_id({"before": content["snapshot_id"], "entries": entries})
    return {**content, "entries": changed, "snapshot_id": snapshot_id}
