"""The ledger `loads`: one row per run and partition, written in the transaction of the data."""

from collections.abc import Sequence
from datetime import date

import msgspec

from pipeline.errors import Code, SnowflakeObjectNotFound, Transient
from pipeline.lake.layout import LoadMode, receipt_key
from pipeline.lake.store import Lake
from pipeline.records import PlaylistLine, Run
from pipeline.warehouse.row_counts import LoadResults
from pipeline.warehouse.session import Session

PARTITIONS_PER_INSERT = 5_000
"""Less than 1 kB each, 0.6 MB compressed; Snowflake's limit of a statement with its values is 1 MB."""


def find_load(session: Session, run_id: str) -> set[tuple[str, date]]:
    """Partitions of the run in the ledger; empty if its load was not committed."""
    return {(playlist, day) for playlist, day in session.execute("load/find_load", (run_id,))}


def is_loaded(session: Session) -> bool:
    """True if the load of the session's run was committed.

    Takes the writer lock first, because a COMMIT that is still in progress is not visible in the ledger.
    Raises LockTimeout if the lock is not free within LOCK_TIMEOUT_S.
    """
    session.begin()
    try:
        session.execute("load/lock_writer", (session.run_id,))
        return bool(find_load(session, session.run_id))
    finally:
        session.rollback()


def insert_loads(
    session: Session, run: Run, mode: LoadMode, partitions: Sequence[PlaylistLine], results: LoadResults
) -> None:
    """Adds the partitions. Raises Transient if Snowflake has ended the transaction that holds the lock."""
    key = receipt_key(run.snapshot_date, run.run_id)
    origin = (run.run_id, run.flow_run_id, run.code_version, mode, key)
    for start in range(0, len(partitions), PARTITIONS_PER_INSERT):
        rows = [
            _row(line, results[line.snapshot_date])
            for line in partitions[start : start + PARTITIONS_PER_INSERT]
        ]
        document = msgspec.json.encode(rows).decode()
        session.execute("load/insert_loads", (*origin, document, run.run_id))
        if session.rowcount != len(rows):
            raise Transient(
                "Snowflake ended the transaction that held the writer lock",
                Code.SNOWFLAKE_LOCK_LOST,
            )


def find_published(
    session: Session, lake: Lake, snapshot_date: date, fetches_on: date
) -> set[tuple[str, str]]:
    """(playlist_id, snapshot_id) of the partitions of a date that were loaded by runs with a receipt.

    `fetches_on` (UTC): day on which this run fetches. Snapshots that this run's snapshots would outrank are
    not included, because they were not fetched on their snapshot date.
    """
    try:
        rows = session.execute("load/find_published", (snapshot_date, fetches_on != snapshot_date))
    except SnowflakeObjectNotFound:
        return set()
    finished = {key for key in {row[2] for row in rows} if lake.exists(key)}
    return {(playlist, snapshot_id) for playlist, snapshot_id, key in rows if key in finished}


def _row(line: PlaylistLine, results: dict[str, dict[str, int]]) -> dict[str, object]:
    """One row for insert_loads.sql. It has no reject reasons, because each entry may have one of its own."""
    return {
        "playlist_id": line.playlist_id,
        "snapshot_date": line.snapshot_date,
        "source_key": line.source_key,
        "source_fetched_at": line.source_fetched_at,
        "snapshot_id": line.snapshot_id,
        "item_count": line.total,
        "rejected": sum(line.rejected.values()),
        "rows_by_table": line.rows_by_table,
        "load_results": results,
    }
