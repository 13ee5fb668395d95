"""COPY INTO: copies the run's files into the history tables."""

import logging
from collections.abc import Sequence

from pipeline.columns import TABLES, dtypes, history
from pipeline.lake.layout import TABLES_PREFIX
from pipeline.records import File
from pipeline.warehouse.row_counts import LoadResults, dated_name, reported
from pipeline.warehouse.session import Session
from pipeline.warehouse.sql_files import identifier, literal

log = logging.getLogger(__name__)

FILES_PER_COPY = 1000
"""Snowflake's limit of FILES in one COPY."""


def copy_files(session: Session, files: Sequence[File]) -> LoadResults:
    """Copies the files of each table; returns the row counts that the warehouse reported."""
    results: LoadResults = {}
    for table in TABLES:
        own = [file for file in files if file.table == table]
        for start in range(0, len(own), FILES_PER_COPY):
            chunk = own[start : start + FILES_PER_COPY]
            rows = _copy(session, table, chunk)
            for file in chunk:
                loaded = rows.get(dated_name(file.key), 0)
                results.setdefault(file.snapshot_date, {})[table] = reported(file, loaded)
            log.info("copied %s: %s files", table, len(chunk))
    return results


def _copy(session: Session, table: str, files: Sequence[File]) -> dict[str, int]:
    """Number of loaded rows by file."""
    loaded = session.rows(
        "load/copy_table",
        table=identifier(history(table)),
        columns=", ".join(identifier(column) for column in dtypes(table)),
        files=", ".join(literal(file.key.removeprefix(TABLES_PREFIX)) for file in files),
    )
    return {dated_name(row["file"]): row["rows_loaded"] for row in loaded}
