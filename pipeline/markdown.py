"""Markdown of messages and artifacts: tables, and external text, escaped so that it is never markup."""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

T = TypeVar("T")

MAX_ALIGNED_CHARACTERS = 10_000
"""Size up to which the columns of a table are aligned; a larger table would consist mostly of padding."""
LOG_BYTES = 20_000
"""Limit of a log message: Prefect Cloud cuts records, which wrap the message in JSON, at 25,000 bytes."""
ARTIFACT_BYTES = 500_000
"""Limit of an artifact: Prefect Cloud refuses requests above 5 MiB, and far smaller ones display slowly."""

_PLAIN = re.compile(
    r"""(?:[^\W_]|(?<=[^\W_])_(?=[^\W_])|[ ,:;?!()"'+-]|\.(?= |$)|(?<=\d)\.(?=\d)|(?<= )[/&](?= ))+"""
)
"""Words and numbers that no Markdown renderer turns into links, HTML or emphasis."""


class Markup(str):
    """Text that is already Markdown and is not escaped again."""

    __slots__ = ()


def as_text(value: str) -> str:
    """External text on one line: plain words unchanged, anything else as inline code.

    Control characters, including those that reverse the direction of text, are shown as escapes.
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


def shortened(text: str, limit: int) -> str:
    """The text, cut in the middle to `limit` characters: its end may hold an error code or a path."""
    kept = limit // 4
    return text if len(text) <= limit else f"{text[: limit - kept - 3]} … {text[-kept:]}"


def as_bounded_text(text: str, limit: int) -> str:
    """`as_text` of external text, which is shortened until the result has at most `limit` bytes as JSON."""
    while json_bytes(as_text(text)) > limit:
        text = shortened(text, len(text) // 2)
    return as_text(text)


def json_bytes(text: str) -> int:
    """Upper bound of a text's size in the JSON of a request: non-ASCII characters count as escapes."""
    return len(json.dumps(text))


def fitting(rows: Iterable[T], size: Callable[[T], int], limit: int) -> tuple[list[T], int]:
    """The first rows whose sizes add up to at most `limit`, and the number of rows left out."""
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
    """Rows as a Markdown table of at most `limit` bytes. Columns of a small table are aligned.

    If rows are left out, a sentence states their number, followed by `elsewhere`: where to find them.
    """
    shown, left = fitting(rows, lambda row: json_bytes(_joined(_cells(row))), limit)
    table = _aligned([list(shown[0]), *map(_cells, shown)]) if shown else "(no rows)"
    return f"{table}\n\n{left:,} more rows are not shown{elsewhere}" if left else table


def _cells(row: Mapping[str, object]) -> list[str]:
    return ["" if value is None else _cell(value) for value in row.values()]


def _cell(value: object) -> str:
    """The value as text that cannot end its cell or its line."""
    if isinstance(value, int | float):
        return str(value)
    text = value if isinstance(value, Markup) else as_text(str(value))
    # Renderers disagree on whether a pipe after two backslashes ends the cell: separate the two.
    return re.sub(r"\\(?=\|)", r"\\ ", text).replace("|", r"\|")


def _aligned(lines: list[list[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    if sum(widths) * len(lines) > MAX_ALIGNED_CHARACTERS:
        widths = [0] * len(widths)
    texts = [_joined(map(str.ljust, line, widths)) for line in lines]
    return "\n".join(
        [texts[0], "|" + "|".join("-" * max(width + 2, 3) for width in widths) + "|", *texts[1:]]
    )


def _joined(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cells) + " |"
