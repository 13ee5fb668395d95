"""The answer to one statement, as text."""

from collections.abc import Sequence
from time import perf_counter
from typing import TYPE_CHECKING, Any

from pipeline.markdown import plural
from tools.sql.text_table import cell, text_table

if TYPE_CHECKING:
    from snowflake.connector.cursor import SnowflakeCursor


def answer(cursor: "SnowflakeCursor", statement: str, most: int | None, width: int | None) -> str:
    """Executes a statement; returns its rows as a table, with their number and the seconds.

    `most`: rows to show, otherwise all. `width`: of the terminal, in cells.
    """
    start = perf_counter()
    cursor.execute(statement)
    rows: Sequence[Any] = cursor.fetchall() if most is None else cursor.fetchmany(most)
    seconds = perf_counter() - start
    names = [column_name(column.name) for column in cursor.description]
    # of a DELETE, rowcount is the number of deleted rows: one row says so
    total = max(cursor.rowcount or 0, len(rows)) if len(rows) == most else len(rows)
    return f"{text_table(names, rows, width)}\n{footer(len(rows), total, seconds)}"


def column_name(name: str) -> str:
    """As it is typed, on one line: Snowflake turns names without quotes into capitals."""
    return cell(name.lower() if name == name.upper() else name)


def footer(shown: int, total: int, seconds: float) -> str:
    """How many rows there are, how many are shown, and how long it took."""
    rows = plural(total, "row")
    return f"({rows if shown == total else f'the first {shown:,} of {rows}'}, {seconds:.2f} s)"
