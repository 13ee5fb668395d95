"""API responses made of a playlist's canonical form, in the shapes that Spotify has.

"tracks": the old shape. "items": what a restricted app gets, without popularity, markets, followers and
labels, and without the entries of playlists that are not its user's. "both": what other apps get since 2026.
"""

import json
from collections.abc import Sequence
from typing import Any, Literal

from sandbox.spotify.objects import API_URL, ME, Json

Shape = Literal["tracks", "items", "both"]
EMBEDDED = 100  # entries in the response of GET /playlists/{id}, at most
_IN_LISTS = (
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
    """Whether an app that gets this shape may read the playlist's entries, for its user or itself."""
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
    """Returns a playlist of `total` entries as GET /me/playlists shows it: a simplified playlist."""
    url = f"{api_url}/playlists/{playlist['id']}"
    counts = {path: {"href": f"{url}/{path}", "total": total} for path in _KEYS[shape]}
    return {key: playlist.get(key) for key in _IN_LISTS} | counts


def paging(entries: Sequence[Json | None], url: str, offset: int, limit: int) -> Json:
    """Returns Spotify's paging object: some of all entries, with the URLs of its neighbours."""
    total = len(entries)
    before = f"{url}?offset={max(0, offset - limit)}&limit={limit}"
    return {
        "href": f"{url}?offset={offset}&limit={limit}",
        "items": entries[offset : offset + limit],
        "limit": limit,
        "next": f"{url}?offset={offset + limit}&limit={limit}" if offset + limit < total else None,
        "offset": offset,
        "previous": before if offset else None,
        "total": total,
    }


def _page(playlist: Json, at: tuple[int, int], shape: Shape, url: str) -> Json:
    found = paging(playlist["entries"], url, *at)
    found["items"] = [_entry(canonical, shape) for canonical in found["items"]]
    return withheld(found, shape)


def withheld(answer: Json, shape: Shape) -> Json:
    """Leaves out what an app that gets this shape does not see."""
    seen: Json = _withhold(answer) if shape == "items" else answer
    return seen


def page(playlist: Json, offset: int, limit: int, shape: Shape, api_url: str = API_URL) -> Json:
    """Returns the response of GET /playlists/{id}/items (/tracks in the old shape)."""
    path = "tracks" if shape == "tracks" else "items"
    return _page(playlist, (offset, limit), shape, f"{api_url}/playlists/{playlist['id']}/{path}")


def head(playlist: Json, shape: Shape, api_url: str = API_URL, *, user: bool = True) -> Json:
    """Returns the response of GET /playlists/{id}, with the first 100 entries if they are readable."""
    answer = withheld({key: value for key, value in playlist.items() if key != "entries"}, shape)
    if readable(playlist, shape, user=user):
        for path in _KEYS[shape]:
            url = f"{api_url}/playlists/{playlist['id']}/{path}"
            answer[path] = _page(playlist, (0, EMBEDDED), shape, url)
    return answer


def body(answer: Json) -> bytes:
    """Writes a response as JSON; only ASCII, so that lone surrogates survive as escapes."""
    return json.dumps(answer, separators=(",", ":")).encode("ascii")


def with_floats(answer: bytes) -> bytes:
    """Writes every whole number of a response as 50.0, as the Web API has done at times."""
    return body(json.loads(answer, parse_int=float))


def answers(playlist: Json, shape: Shape, page_size: int = 50, api_url: str = API_URL) -> list[bytes]:
    """Returns the response bodies of GET /playlists/{id} and of the further pages at /items."""
    total = len(playlist["entries"]) if readable(playlist, shape) else 0
    rest = range(EMBEDDED, total, page_size)
    pages = (page(playlist, offset, page_size, shape, api_url) for offset in rest)
    return [body(head(playlist, shape, api_url)), *map(body, pages)]
