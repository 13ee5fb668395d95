"""Answers of the Web API taken apart: the playlist itself, and its entries as raw JSON."""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple, TypeVar

import msgspec
from msgspec import Raw

from pipeline.transform.api_types import Answer, PlaylistHead, Version

T = TypeVar("T")

BROKEN_TEXT = (msgspec.DecodeError, UnicodeDecodeError)
"""What msgspec raises for lone surrogates, and for bytes that are no UTF-8."""

_ENTRIES = msgspec.json.Decoder(Answer[Raw])
"""Made once, not anew by each of the threads that read playlists."""
_NUL = re.compile(rb"(?<!\\)((?:\\\\)*)\\u0000")
_BAD_BYTE = re.compile("[\udc80-\udcff]")


def has_nul(text: bytes) -> bool:
    """Whether a string in the JSON text holds U+0000, which is always written as an escape."""
    return b"\\u0000" in text and _NUL.search(text) is not None


@contextmanager
def _refuse_deep_nesting() -> Iterator[None]:
    try:
        yield
    except RecursionError as error:
        raise ValueError("it is nested too deeply to be read") from error


def decode_head(body: bytes) -> PlaylistHead:
    """Metadata of the playlist from the body of `GET /playlists/{id}`.

    Raises ValueError where that is no JSON; where a required field is absent or one has another type, the
    `msgspec.ValidationError` names it.
    """
    return decode_text(body, PlaylistHead)


def decode_snapshot_id(body: bytes) -> str:
    """The snapshot id of a playlist, whatever else the answer holds."""
    return decode_text(body, Version).snapshot_id


@_refuse_deep_nesting()
def decode_text(body: bytes, kind: type[T]) -> T:
    """Decodes; lone surrogates and NUL become `?`, for a playlist's own texts cannot be rejected."""
    try:
        return msgspec.json.decode(_without_nul(body), type=kind)
    except BROKEN_TEXT:
        text = json.dumps(_loads(body), ensure_ascii=False).encode("utf-8", "replace")
        return msgspec.json.decode(_without_nul(text), type=kind)


class Page(NamedTuple):
    """Entries of one answer as JSON, in order, and how many Spotify says the playlist has.

    `shape` says where the entries were: under `tracks` (old), `items` (new) or `both`.
    """

    entries: list[bytes]
    total: int | None
    shape: str


def is_json(body: bytes) -> bool:
    """Whether the body is JSON that says anything, whatever its text; raises ValueError where it is none.

    Where it is nested too deeply it raises RecursionError: asking again would bring the same.
    """
    try:
        msgspec.json.decode(body, type=Raw)
    except BROKEN_TEXT:
        _loads(body)
    return body.strip() != b"null"


@_refuse_deep_nesting()
def decode_page(body: bytes) -> Page | None:
    """Entries of a playlist or of a page of it, in either API shape.

    None where the answer has no entries at all, not even an empty list: the app may not read them.
    Raises ValueError where the answer is no JSON or has another type where the entries should be.
    """
    try:
        answer: Answer[Any] = _ENTRIES.decode(body)
        encode: Callable[[Any], bytes] = bytes
    except BROKEN_TEXT:
        # One lone surrogate makes msgspec refuse the whole answer; the json module splits it all the same.
        answer = msgspec.convert(_loads(body, bad_byte="\ufffd\\g<0>"), Answer[Any])
        encode = _dump
    if isinstance(answer.items, list):
        return Page([encode(entry) for entry in answer.items], answer.total, "items")
    found = {
        shape: paging
        for shape, paging in (("items", answer.items), ("tracks", answer.tracks))
        if paging is not None and paging.items is not None
    }
    if not found:
        return None
    shape, paging = max(found.items(), key=lambda one: bool(one[1].items))  # an empty one hides no full one
    entries = [encode(entry) for entry in paging.items or []]
    return Page(entries, paging.total, "both" if len(found) > 1 else shape)


def _dump(entry: object) -> bytes:
    return json.dumps(entry, separators=(",", ":")).encode()


def _without_nul(text: bytes) -> bytes:
    return _NUL.sub(rb"\1?", text) if has_nul(text) else text


def _loads(body: bytes, bad_byte: str = r"\g<0>") -> Any:  # noqa: ANN401 - any JSON value
    """The answer; bytes that are no UTF-8 become lone surrogates, or what `bad_byte` makes of these.

    A character before it keeps the surrogate lone: after an escaped one the two would pass for a character.
    """
    text = _BAD_BYTE.sub(bad_byte, body.decode(errors="surrogateescape"))
    return json.loads(text, strict=False)
