"""Markdown for people: tables, and text from outside, which never becomes markup."""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

T = TypeVar("T")

LINED_UP_CHARACTERS = 10_000
"""A table up to this size has columns that line up; a larger one would consist mostly of blanks."""
LOG_BYTES = 20_000
"""Prefect Cloud cuts log records at 25,000 bytes, the JSON around the message included."""
ARTIFACT_BYTES = 500_000
"""Prefect Cloud refuses requests above 5 MiB; a page is slow long before that."""

_PLAIN = re.compile(
    r"""(?:[^\W_]|(?<=[^\W_])_(?=[^\W_])|[ ,:;?!()"'+-]|\.(?= |$)|(?<=\d)\.(?=\d)|(?<= )[/&](?= ))+"""
)
"""Words and numbers that no Markdown renderer turns into links, HTML or emphasis."""


class Markup(str):
    """Text that is Markdown already."""

    __slots__ = ()


def as_text(value: str) -> str:
    """Text from outside on one line: plain words as they are, anything else as inline code.

    Control characters, among them those that reverse the direction of text, are shown as escapes.
    """
    words = " ".join(value.split())
    if not words.isprintable():
        words = "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in words)
    if not words or _PLAIN.fullmatch(words):
        return words
    fence = "`" * (1 + max(map(len, re.findall("`+", words)), default=0))
    gap = " " if "`" in (words[0], words[-1]) else ""
    return f"{fence}{gap}{words}{gap}{fence}"


def plural(number: int, noun: str) -> str:
    """`1 playlist`, `1,200 playlists`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def shortened(text: str, most: int) -> str:
    """At most `most` characters; the end stays, because it holds the code or the path."""
    kept = most // 4
    return text if len(text) <= most else f"{text[: most - kept - 3]} … {text[-kept:]}"


def as_bounded_text(text: str, limit: int) -> str:
    """`as_text` of a text from outside, shortened until it takes at most `limit` bytes as JSON."""
    while json_bytes(as_text(text)) > limit:
        text = shortened(text, len(text) // 2)
    return as_text(text)


def json_bytes(text: str) -> int:
    """Size of a text within the JSON of a request: an upper bound, with non-ASCII characters as escapes."""
    return len(json.dumps(text))


def fitting(rows: Iterable[T], size: Callable[[T], int], limit: int) -> tuple[list[T], int]:
    """The first rows whose sizes add up to `limit` at most, and how many are left out."""
    shown: list[T] = []
    rest = iter(rows)
    for row in rest:
        limit -= size(row)
        if limit < 0:
            return shown, 1 + sum(1 for _ in rest)
        shown.append(row)
    return shown, 0


def markdown_table(
    rows: Iterable[Mapping[str, object]], limit: int = ARTIFACT_BYTES, elsewhere: str = ""
) -> str:
    """Rows as a Markdown table of at most `limit` bytes; the columns of a small one line up.

    A sentence says how many rows are left out, followed by `elsewhere`: where to find them.
    """
    shown, left = fitting(rows, lambda row: json_bytes(_joined(_cells(row))), limit)
    table = _lined_up([list(shown[0]), *map(_cells, shown)]) if shown else "(no rows)"
    return f"{table}\n\n{left:,} more rows are not shown{elsewhere}" if left else table


def _cells(row: Mapping[str, object]) -> list[str]:
    return ["" if value is None else _cell(value) for value in row.values()]


def _cell(value: object) -> str:
    """Text that ends neither its cell nor its line."""
    if isinstance(value, int | float):
        return str(value)
    text = value if isinstance(value, Markup) else as_text(str(value))
    # Renderers disagree on whether a pipe after two backslashes ends the cell: keep the two apart.
    return re.sub(r"\\(?=\|)", r"\\ ", text).replace("|", r"\|")


def _lined_up(lines: list[list[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    if sum(widths) * len(lines) > LINED_UP_CHARACTERS:
        widths = [0] * len(widths)
    texts = [_joined(map(str.ljust, line, widths)) for line in lines]
    return "\n".join(
        [texts[0], "|" + "|".join("-" * max(width + 2, 3) for width in widths) + "|", *texts[1:]]
    )


def _joined(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cells) + " |"
