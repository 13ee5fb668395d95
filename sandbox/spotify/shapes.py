"""Converts a playlist's canonical form to API responses, in the three shapes that Spotify uses.

"tracks": the shape before 2026. "items": the shape for restricted apps since 2026, without popularity,
markets, followers and labels, and without the entries of other users' playlists. "both": the shape for all
other apps since 2026.

"Head" means the response of GET /playlists/{id}, "page" a response of GET /playlists/{id}/items.
"""

import json
from collections.abc import Sequence
from typing import Any, Literal

from sandbox.spotify.objects import API_URL, ME, Json

Shape = Literal["tracks", "items", "both"]
MAX_HEAD_ENTRIES = 100
"""Maximum number of entries in the response of GET /playlists/{id}."""
_SIMPLIFIED_KEYS = (
    "collaborative", "description", "external_urls", "href", "id", "images", "name", "owner", "primary_color",
    "public", "snapshot_id", "type", "uri",
)  # fmt: skip  # keys of a simplified playlist
_WITHHELD = frozenset({"popularity", "available_markets", "followers", "label"})
# shape → key of the paging object and of the song in each entry
_KEYS: dict[Shape, dict[str, str]] = {
    "tracks": {"tracks": "track"},
    "items": {"items": "item"},
    "both": {"tracks": "track", "items": "item"},
}


def readable(playlist: Json, shape: Shape, *, user: bool = True) -> bool:
    """Returns True if an app with this shape may read the entries; `user`: the token is a user's."""
    return shape != "items" or (user and (playlist["owner"]["id"] == ME or playlist["collaborative"]))


def _withhold(value: Any) -> Any:  # any JSON value
    if isinstance(value, dict):
        return {key: _withhold(inner) for key, inner in value.items() if key not in _WITHHELD}
    return [_withhold(inner) for inner in value] if isinstance(value, list) else value


def _entry(canonical: Json, shape: Shape) -> Json:
    wrapped = {key: value for key, value in canonical.items() if key != "item"}
    if "item" in canonical:
        wrapped |= dict.fromkeys(_KEYS[shape].values(), canonical["item"])
    return wrapped


def listed(playlist: Json, total: int, shape: Shape, api_url: str = API_URL) -> Json:
    """Returns the simplified playlist of GET /me/playlists, with `total` entries."""
    url = f"{api_url}/playlists/{playlist['id']}"
    counts = {path: {"href": f"{url}/{path}", "total": total} for path in _KEYS[shape]}
    return {key: playlist.get(key) for key in _SIMPLIFIED_KEYS} | counts


def paging(entries: Sequence[Json | None], url: str, offset: int, limit: int) -> Json:
    """Returns a paging object: `limit` of all entries, with the URLs of the next and previous page."""
    total = len(entries)
    previous = f"{url}?offset={max(0, offset - limit)}&limit={limit}"
    return {
        "href": f"{url}?offset={offset}&limit={limit}",
        "items": entries[offset : offset + limit],
        "limit": limit,
        "next": f"{url}?offset={offset + limit}&limit={limit}" if offset + limit < total else None,
        "offset": offset,
        "previous": previous if offset else None,
        "total": total,
    }


def _page(playlist: Json, at: tuple[int, int], shape: Shape, url: str) -> Json:
    found = paging(playlist["entries"], url, *at)
    found["items"] = [_entry(canonical, shape) for canonical in found["items"]]
    return withheld(found, shape)


def withheld(content: Json, shape: Shape) -> Json:
    """Returns the response without the fields that Spotify withholds in this shape."""
    visible: Json = _withhold(content) if shape == "items" else content
    return visible


def page(playlist: Json, offset: int, limit: int, shape: Shape, api_url: str = API_URL) -> Json:
    """Returns the response of GET /playlists/{id}/items, or of /tracks in the shape "tracks"."""
    path = "tracks" if shape == "tracks" else "items"
    return _page(playlist, (offset, limit), shape, f"{api_url}/playlists/{playlist['id']}/{path}")


def head(playlist: Json, shape: Shape, api_url: str = API_URL, *, user: bool = True) -> Json:
    """Returns the response of GET /playlists/{id}, with the first 100 entries if the app may read them."""
    content = withheld({key: value for key, value in playlist.items() if key != "entries"}, shape)
    if readable(playlist, shape, user=user):
        for path in _KEYS[shape]:
            url = f"{api_url}/playlists/{playlist['id']}/{path}"
            content[path] = _page(playlist, (0, MAX_HEAD_ENTRIES), shape, url)
    return content


def body(content: Json) -> bytes:
    """Encodes a response as ASCII JSON, in which lone surrogates are escaped."""
    return json.dumps(content, separators=(",", ":")).encode("ascii")


def with_floats(content: bytes) -> bytes:
    """Encodes every integer of a response as 50.0, as the Web API has done at times."""
    return body(json.loads(content, parse_int=float))


def response_bodies(playlist: Json, shape: Shape, page_size: int = 50, api_url: str = API_URL) -> list[bytes]:
    """Returns the body of GET /playlists/{id}, then those of the further pages of entries."""
    total = len(playlist["entries"]) if readable(playlist, shape) else 0
    rest = range(MAX_HEAD_ENTRIES, total, page_size)
    pages = (page(playlist, offset, page_size, shape, api_url) for offset in rest)
    return [body(head(playlist, shape, api_url)), *map(body, pages)]
