"""Rows as a text table for a terminal. Pure."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from rich.cells import cell_len, set_cell_size

from pipeline.masking import printable

NULL = "NULL"
ELLIPSIS = "…"
MIN_TEXT_WIDTH = 8
"""Text columns are not cut below this width. If the table still does not fit, rows are shown as records."""

Row = Sequence[Any]


def text_table(names: Sequence[str], rows: Sequence[Row], width: int | None = None) -> str:
    """Aligned columns; numbers are right-aligned.

    `width`: of the terminal, in cells. Long texts are cut to fit. If there are too many columns, each row is
    shown as a record, one line per column.
    """
    cells = [[cell(value) for value in row] for row in rows]
    natural = [max(map(cell_len, column), default=0) for column in zip(*([list(names), *cells]), strict=True)]
    rigid = [_is_rigid([row[n] for row in rows]) for n in range(len(names))]
    widths = natural if width is None else _fitted(natural, rigid, width - 3 * len(names) + 1)
    if widths is None:
        return "\n".join(_records(names, cells, width or 0))
    right = [_is_number([row[n] for row in rows]) for n in range(len(names))]
    rule = "-+-".join("-" * size for size in widths)
    lines = [_line(names, widths, [False] * len(names)), f"-{rule}-"]
    lines += [_line(row, widths, right) for row in cells]
    return "\n".join(line.rstrip() for line in lines)


def cell(value: object) -> str:
    """A value on one line; control characters become blanks."""
    if value is None:
        return NULL
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, datetime):
        return value.isoformat(sep=" ", timespec="auto")
    if isinstance(value, bytes | bytearray):
        return value.hex()
    return printable(str(value), " ")


def _is_number(values: Sequence[object]) -> bool:
    known = [value for value in values if value is not None]
    return bool(known) and all(
        isinstance(value, int | float | Decimal) and not isinstance(value, bool) for value in known
    )


def _is_rigid(values: Sequence[object]) -> bool:
    """Returns True if a column must not be cut, because it has no text: a cut number would be wrong."""
    return not any(isinstance(value, str) for value in values)


def _fitted(natural: Sequence[int], rigid: Sequence[bool], width: int) -> list[int] | None:
    """Column widths with a sum of `width` or less; cuts the widest text columns first. None if impossible."""
    widths = [
        size if is_rigid else min(size, max(width, MIN_TEXT_WIDTH))
        for size, is_rigid in zip(natural, rigid, strict=True)
    ]
    while sum(widths) > width:
        texts = [n for n, is_rigid in enumerate(rigid) if not is_rigid and widths[n] > MIN_TEXT_WIDTH]
        if not texts:
            return None
        widths[max(texts, key=lambda n: widths[n])] -= 1
    return widths


def _line(cells: Sequence[str], widths: Sequence[int], right: Sequence[bool]) -> str:
    padded = [
        " " * (size - cell_len(text)) + text if is_right else _sized(text, size)
        for text, size, is_right in zip(cells, widths, right, strict=True)
    ]
    return " " + " | ".join(padded)


def _sized(text: str, size: int) -> str:
    """The text, padded or cut to `size` cells. A cut text ends with an ellipsis."""
    if cell_len(text) > size:
        text = set_cell_size(text, size - 1).rstrip() + ELLIPSIS
    return set_cell_size(text, size)


def _records(names: Sequence[str], rows: Sequence[Sequence[str]], width: int) -> list[str]:
    size = max(map(cell_len, names))
    lines: list[str] = []
    for number, row in enumerate(rows, start=1):
        lines.append(f"--- row {number} ".ljust(min(width, 40), "-"))
        lines += [
            _sized(f"{_sized(name, size)} | {text}", width).rstrip()
            for name, text in zip(names, row, strict=True)
        ]
    return lines
