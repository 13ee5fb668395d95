"""The COPY load: one session, one transaction; readers see the old state or the new one."""

import logging
import time
from collections import Counter
from collections.abc import Callable
from datetime import date
from typing import NamedTuple

import msgspec
from msgspec.structs import asdict

from flows.errors import AccountingError, StopRun, Transient
from flows.lake.files import File, Manifest, Partition
from flows.lake.layout import TABLES_PREFIX
from flows.transform.schema import TABLES, dtypes, history
from flows.warehouse.loaded import Loaded
from flows.warehouse.session import LOCK_TIMEOUT_S, LockTimeout, Session
from flows.warehouse.sql import identifier, literal

log = logging.getLogger(__name__)

LOCK_ATTEMPTS = 10 * 60 // LOCK_TIMEOUT_S
"""Ten minutes of waiting for other writers."""

FILES_PER_COPY = 1000
"""What one COPY takes at most."""
PARTITIONS_PER_INSERT = 5_000
"""About a kilobyte each; a bound value takes 16 MB at most."""

Results = dict[date, dict[str, dict[str, int]]]
"""Rows and bytes that the warehouse reported, by snapshot date and table."""
Fill = Callable[[Session, str, Manifest], Results]
"""Brings a run's rows into the history tables, within the transaction."""


class Load(NamedTuple):
    """A run's load: who it is, and how it treats what is there."""

    run_id: str
    code_version: str
    receipt_key: str
    mode: str = "copy"
    refresh: str = "snapshot"
    force: bool = False


def load_copy(session: Session, load: Load, manifest: Manifest) -> Loaded:
    """Copies the files of the manifest in place of what the run replaces."""
    return replace(session, load, manifest, _copy)


def replace(session: Session, load: Load, manifest: Manifest, fill: Fill) -> Loaded:
    """Replaces the partitions of the manifest (refresh="full": everything) by what `fill` brings, or nothing.

    Raises AccountingError where counts differ from the manifest, Transient where another writer
    keeps the lock; nothing is changed then. A COMMIT whose answer was lost is found in the ledger.
    """
    _take_lock(session, load.run_id)
    try:
        committed = session.execute("load/find_load", (load.run_id,))
        if committed:
            session.rollback()
            left = [part.key for part in manifest.partitions if part.key not in committed]
            return _loaded(session, manifest, left, removed=0)
        results = fill(session, load.run_id, manifest)
        compare(session, "load/count_rows", load.run_id, manifest)
        newer = [] if load.force else _newer(session, load.run_id)
        removed = _delete(session, load, newer)
        _insert_ledger(session, load, _in_place(manifest, newer), results)
        session.commit()
    except BaseException:
        session.rollback()
        raise
    return _loaded(session, manifest, newer, removed=removed)


def _take_lock(session: Session, run_id: str) -> None:
    for attempt in range(1, LOCK_ATTEMPTS + 1):
        began = time.monotonic()
        session.begin()
        try:
            session.execute("load/lock_writer", (run_id,))
        except LockTimeout:
            session.rollback()
            # Snowflake refuses the 21st waiter at once.
            time.sleep(max(0.0, LOCK_TIMEOUT_S - (time.monotonic() - began)))
            log.info("another run is loading; waited %s s for it", attempt * LOCK_TIMEOUT_S)
        else:
            return
    message = (
        f"another run held the writer lock for {LOCK_ATTEMPTS * LOCK_TIMEOUT_S} s; nothing was loaded. "
        "See `SELECT * FROM writer_lock` and SHOW LOCKS for who it is"
    )
    raise Transient(message)


def _copy(session: Session, _run_id: str, manifest: Manifest) -> Results:
    """Copies the files of each table; returns what the warehouse reported, by date and table."""
    results: Results = {}
    for table in TABLES:
        files = [file for file in manifest.files if file.table == table]
        for start in range(0, len(files), FILES_PER_COPY):
            chunk = files[start : start + FILES_PER_COPY]
            keys = [file.key.removeprefix(TABLES_PREFIX) for file in chunk]
            answer = session.rows(
                "load/copy_table",
                table=identifier(history(table)),
                columns=", ".join(identifier(column) for column in dtypes(table)),
                files=", ".join(literal(key) for key in keys),
            )
            rows = {row["file"].rpartition(TABLES_PREFIX)[2]: row["rows_loaded"] for row in answer}
            for file, key in zip(chunk, keys, strict=True):
                results.setdefault(file.snapshot_date, {})[table] = reported(file, rows.get(key, 0))
            log.info("copied %s: %s files", table, len(chunk))
    return results


def reported(file: File, loaded: int) -> dict[str, int]:
    """Rows and bytes of one file, which must be those of the manifest."""
    if loaded != file.rows:
        message = (
            f"the warehouse loaded {loaded} rows of {file.key}, the file was written with {file.rows}. "
            "Nothing was loaded; run again, and if it lasts compare the file with the receipt"
        )
        raise AccountingError(message)
    return {"rows": loaded, "bytes": file.bytes}


def compare(
    session: Session, name: str, run_id: str, manifest: Manifest, where: str = "the warehouse counts"
) -> None:
    """Raises AccountingError where a statement counts other rows of the run than the manifest."""
    counted = dict(session.execute(name, (run_id,) * len(TABLES)))
    wanted = {table: manifest.rows(table) for table in TABLES}
    if counted != wanted:
        message = (
            f"{where} {counted}, the files of run {run_id} hold {wanted}. "
            "Nothing was loaded; run again, and if it lasts compare the files in the lake with the receipt"
        )
        raise AccountingError(message)


def _newer(session: Session, run_id: str) -> list[tuple[str, date]]:
    return [(playlist, day) for playlist, day in session.execute("load/find_newer", (run_id, run_id))]


def _delete(session: Session, load: Load, newer: list[tuple[str, date]]) -> int:
    """Removes what the run replaces; returns the number of partitions removed."""
    if load.refresh == "full" and newer:
        message = (
            f'refresh="full": newer snapshots than this run\'s were loaded meanwhile: {newer}. Run again'
        )
        raise StopRun(message)
    # `playlists` comes last: the other tables' statements look up the partitions there.
    for table in reversed(TABLES):
        name = identifier(history(table))
        if load.refresh == "full":
            session.execute("load/delete_all_others", (load.run_id,), table=name)
        else:
            session.execute("load/delete_replaced", (load.run_id, load.force), table=name)
    return session.rowcount - len(newer)


def _insert_ledger(session: Session, load: Load, partitions: list[Partition], results: Results) -> None:
    for start in range(0, len(partitions), PARTITIONS_PER_INSERT):
        rows = [
            {**asdict(part), "load_results": results[part.snapshot_date]}
            for part in partitions[start : start + PARTITIONS_PER_INSERT]
        ]
        document = msgspec.json.encode(rows).decode()
        session.execute(
            "load/insert_loads", (load.run_id, load.code_version, load.mode, load.receipt_key, document)
        )


def _in_place(manifest: Manifest, newer: list[tuple[str, date]]) -> list[Partition]:
    return [part for part in manifest.partitions if part.key not in newer]


def _loaded(session: Session, manifest: Manifest, newer: list[tuple[str, date]], *, removed: int) -> Loaded:
    in_place = _in_place(manifest, newer)
    rows: Counter[str] = Counter(dict.fromkeys(TABLES, 0))
    for part in in_place:
        rows.update(part.rows_by_table)
    return Loaded(
        rows_by_table=dict(rows),
        partitions=[part.key for part in in_place],
        superseded=newer,
        partitions_removed=removed,
        statements=list(session.statements),
    )
