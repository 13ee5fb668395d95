"""Reads and validates files of recorded API responses.

A file contains a playlist object, a page of a playlist's entries, or a list with one such object. A byte
order mark is removed, and UTF-16 and UTF-32 are converted to UTF-8. A file with any other problem is refused.
"""

import json
import math
from pathlib import Path
from typing import Any, NamedTuple

from sandbox.spotify.objects import Json

JSON_TYPES = {dict: "an object", list: "a list", str: "a text", bool: "a boolean", type(None): "null"}
"""Names of JSON types in messages; any other type is a number."""

MAX_INT_DIGITS = 4_300
"""Maximum number of digits that Python converts to an int by default."""
BARE_ENTRIES = "it contains entries without a playlist or page object around them"


class File(NamedTuple):
    """A valid file; `raw`: bytes of the object as recorded, in UTF-8; `content`: the decoded object."""

    name: str
    raw: bytes
    content: Json


def read_files(folder: Path) -> tuple[list[File], list[str]]:
    """Returns the valid *.json files, and a line with name and reason for each refused file."""
    files, refused = [], []
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() != ".json":
            continue
        try:
            files.append(_parse(path.name, path.read_bytes()))
        except OSError as error:
            refused.append(f"{path.name}: refused, it cannot be read ({error.strerror})")
        except ValueError as error:
            refused.append(f"{path.name}: refused, {error}")
    return files, refused


def is_playlist(content: Json) -> bool:
    """Returns True for a response of GET /playlists/{id}."""
    return content.get("type") == "playlist"


def is_page(content: Json) -> bool:
    """Returns True for a response of GET /playlists/{id}/items or /tracks."""
    at_playlist = "/playlists/" in str(content.get("href"))
    return not is_playlist(content) and isinstance(content.get("items"), list) and at_playlist


def _parse(name: str, recorded: bytes) -> File:
    """Returns the file; raises ValueError with the reason if it cannot be served."""
    raw = _as_utf8(recorded)
    if not raw.strip():
        raise ValueError("it is empty")
    try:
        content = json.loads(raw, parse_constant=_refuse_constant, parse_int=_int)
    except json.JSONDecodeError as error:
        raise ValueError(f"it is not JSON ({error})") from None
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    if isinstance(content, list) and len(content) == 1 and not _is_entry(content[0]):
        (content,), raw = content, raw[raw.index(b"[") + 1 : raw.rindex(b"]")].strip()
    if fault := _fault(content):
        raise ValueError(fault)
    return File(name, raw, content)


def _as_utf8(recorded: bytes) -> bytes:
    encoding = json.detect_encoding(recorded)
    try:
        text = recorded.decode(encoding, "surrogatepass")
    except UnicodeDecodeError as error:
        raise ValueError(f"it is not {encoding.upper()} ({error.reason} at byte {error.start})") from None
    return text.lstrip("\ufeff").encode("utf-8", "surrogatepass")


def _int(digits: str) -> int | float:
    """Converts an integer; longer ones become infinity, because no field needs them and `raw` is served."""
    return int(digits) if len(digits) <= MAX_INT_DIGITS else math.inf


def _refuse_constant(name: str) -> None:
    raise ValueError(f"it is not JSON ({name})")


def _fault(content: object) -> str:
    """Returns the reason why the content cannot be served, or an empty text."""
    if isinstance(content, list):
        bare = any(map(_is_entry, content))
        return BARE_ENTRIES if bare else f"it is a list of {len(content)} values"
    if not isinstance(content, dict):
        return f"it is {_name(content)}"
    if is_playlist(content):
        return _playlist_fault(content)
    return _entries_fault(content["items"]) if is_page(content) else _other(content)


def _other(content: Json) -> str:
    """Returns the reason for an object that is neither a playlist nor a page of a playlist."""
    if "error" in content:
        return "it is an error response"
    if _is_entry(content):
        return BARE_ENTRIES
    if isinstance(content.get("items"), list):
        return "it is a page, but its `href` contains no playlist"
    return 'it is neither a playlist (`"type": "playlist"`) nor a page of a playlist'


def _is_entry(value: object) -> bool:
    return isinstance(value, dict) and not {"track", "item"}.isdisjoint(value)


def _playlist_fault(playlist: Json) -> str:
    owner = playlist.get("owner")
    needed = {
        "name": playlist.get("name"),
        "snapshot_id": playlist.get("snapshot_id") or None,
        "owner.id": owner.get("id") if isinstance(owner, dict) else None,
    }
    missing = [f"`{field}`" for field, value in needed.items() if not isinstance(value, str)]
    if missing:
        return f"it is a playlist without {', '.join(missing)}"
    faults = (_paging_fault(key, playlist.get(key)) for key in ("items", "tracks"))
    return next(filter(None, faults), "")


def _paging_fault(key: str, paging: object) -> str:
    """Returns the problem of a paging object; it may lack entries, which Spotify withholds from some apps."""
    if paging is None:
        return ""
    if not isinstance(paging, dict):
        return f"`{key}` is {_name(paging)} instead of a page of entries"
    entries = paging.get("items")
    if entries is None:
        return ""
    return _entries_fault(entries) if isinstance(entries, list) else f"`{key}.items` is {_name(entries)}"


def _entries_fault(entries: list[Any]) -> str:
    odd = (number for number, entry in enumerate(entries, 1) if not isinstance(entry, dict | None))
    return next((f"entry {number} is {_name(entries[number - 1])}" for number in odd), "")


def _name(value: object) -> str:
    return JSON_TYPES.get(type(value), "a number")
