"""One entry of a playlist to a song, or to a reject with its reason; none vanishes."""

import json
from collections import Counter
from typing import Any, NamedTuple

import msgspec

from pipeline.transform.api_types import LONGEST_TEXT, Added, Entry, Reject, Track
from pipeline.transform.lenient import LONE_SURROGATE, NUL, Unusable, decode_lenient, json_type
from pipeline.transform.pages import loads, refuse_deep_nesting

NO_ITEM = "no_item"
"""The reason if the entry has neither of the keys that hold songs."""
NATURAL = frozenset(
    ("null_item", NO_ITEM, "local_file", "episode", "chapter", "tombstone", "unavailable"),
)
"""Reasons that playlists are expected to have."""
MALFORMED = "malformed"
"""How the reason starts if a field that every song needs is absent or unusable."""
KINDS = ("episode", "chapter")
"""Values of `type` that are not songs."""
SONG_TYPES = ("track", None)


class Song(NamedTuple):
    """An accepted entry; `nulled` counts the values by field that were unusable."""

    track: Track
    added: Added
    nulled: Counter[str]


class _Refused(ValueError):
    """The entry is not a song; the text is the reason."""


def song_of(entry: Entry) -> Track | None:
    """The song of a typed entry; None if only `decode_entry` can tell what the entry is."""
    track = entry.item or entry.track
    if track is None or track.is_local or entry.is_local or track.type not in SONG_TYPES:
        return None
    uri = track.uri
    return track if uri is None or (isinstance(uri, str) and uri.startswith("spotify:track:")) else None


def decode_entry(entry: bytes) -> Song | Reject:
    """The song of an entry that is JSON text, or the reject with the reason."""
    try:
        return _song(entry)
    except _Refused as refusal:
        reason = str(refusal)
    except ValueError as error:
        reason = str(error) if str(error) in (NUL, LONE_SURROGATE) else f"{MALFORMED}: {error}"
    return Reject(reason, _kept(entry))


def _song(text: bytes) -> Song:
    entry = _decoded(text)
    if entry is None:
        raise _Refused("null_item")
    nulled: Counter[str] = Counter()
    added = decode_lenient(entry, Added, nulled)
    item = _item(entry)
    if not isinstance(item, dict):
        raise Unusable(f"Expected `object`, got `{json_type(item)}` - at `$.item`")
    _refuse_other_than_songs(item, added)
    return Song(decode_lenient(item, Track, nulled), added, nulled)


@refuse_deep_nesting()
def _decoded(text: bytes) -> Any:  # noqa: ANN401 - any JSON value
    try:
        return msgspec.json.decode(text)
    except ValueError:
        return loads(text)


def _item(entry: dict[str, Any]) -> object:
    """The object that the entry wraps, whichever of the two keys has it."""
    found = [entry[key] for key in ("item", "track") if key in entry]
    some = [item for item in found if item is not None]
    if not some:
        raise _Refused("null_item" if found else NO_ITEM)
    return next((item for item in some if isinstance(item, dict)), some[0])


def _refuse_other_than_songs(item: dict[str, Any], added: Added) -> None:
    uri = item.get("uri")
    named = uri.split(":", 2)[1:2] if isinstance(uri, str) and uri.startswith("spotify:") else []
    if item.get("is_local") is True or added.is_local is True or named == ["local"]:
        raise _Refused("local_file")
    for kind in KINDS:
        if item.get("type") == kind or named == [kind]:
            raise _Refused(kind)
    if item.get("id", "") is None:
        raise _Refused("unavailable" if item.get("name") else "tombstone")


def _kept(entry: bytes) -> str:
    """The entry as JSON text; of one that no column can hold the beginning, as a JSON string."""
    text = entry.decode(errors="replace")
    return text if len(text) <= LONGEST_TEXT else json.dumps(text[:1000])
