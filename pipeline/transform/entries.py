"""Kept answers to typed entries: each becomes a song or a reject with its reason; none vanishes."""

import json
import re
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime
from typing import Any

import msgspec

from pipeline.transform.api_types import (
    LONGEST_TEXT,
    AddedBy,
    Identity,
    Reject,
    Song,
    Track,
    Wrapper,
)
from pipeline.transform.pages import BROKEN_TEXT, decode_page, has_nul

UNKNOWN_TIME = datetime(1970, 1, 1, tzinfo=UTC)
"""What Spotify says for entries that were added before it kept the time."""


_PARTIAL_DATE = re.compile(r"(\d{4})(?:-(\d\d))?(?:-(\d\d))?", re.ASCII)

MALFORMED = "malformed"
"""How the reason starts where a field is absent or of another type."""

SHOWN = 60
"""Characters of a value that a reason quotes."""


NO_ITEM = "no_item"
"""The reason where the entry has neither of the keys that hold songs."""


class _Refused(ValueError):
    """The entry is no song; the text is the reason."""


def decode_entries(bodies: Iterable[bytes]) -> Iterator[Song | Reject]:
    """Songs and rejects of the answers of one playlist, by position from 1."""
    pages = map(decode_page, bodies)  # one after the other: whoever stops early decodes no more of them
    entries = (entry for page in pages if page for entry in page.entries)
    for position, entry in enumerate(entries, start=1):
        yield _decode_entry(position, entry)


def _decode_entry(position: int, entry: bytes) -> Song | Reject:
    try:
        return _song(position, entry)
    except _Refused as refusal:
        reason = str(refusal)
    except msgspec.ValidationError as error:
        reason = f"{MALFORMED}: {error}"
    except BROKEN_TEXT as error:
        reason = "lone_surrogate" if _may_hold_surrogates(entry) else f"{MALFORMED}: {error}"
    return Reject(position, reason, _kept(entry))


def _may_hold_surrogates(entry: bytes) -> bool:
    return b"\\ud" in entry.lower() or not entry.isascii()


def _kept(entry: bytes) -> str:
    """The entry as JSON text; of one that no column can hold the beginning, as a JSON string."""
    text = entry.decode(errors="replace")
    return text if len(text) <= LONGEST_TEXT else json.dumps(text[:1000])


def _song(position: int, entry: bytes) -> Song:
    if entry == b"null":
        raise _Refused("null_item")
    wrapper = _decode(entry, Wrapper)
    item = _item(wrapper)
    _refuse_other_than_songs(_decode_field(item, Identity, "item"), wrapper)
    track = _decode(item, Track)
    released, precision = _release_date(track.album.release_date, track.album.release_date_precision)
    added_at, added_by = _added_at(bytes(wrapper.added_at)), _added_by(wrapper)
    song = Song(position, track, released, precision, added_at, added_by)
    # Nothing says what COPY makes of U+0000, and loaders report that it goes missing without a word.
    if has_nul(entry) and has_nul(msgspec.json.encode(song)):
        raise _Refused("nul_character")
    return song


def _item(wrapper: Wrapper) -> bytes:
    """The object that the entry wraps, whichever of the two keys has it."""
    found = [bytes(raw) for raw in (wrapper.item, wrapper.track) if bytes(raw)]
    for item in found:
        if item != b"null":
            return item
    raise _Refused("null_item" if found else NO_ITEM)


def _refuse_other_than_songs(identity: Identity, wrapper: Wrapper) -> None:
    uri = identity.uri if isinstance(identity.uri, str) else ""
    if identity.is_local is True or wrapper.is_local is True or uri.startswith("spotify:local:"):
        raise _Refused("local_file")
    if identity.type == "episode" or uri.startswith("spotify:episode:"):
        raise _Refused("episode")
    if identity.id is None and not identity.name:
        raise _Refused("tombstone")


def _added_at(raw: bytes) -> datetime | None:
    added_at = _decode_field(raw or b"null", datetime | None, "added_at")
    if added_at is None:
        return None
    try:
        added_at = added_at.replace(tzinfo=added_at.tzinfo or UTC).astimezone(UTC)
    except OverflowError:
        raise _Refused(f"{MALFORMED}: {added_at} is out of range - at `$.added_at`") from None
    return None if added_at == UNKNOWN_TIME else added_at


def _added_by(wrapper: Wrapper) -> str | None:
    added_by = _decode_field(bytes(wrapper.added_by) or b"null", AddedBy | None, "added_by")
    return (added_by.id if added_by else None) or None


def _release_date(text: str | None, precision: str | None) -> tuple[date | None, str | None]:
    """First day of a year, month or day, and the precision; `0000…` means unknown."""
    if not text or text.startswith("0000"):
        return None, None
    released = _first_day(text)
    if released is None:
        raise _Refused(f"{MALFORMED}: release_date {text[:SHOWN]!r} - at `$.album.release_date`")
    return released, precision or ("year", "month", "day")[text.count("-")]


def _first_day(text: str) -> date | None:
    match = _PARTIAL_DATE.fullmatch(text)
    try:
        return date(*map(int, match.groups(default="1"))) if match else None
    except ValueError:
        return None


def _decode(body: bytes, kind: Any) -> Any:  # noqa: ANN401 - msgspec's own signature
    return msgspec.json.decode(body, type=kind)


def _decode_field(body: bytes, kind: Any, field: str) -> Any:  # noqa: ANN401 - msgspec's own signature
    """A part of the entry; what is wrong with it is said with its path in the entry."""
    try:
        return _decode(body, kind)
    except msgspec.ValidationError as error:
        problem, _, path = str(error).partition(" - at `$")
        raise _Refused(f"{MALFORMED}: {problem} - at `$.{field}{path.removesuffix('`')}`") from error
