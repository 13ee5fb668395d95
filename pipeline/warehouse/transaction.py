"""The COPY load: one session, one transaction; readers see the old state or the new one."""

import logging
from collections import Counter
from collections.abc import Callable
from datetime import date
from typing import NamedTuple

import msgspec
from msgspec.structs import asdict

from pipeline.columns import TABLES, dtypes, history
from pipeline.errors import AccountingError, Code, StopRun, Transient
from pipeline.lake.csv_files import File, Manifest, Partition
from pipeline.lake.layout import TABLES_PREFIX
from pipeline.warehouse.loaded import Loaded
from pipeline.warehouse.lock import take_lock
from pipeline.warehouse.messages import differing, listed
from pipeline.warehouse.session import Session
from pipeline.warehouse.sql_files import identifier, literal, read_sql

log = logging.getLogger(__name__)

FILES_PER_COPY = 1000
"""What one COPY takes at most."""
PARTITIONS_PER_INSERT = 5_000
"""Less than a kilobyte each, 0.6 MB compressed; a statement with its values takes 1 MB at most."""

Results = dict[date, dict[str, dict[str, int]]]
"""Rows that the warehouse reported, and bytes of the files, by snapshot date and table."""
Fill = Callable[[Session, str, Manifest], Results]
"""Brings a run's rows into the history tables, within the transaction."""


class Removed(NamedTuple):
    """Partitions of the run that had rows of another run, and others that refresh="full" deletes."""

    replaced: int | None
    deleted: int | None


class Load(NamedTuple):
    """A run's load: who it is, and how it treats what is there.

    `ignore_rank`: its rows are put in place even if the warehouse holds a snapshot that ranks higher.
    """

    run_id: str
    code_version: str
    receipt_key: str
    mode: str = "copy"
    refresh: str = "snapshot"
    ignore_rank: bool = False


def load_copy(session: Session, load: Load, manifest: Manifest) -> Loaded:
    """Copies the files of the manifest in place of what the run replaces."""
    return replace(session, load, manifest, _copy)


def replace(session: Session, load: Load, manifest: Manifest, fill: Fill) -> Loaded:
    """Replaces the partitions of the manifest (refresh="full": everything) by what `fill` brings, or nothing.

    Raises AccountingError where counts differ from the manifest, StopRun where another writer
    keeps the lock; nothing is changed then. A COMMIT whose answer was lost is found in the ledger.
    """
    take_lock(session)
    try:
        committed = session.execute("load/find_load", (load.run_id,))
        if committed:
            session.rollback()
            done = set(committed)
            left = [part.key for part in manifest.partitions if part.key not in done]
            return _loaded(session, manifest, left, Removed(None, None))
        results = fill(session, load.run_id, manifest)
        compare(session, "load/generated/count_rows", load.run_id, manifest)
        higher = _higher(session, load)
        removed = _delete(session, load, higher)
        _insert_ledger(session, load, _in_place(manifest, higher), results)
        session.commit()
    except Exception:
        # Whoever is told to stop waits for no answer here: the end of the session rolls back, too.
        session.rollback()
        raise
    return _loaded(session, manifest, higher, removed)


def _copy(session: Session, _run_id: str, manifest: Manifest) -> Results:
    """Copies the files of each table; returns what came of them, by date and table."""
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
    """Rows of one file as the warehouse reports them, which must be those written; its bytes in the lake."""
    if loaded != file.rows:
        message = (
            f"the warehouse loaded {loaded} rows of {file.key}, the file was written with {file.rows}. "
            "Nothing was loaded; run again, and if it lasts look at the file: it is not what the run wrote"
        )
        raise AccountingError(message, Code.ROWS_DIFFER)
    return {"rows": loaded, "bytes": file.bytes}


