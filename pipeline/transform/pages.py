"""Responses of the Web API taken apart: the playlist itself, and its entries, typed or as raw JSON."""

import json
import math
import re
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Generic, NamedTuple, TypeVar

import msgspec
from msgspec import Raw

from pipeline.transform.api_types import Entry, Paging, Response, Version
from pipeline.transform.lenient import decode_lenient, whole_number

E = TypeVar("E")
S = TypeVar("S", bound=msgspec.Struct)
T = TypeVar("T")

LONGEST_INT = 4_300
"""Digits; Python converts no more of them."""

_RAW = msgspec.json.Decoder(Response[Raw])
_TYPED = msgspec.json.Decoder(Response[Entry])
_NUL = re.compile(rb"(?<!\\)((?:\\\\)*)\\u0000")
_BAD_BYTE = re.compile("[\udc80-\udcff]")


@contextmanager
def refuse_deep_nesting() -> Iterator[None]:
    """Raises ValueError where JSON is nested more deeply than it can be read."""
    try:
        yield
    except RecursionError as error:
        raise ValueError("it is nested too deeply to be read") from error


@refuse_deep_nesting()
def decode_usable(body: bytes, kind: type[S], nulled: Counter[str], path: str = "$") -> S:
    """Decodes as `decode_text`; unusable fields with a default are null, and counted as in `decode_lenient`.

    Raises ValueError if the body is not JSON, or if a required field, which the message names, is absent or
    has another type.
    """
    try:
        return decode_text(body, kind)
    except ValueError:
        return decode_lenient(loads(_plain_text(body)), kind, nulled, path)


def decode_snapshot_id(body: bytes) -> str:
    """The snapshot id of a playlist, whatever else the answer holds."""
    return decode_text(body, Version).snapshot_id


@refuse_deep_nesting()
def decode_text(body: bytes, kind: type[T]) -> T:
    """Decodes; lone surrogates and NUL become `?`, for a playlist's own texts cannot be rejected."""
    try:
        return msgspec.json.decode(_without_nul(body), type=kind)
    except ValueError:
        return msgspec.json.decode(_plain_text(body), type=kind)


class Page(NamedTuple, Generic[E]):
    """Entries of one response, in order, and what Spotify says of their place in the playlist.

    `total`, `offset` and `limit` are None if the response has no such number. `shape` says where the entries
    were: under `tracks` (old), `items` (new) or `both`.
    """

    entries: list[E]
    total: int | None
    offset: int | None
    limit: int | None
    shape: str


def is_json(body: bytes) -> bool:
    """Whether the body is JSON that says anything, whatever its text; raises ValueError where it is none.

    Where it is nested too deeply it raises RecursionError: asking again would bring the same.
    """
    try:
        msgspec.json.decode(body, type=Raw)
    except ValueError:
        loads(body)
    return body.strip() != b"null"


@refuse_deep_nesting()
def decode_page(body: bytes) -> Page[bytes] | None:
    """Entries of a playlist or of a page of it as JSON text, in either API shape.

    None if the response has no entries at all, not even an empty list: the app may not read them.
    Raises ValueError if the response is not JSON or has another type where the entries should be.
    """
    try:
        response: Response[Any] = _RAW.decode(body)
        encode: Callable[[Any], bytes] = bytes
    except ValueError:
        # msgspec refuses the whole response for one lone surrogate, or for an integer of thousands of digits.
        response = msgspec.convert(loads(body, bad_byte="\ufffd\\g<0>"), Response[Any])
        encode = _dump
    page = _located(response)
    return page and page._replace(entries=[encode(entry) for entry in page.entries])


def decode_typed_page(body: bytes) -> Page[Entry] | None:
    """Entries as `decode_page` returns them, but typed, in one pass; None if an entry needs `lenient`."""
    if _holds_nul(body):
        return None
    try:
        return _located(_TYPED.decode(body))
    except (ValueError, RecursionError):
        return None


def _holds_nul(body: bytes) -> bool:
    """Whether a string holds U+0000. Looking for backslashes is five times as fast as for the escape."""
    place = body.find(b"\\")
    while place >= 0:
        if body.startswith(b"u0000", place + 1):
            return True
        place = body.find(b"\\", place + 2)  # what a backslash escapes begins no escape
    return False


def _located(response: Response[E]) -> Page[E] | None:
    """The entries, wherever they are."""
    if isinstance(response.items, list):
        return page_of(response, response.items, "items")
    found = {
        shape: paging
        for shape, paging in (("items", response.items), ("tracks", response.tracks))
        if paging is not None and paging.items is not None
    }
    if not found:
        return None
    shape, paging = max(found.items(), key=lambda one: bool(one[1].items))  # an empty one hides no full one
    return page_of(paging, paging.items or [], "both" if len(found) > 1 else shape)


def page_of(paging: Response[Any] | Paging[Any], entries: list[E], shape: str) -> Page[E]:
    """The entries with what the response says of their place."""
    return Page(entries, _count(paging.total), _count(paging.offset), _count(paging.limit), shape)


def _count(value: object) -> int | None:
    number = whole_number(value)
    return number if type(number) is int and number >= 0 else None


def _dump(entry: object) -> bytes:
    return json.dumps(entry, separators=(",", ":")).encode()


def _plain_text(body: bytes) -> bytes:
    """The body without lone surrogates and NUL."""
    return _without_nul(json.dumps(loads(body), ensure_ascii=False).encode("utf-8", "replace"))


def _without_nul(text: bytes) -> bytes:
    return _NUL.sub(rb"\1?", text) if b"\\u0000" in text else text


def loads(body: bytes, bad_byte: str = r"\g<0>") -> Any:  # noqa: ANN401 - any JSON value
    """The answer; bytes that are no UTF-8 become lone surrogates, or what `bad_byte` makes of these.

    A character before it keeps the surrogate lone: after an escaped one the two would pass for a character.
    """
    text = _BAD_BYTE.sub(bad_byte, body.decode(errors="surrogateescape"))
    return json.loads(text, strict=False, parse_int=_int)


def _int(digits: str) -> int | float:
    """What Python refuses to convert is larger than any field takes, as infinity is."""
    return int(digits) if len(digits) <= LONGEST_INT else math.inf
