"""Error messages of a failed COPY, with file, line and column as in Snowflake."""

import re

import duckdb
from snowflake.connector.errors import ProgrammingError

from sandbox.snowflake import errors
from sandbox.snowflake.copy.load_sql import Load
from sandbox.snowflake.copy.staged_files import StagedFile
from sandbox.snowflake.state.schema_objects import Column

SHOWN_CHARACTERS = 100
"""Length to which a message cuts an invalid value."""
MAX_TEXT_BYTES = 16 * 2**20
"""Maximum length of a VARCHAR without a declared length."""
CSV_ERROR = re.compile(
    r"CSV Error on Line: (?P<line>\d+)\n.*?\n\s*(?P<what>Expected Number[^\n]+|Value with[^\n]+|[^\n]+)\n"
    r".*?file = (?P<file>[^\n]+)",
    re.DOTALL,
)
COUNTS = re.compile(r"Expected Number of Columns: (?P<expected>\d+) Found: (?P<found>\d+)")


def explain(engine: duckdb.DuckDBPyConnection, error: duckdb.Error, load: Load) -> ProgrammingError:
    """Returns Snowflake's error for the first invalid record, or DuckDB's error if none is found."""
    match = CSV_ERROR.search(str(error))
    if match and "Error when converting column" not in match["what"]:
        return _malformed(match, load)
    # The session's transaction has failed, so read the files in another one.
    with engine.cursor() as cursor:
        for column in load.columns:
            file = _first_file_with(cursor, load, _is_bad(load, column))
            if file is not None:
                return _bad_value(cursor, load, file, column)
    return errors.translate(error)


def refuse_long_texts(connection: duckdb.DuckDBPyConnection, load: Load) -> None:
    """Raises Snowflake's error for a text that is too long for VARCHAR; DuckDB has no limit."""
    long = [file for file in load.files if file.path.stat().st_size > MAX_TEXT_BYTES]
    for file in long:
        lengths = ", ".join(f"max(strlen({load.text(column)}))" for column in load.columns)
        row = connection.execute(f"SELECT {lengths} FROM {load.source(file)}").fetchall()[0]
        for column, length in zip(load.columns, row, strict=True):
            if (length or 0) > MAX_TEXT_BYTES:
                message = (
                    f"Max LOB size ({MAX_TEXT_BYTES}) exceeded, actual size of parsed column is {length}"
                    f'\n  File \'{file.url}\', column "{load.table.name}"["{column.name}"]'
                )
                raise errors.failure(100082, "22000", message)


def _malformed(match: re.Match[str], load: Load) -> ProgrammingError:
    urls = {str(file.path): file.url for file in load.files}
    place = f"\n  File '{urls.get(match['file'], match['file'])}', line {match['line']}"
    counts = COUNTS.search(match[0])
    if counts is None:
        return errors.failure(100016, "22000", match["what"] + place)
    message = (
        f"Number of columns in file ({counts['found']}) does not match that of the corresponding table "
        f"({counts['expected']}), use file format option error_on_column_count_mismatch=false to ignore "
        f"this error{place}"
    )
    return errors.failure(100080, "22000", message)


def _is_bad(load: Load, column: Column) -> str:
    text = load.text(column)
    uncastable = f"({text} IS NOT NULL AND TRY_CAST({text} AS {column.type}) IS NULL)"
    return uncastable if column.nullable else f"({uncastable} OR {text} IS NULL)"


def _first_file_with(cursor: duckdb.DuckDBPyConnection, load: Load, condition: str) -> StagedFile | None:
    sql = f"SELECT DISTINCT __file FROM {load.source()} WHERE {condition}"
    paths = {path for (path,) in cursor.execute(sql).fetchall()}
    return next((file for file in load.files if str(file.path) in paths), None)


def _bad_value(
    cursor: duckdb.DuckDBPyConnection, load: Load, file: StagedFile, column: Column
) -> ProgrammingError:
    numbered = f"SELECT *, row_number() OVER () AS __row FROM {load.source(file)}"
    field, bad = load.field(column), _is_bad(load, column)
    sql = f"SELECT __row, {field} FROM ({numbered}) WHERE {bad} ORDER BY 1 LIMIT 1"
    row, value = cursor.execute(sql).fetchall()[0]
    place = (
        f"\n  File '{file.url}', line {row + load.format.skip_header}"
        f'\n  Row {row}, column "{load.table.name}"["{column.name}":{load.columns.index(column) + 1}]'
    )
    if value is None:
        return errors.failure(100072, "22000", f"NULL result in a non-nullable column{place}")
    return errors.failure(
        100038, "22018", f"{column.type} value '{value[:SHOWN_CHARACTERS]}' is not recognized{place}"
    )