def compare(
    session: Session, name: str, run_id: str, manifest: Manifest, where: str = "the warehouse counts"
) -> None:
    """Raises AccountingError where a statement counts other rows of the run than its files hold."""
    rows = session.execute(name, (run_id,) * len(TABLES))
    counted = Counter({(table, day): count for table, day, count in rows})
    wanted = Counter({(file.table, file.snapshot_date): file.rows for file in manifest.files})
    if wrong := differing(counted, wanted):
        told = listed(f"{key[0]} of {key[1]}: {counted[key]} for {wanted[key]}" for key in wrong)
        message = (
            f"{where} other rows than the files of run {run_id} hold ({told}). "
            "Nothing was loaded; run again, and if it lasts see who else writes there"
        )
        raise AccountingError(message, Code.ROWS_DIFFER)


def _higher(session: Session, load: Load) -> list[tuple[str, date]]:
    """Partitions of this run of which the warehouse holds a snapshot that ranks higher."""
    winners = session.execute("load/find_winners", (load.run_id, load.ignore_rank))
    return [(playlist, day) for playlist, day, run_id in winners if run_id != load.run_id]


def _delete(session: Session, load: Load, higher: list[tuple[str, date]]) -> Removed:
    """Deletes what the run replaces; with refresh="full" everything else."""
    if load.refresh == "full":
        return _delete_all_others(session, load, higher)
    winners = read_sql("load/find_winners")
    # `playlists` comes last: the other tables' statements look up the partitions there.
    for table in reversed(TABLES):
        name = identifier(history(table))
        session.execute("load/delete_replaced", (load.run_id, load.ignore_rank), table=name, winners=winners)
    return Removed(session.rowcount - len(higher), 0)


def _delete_all_others(session: Session, load: Load, higher: list[tuple[str, date]]) -> Removed:
    if higher:
        message = (
            'refresh="full": the warehouse holds snapshots that rank higher than this run\'s '
            f"({listed(f'{playlist} of {day}' for playlist, day in higher)}): fetched on the date that they "
            "stand for, or later. Nothing was changed. Run again without snapshot_date"
        )
        raise StopRun(message, Code.NEWER_LOADED)
    ((deleted, playlists),) = session.execute("load/count_others", (load.run_id, load.run_id))
    log.log(
        logging.WARNING if deleted else logging.INFO,
        'refresh="full" deletes %s partitions (playlist and date) of %s playlists',
        deleted,
        playlists,
    )
    for table in reversed(TABLES):
        name = identifier(history(table))
        session.execute("load/delete_all_others", (load.run_id, load.run_id), table=name)
    return Removed(session.rowcount - deleted, deleted)


def _insert_ledger(session: Session, load: Load, partitions: list[Partition], results: Results) -> None:
    for start in range(0, len(partitions), PARTITIONS_PER_INSERT):
        rows = [
            # The ledger keeps no reasons: as many as entries, they might not fit. The receipt has them.
            {**asdict(part), "rejected_by_reason": None, "load_results": results[part.snapshot_date]}
            for part in partitions[start : start + PARTITIONS_PER_INSERT]
        ]
        document = msgspec.json.encode(rows).decode()
        who = (load.run_id, load.code_version, load.mode, load.receipt_key)
        session.execute("load/insert_loads", (*who, document, load.run_id))
        if session.rowcount != len(rows):
            raise Transient(
                "Snowflake ended the transaction that held the writer lock",
                Code.SNOWFLAKE_LOCK_LOST,
            )


def _in_place(manifest: Manifest, higher: list[tuple[str, date]]) -> list[Partition]:
    left = set(higher)
    return [part for part in manifest.partitions if part.key not in left]


def _loaded(session: Session, manifest: Manifest, higher: list[tuple[str, date]], removed: Removed) -> Loaded:
    in_place = _in_place(manifest, higher)
    rows: Counter[str] = Counter(dict.fromkeys(TABLES, 0))
    for part in in_place:
        rows.update(part.rows_by_table)
    return Loaded(
        rows_by_table=dict(rows),
        partitions=[part.key for part in in_place],
        superseded=higher,
        partitions_replaced=removed.replaced,
        partitions_deleted=removed.deleted,
        statements=list(session.statements),
    )
