"""Result of a statement, as text."""

from collections.abc import Sequence
from time import perf_counter
from typing import TYPE_CHECKING, Any

from pipeline.markdown import plural
from tools.sql.text_table import cell, text_table

if TYPE_CHECKING:
    from snowflake.connector.cursor import SnowflakeCursor


def result_text(cursor: "SnowflakeCursor", statement: str, max_rows: int | None, width: int | None) -> str:
    """Executes a statement; returns its rows as a table, their number and the duration.

    `max_rows`: None shows all rows. `width`: of the terminal, in cells.
    """
    start = perf_counter()
    cursor.execute(statement)
    rows: Sequence[Any] = cursor.fetchall() if max_rows is None else cursor.fetchmany(max_rows)
    seconds = perf_counter() - start
    names = [column_name(column.name) for column in cursor.description]
    # After a DELETE, rowcount is the number of deleted rows, but the result has one row.
    total = max(cursor.rowcount or 0, len(rows)) if len(rows) == max_rows else len(rows)
    return f"{text_table(names, rows, width)}\n{footer(len(rows), total, seconds)}"


def column_name(name: str) -> str:
    """The name on one line. In lower case if it is all upper case, as Snowflake stores unquoted names."""
    return cell(name.lower() if name == name.upper() else name)


def footer(shown: int, total: int, seconds: float) -> str:
    """Number of rows, number of shown rows, and duration."""
    rows = plural(total, "row")
    return f"({rows if shown == total else f'the first {shown:,} of {rows}'}, {seconds:.2f} s)"
