"""Files of recorded API responses, read and judged before any of them is served.

A file holds one playlist object, or one page of a playlist's entries, or a list of one such object. A byte
order mark and UTF-16 or UTF-32 are repaired; any other fault refuses the file.
"""

import json
import math
from pathlib import Path
from typing import Any, NamedTuple

from sandbox.spotify.objects import Json

JSON_TYPES = {dict: "an object", list: "a list", str: "a text", bool: "a boolean", type(None): "null"}
"""What values are called; all others are numbers."""

LONGEST_INT = 4_300
BARE_ENTRIES = "it holds bare entries, without the playlist or the page around them"


class File(NamedTuple):
    """A file that holds one JSON object, or a list of one."""

    name: str
    raw: bytes  # the object's bytes as they were recorded, in UTF-8
    answer: Json


def read_files(folder: Path) -> tuple[list[File], list[str]]:
    """The *.json that can be served, and a line with name and reason for each other one."""
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


def is_playlist(answer: Json) -> bool:
    """Whether it is the response of GET /playlists/{id}."""
    return answer.get("type") == "playlist"


def is_page(answer: Json) -> bool:
    """Whether it is the response of GET /playlists/{id}/items or /tracks."""
    at_playlist = "/playlists/" in str(answer.get("href"))
    return not is_playlist(answer) and isinstance(answer.get("items"), list) and at_playlist


def _parse(name: str, recorded: bytes) -> File:
    """Raises ValueError with the reason if the content cannot be served."""
    raw = _as_utf8(recorded)
    if not raw.strip():
        raise ValueError("it is empty")
    try:
        answer = json.loads(raw, parse_constant=_refuse_constant, parse_int=_int)
    except json.JSONDecodeError as error:
        raise ValueError(f"it is not JSON ({error})") from None
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    if isinstance(answer, list) and len(answer) == 1 and not _is_entry(answer[0]):
        (answer,), raw = answer, raw[raw.index(b"[") + 1 : raw.rindex(b"]")].strip()
    if fault := _fault(answer):
        raise ValueError(fault)
    return File(name, raw, answer)


def _as_utf8(recorded: bytes) -> bytes:
    encoding = json.detect_encoding(recorded)
    try:
        text = recorded.decode(encoding, "surrogatepass")
    except UnicodeDecodeError as error:
        raise ValueError(f"it is not {encoding.upper()} ({error.reason} at byte {error.start})") from None
    return text.lstrip("\ufeff").encode("utf-8", "surrogatepass")


def _int(digits: str) -> int | float:
    """Python converts no more digits than this; no field holds as many, and the file is served as it is."""
    return int(digits) if len(digits) <= LONGEST_INT else math.inf


def _refuse_constant(name: str) -> None:
    raise ValueError(f"it is not JSON ({name})")


def _fault(answer: object) -> str:
    """Why it cannot be served; empty if it can."""
    if isinstance(answer, list):
        bare = any(map(_is_entry, answer))
        return BARE_ENTRIES if bare else f"it is a list of {len(answer)} values"
    if not isinstance(answer, dict):
        return f"it is {_name(answer)}"
    if is_playlist(answer):
        return _playlist_fault(answer)
    return _entries_fault(answer["items"]) if is_page(answer) else _other(answer)


def _other(answer: Json) -> str:
    """What an object is that is neither a playlist nor a page of one."""
    if "error" in answer:
        return "it is an error response"
    if _is_entry(answer):
        return BARE_ENTRIES
    if isinstance(answer.get("items"), list):
        return "it is a page, but its `href` names no playlist"
    return 'it is neither a playlist (`"type": "playlist"`) nor a page of one'


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
    """A paging object may have no entries: Spotify withholds them from some apps."""
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
