"""Decodes responses of the Web API: the playlist, and its entries, typed or as raw JSON."""

import json
import math
import re
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Generic, NamedTuple, TypeVar

import msgspec
from msgspec import Raw

from pipeline.transform.api_types import Entry, Paging, PlaylistVersion, Response
from pipeline.transform.lenient import decode_lenient, whole_number

E = TypeVar("E")
S = TypeVar("S", bound=msgspec.Struct)
T = TypeVar("T")

MAX_INT_DIGITS = 4_300
"""Python's default limit for converting text to int."""

_RAW = msgspec.json.Decoder(Response[Raw])
_TYPED = msgspec.json.Decoder(Response[Entry])
_NUL = re.compile(rb"(?<!\\)((?:\\\\)*)\\u0000")
_BAD_BYTE = re.compile("[\udc80-\udcff]")


@contextmanager
def refuse_deep_nesting() -> Iterator[None]:
    """Raises ValueError instead of RecursionError for JSON that is nested too deeply."""
    try:
        yield
    except RecursionError as error:
        raise ValueError("it is nested too deeply to be read") from error


@refuse_deep_nesting()
def decode_usable_fields(body: bytes, kind: type[S], nulled: Counter[str], path: str = "$") -> S:
    """Like `decode_replacing`, but unusable fields with a default are null and counted (`decode_lenient`).

    Raises ValueError if the body is not JSON, or if a required field is absent or has another type; the
    message names the field.
    """
    try:
        return decode_replacing(body, kind)
    except ValueError:
        return decode_lenient(parse_json(_plain_text(body)), kind, nulled, path)


def decode_snapshot_id(body: bytes) -> str:
    """The snapshot id of a playlist. Other fields are not checked."""
    return decode_replacing(body, PlaylistVersion).snapshot_id


@refuse_deep_nesting()
def decode_replacing(body: bytes, kind: type[T]) -> T:
    """Decodes a response, and replaces lone surrogates and NUL by `?`.

    A playlist with such a name is published; only entries can be rejected.
    """
    try:
        return msgspec.json.decode(_without_nul(body), type=kind)
    except ValueError:
        return msgspec.json.decode(_plain_text(body), type=kind)


class Page(NamedTuple, Generic[E]):
    """Entries of one response, in order, with the numbers that locate them in the playlist.

    `total`, `offset` and `limit` are None if the response has no such number. `shape`: where the entries
    were, `tracks` (old API), `items` (new API) or `both`.
    """

    entries: list[E]
    total: int | None
    offset: int | None
    limit: int | None
    shape: str


def is_json(body: bytes) -> bool:
    """True if the body is JSON other than `null`; raises ValueError if it is not JSON.

    Invalid text in strings is accepted. Raises RecursionError for too deep nesting, which no retry resolves.
    """
    try:
        msgspec.json.decode(body, type=Raw)
    except ValueError:
        parse_json(body)
    return body.strip() != b"null"


@refuse_deep_nesting()
def decode_page(body: bytes) -> Page[bytes] | None:
    """Entries, as JSON text, of a response for a playlist or for one of its pages, in either API shape.

    None if the response has no list of entries, not even an empty one: the app may not read them.
    Raises ValueError if the response is not JSON, or if its entries are not a list.
    """
    try:
        response: Response[Any] = _RAW.decode(body)
        encode: Callable[[Any], bytes] = bytes
    except ValueError:
        # msgspec rejects the entire response because of one lone surrogate or one very long integer.
        response = msgspec.convert(parse_json(body, bad_byte="\ufffd\\g<0>"), Response[Any])
        encode = _to_json
    page = _page(response)
    return page and page._replace(entries=[encode(entry) for entry in page.entries])


def decode_typed_page(body: bytes) -> Page[Entry] | None:
    """Like `decode_page`, but typed and in one pass. None if an entry does not match its type (`lenient`)."""
    if _holds_nul(body):
        return None
    try:
        return _page(_TYPED.decode(body))
    except (ValueError, RecursionError):
        return None


def _holds_nul(body: bytes) -> bool:
    """True if a string contains U+0000. Searching for backslashes is five times as fast as `_NUL`."""
    index = body.find(b"\\")
    while index >= 0:
        if body.startswith(b"u0000", index + 1):
            return True
        index = body.find(b"\\", index + 2)  # skip the escaped character: it may be a backslash
    return False


def _page(response: Response[E]) -> Page[E] | None:
    """The entries under `items` or `tracks`; None if neither key has a list of entries."""
    if isinstance(response.items, list):
        return to_page(response, response.items, "items")
    found = {
        shape: paging
        for shape, paging in (("items", response.items), ("tracks", response.tracks))
        if paging is not None and paging.items is not None
    }
    if not found:
        return None
    # If both keys are present, prefer the one that has entries; then `items`.
    shape, paging = max(found.items(), key=lambda item: bool(item[1].items))
    return to_page(paging, paging.items or [], "both" if len(found) > 1 else shape)


def to_page(paging: Response[Any] | Paging[Any], entries: list[E], shape: str) -> Page[E]:
    """The entries with `total`, `offset` and `limit` of their response."""
    return Page(entries, _as_count(paging.total), _as_count(paging.offset), _as_count(paging.limit), shape)


def _as_count(value: object) -> int | None:
    number = whole_number(value)
    return number if type(number) is int and number >= 0 else None


def _to_json(entry: object) -> bytes:
    return json.dumps(entry, separators=(",", ":")).encode()


def _plain_text(body: bytes) -> bytes:
    """The body, with lone surrogates and NUL replaced by `?`."""
    return _without_nul(json.dumps(parse_json(body), ensure_ascii=False).encode("utf-8", "replace"))


def _without_nul(text: bytes) -> bytes:
    return _NUL.sub(rb"\1?", text) if b"\\u0000" in text else text


def parse_json(body: bytes, bad_byte: str = r"\g<0>") -> Any:  # noqa: ANN401 - any JSON value
    """Parses JSON and also accepts control characters, very long integers and invalid UTF-8.

    An invalid byte becomes a lone surrogate; `bad_byte` is the template that writes it. `decode_page` writes
    U+FFFD before it, so that it never forms a valid pair with an escaped surrogate.
    """
    text = _BAD_BYTE.sub(bad_byte, body.decode(errors="surrogateescape"))
    return json.loads(text, strict=False, parse_int=_int)


def _int(digits: str) -> int | float:
    """The number; infinity if it has too many digits for Python. No field accepts either."""
    return int(digits) if len(digits) <= MAX_INT_DIGITS else math.inf
