"""Decodes one entry of a playlist: every entry becomes a song, or a reject with its reason."""

import json
from collections import Counter
from typing import Any, NamedTuple

import msgspec

from pipeline.transform.api_types import MAX_TEXT_CHARACTERS, Added, Entry, Reject, Track
from pipeline.transform.lenient import LONE_SURROGATE, NUL, Unusable, decode_lenient, json_type
from pipeline.transform.pages import parse_json, refuse_deep_nesting

NO_ITEM = "no_item"
"""Reason if the entry has neither `item` nor `track`."""
EXPECTED_REASONS = frozenset(
    ("null_item", NO_ITEM, "local_file", "episode", "chapter", "tombstone", "unavailable"),
)
"""Reject reasons that are normal in a playlist and cause no warning."""
MALFORMED = "malformed"
"""Start of the reason if a required field of a song is absent or unusable."""
KINDS = ("episode", "chapter")
"""Values of `type` that are not songs."""
SONG_TYPES = ("track", None)


class Song(NamedTuple):
    """An accepted entry. `nulled`: number of unusable values, by path."""

    track: Track
    added: Added
    nulled: Counter[str]


class _NotASong(ValueError):
    """The entry is not a song; the text is the reject reason."""


def song_of(entry: Entry) -> Track | None:
    """The song of a typed entry; None if it needs `decode_entry`, usually because it is not a song."""
    track = entry.item or entry.track
    if track is None or track.is_local or entry.is_local or track.type not in SONG_TYPES:
        return None
    uri = track.uri
    return track if uri is None or (isinstance(uri, str) and uri.startswith("spotify:track:")) else None


def decode_entry(entry: bytes) -> Song | Reject:
    """Decodes an entry's JSON text to a song or a reject."""
    try:
        return _song(entry)
    except _NotASong as error:
        reason = str(error)
    except ValueError as error:
        reason = str(error) if str(error) in (NUL, LONE_SURROGATE) else f"{MALFORMED}: {error}"
    return Reject(reason, _reject_text(entry))


def _song(text: bytes) -> Song:
    entry = _decoded(text)
    if entry is None:
        raise _NotASong("null_item")
    nulled: Counter[str] = Counter()
    added = decode_lenient(entry, Added, nulled)
    item = _item(entry)
    if not isinstance(item, dict):
        raise Unusable(f"Expected `object`, got `{json_type(item)}` - at `$.item`")
    _refuse_if_not_song(item, added)
    return Song(decode_lenient(item, Track, nulled), added, nulled)


@refuse_deep_nesting()
def _decoded(text: bytes) -> Any:  # noqa: ANN401 - any JSON value
    try:
        return msgspec.json.decode(text)
    except ValueError:
        return parse_json(text)


def _item(entry: dict[str, Any]) -> object:
    """The value of `item` or `track`; if the entry has both, an object is preferred, then `item`."""
    present = [entry[key] for key in ("item", "track") if key in entry]
    items = [item for item in present if item is not None]
    if not items:
        raise _NotASong("null_item" if present else NO_ITEM)
    return next((item for item in items if isinstance(item, dict)), items[0])


def _refuse_if_not_song(item: dict[str, Any], added: Added) -> None:
    uri = item.get("uri")
    named = uri.split(":", 2)[1:2] if isinstance(uri, str) and uri.startswith("spotify:") else []
    if item.get("is_local") is True or added.is_local is True or named == ["local"]:
        raise _NotASong("local_file")
    for kind in KINDS:
        if item.get("type") == kind or named == [kind]:
            raise _NotASong(kind)
    if item.get("id", "") is None:
        raise _NotASong("unavailable" if item.get("name") else "tombstone")


def _reject_text(entry: bytes) -> str:
    """The entry as JSON text; if it is too long for a column, its first 1,000 characters as a JSON string."""
    text = entry.decode(errors="replace")
    return text if len(text) <= MAX_TEXT_CHARACTERS else json.dumps(text[:1000])
