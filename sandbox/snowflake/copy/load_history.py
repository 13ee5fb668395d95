"""Load history of a database: the files that COPY and pipes have loaded, stored in the same database."""

import datetime as dt
from typing import NamedTuple

from duckdb import DuckDBPyConnection

from sandbox.snowflake.state.schema_objects import HISTORY, Table

COLUMNS = {
    "table_oid": "BIGINT",
    "file_name": "VARCHAR",  # the full URL
    "etag": "VARCHAR",
    "stage_location": "VARCHAR",
    "file_size": "BIGINT",
    "loaded_at": "TIMESTAMPTZ",
    "status": "VARCHAR",
    "row_count": "BIGINT",
    "row_parsed": "BIGINT",
    "first_error_message": "VARCHAR",
    "first_error_line_number": "BIGINT",
    "first_error_column_name": "VARCHAR",
    "pipe": "VARCHAR",  # the id of one CREATE PIPE; null for COPY
    "received_at": "TIMESTAMPTZ",
}
LOADED = "Loaded"
LOAD_FAILED = "Load failed"


class Entry(NamedTuple):
    """Result of one file; `error`, `line` and `column` of the first error."""

    url: str
    etag: str
    stage: str
    size: int
    status: str = LOADED
    rows: int = 0
    parsed: int = 0
    error: str | None = None
    line: int | None = None
    column: str | None = None
    pipe: str | None = None
    received_at: dt.datetime | None = None


def create_history(connection: DuckDBPyConnection, database: str) -> None:
    """Creates the load history of a new database."""
    columns = ", ".join(f"{name} {kind}" for name, kind in COLUMNS.items())
    connection.execute(f'CREATE TABLE "{database}".{HISTORY} ({columns})')


def record(connection: DuckDBPyConnection, table: Table, entries: list[Entry]) -> None:
    """Records the files in the open transaction."""
    now = dt.datetime.now(dt.UTC)
    rows = [
        [table.oid, *entry[:4], now, *entry[4:]]  # in the order of COLUMNS
        for entry in entries
    ]
    marks = ", ".join("?" * len(COLUMNS))
    connection.executemany(f"INSERT INTO {table.history} VALUES ({marks})", rows)


def copied_before(connection: DuckDBPyConnection, table: Table) -> set[tuple[str, str]]:
    """Returns URL and ETag of the files loaded by COPY; loads by pipes do not count for COPY."""
    sql = f"SELECT file_name, etag FROM {table.history} WHERE table_oid = ? AND pipe IS NULL"
    return set(connection.execute(sql, [table.oid]).fetchall())
