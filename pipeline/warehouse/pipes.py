"""Waiting for pipes: each file's own load history, a deadline, and reasons that name the file."""

import json
import logging
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from pipeline.columns import TABLES, landing, pipe
from pipeline.errors import AccountingError, Code, StopRun
from pipeline.lake.csv_files import File, Manifest
from pipeline.lake.layout import TABLES_PREFIX
from pipeline.warehouse.messages import differing, listed, phrase
from pipeline.warehouse.session import Session
from pipeline.warehouse.sql_files import identifier, literal
from pipeline.warehouse.transaction import Results, compare, reported

log = logging.getLogger(__name__)

LONGEST_PAUSE_S = 15.0
UNFINISHED = ("load in progress", "")
WIRING = "docs/operations.md#snowpipe says how the bucket's notifications reach the pipes"


class Polling(NamedTuple):
    """How long to wait for pipes, and how; each question costs the warehouse a moment, so they grow rarer."""

    deadline_s: float
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic


def wait_for_pipes(session: Session, run_id: str, manifest: Manifest, polling: Polling) -> Results:
    """Returns what the pipes reported, once the landing tables hold the files of the manifest.

    Raises StopRun, and promotes nothing, where a pipe refused a file or is stopped, or the deadline is over.
    """
    end, pause = polling.clock() + polling.deadline_s, 1.0
    waiting = {file.key.removeprefix(TABLES_PREFIX): file for file in manifest.files}
    results: Results = {}
    while True:
        for table in {file.table for file in waiting.values()}:
            for key, rows in _landed(session, run_id, table).items():
                if file := waiting.pop(key, None):
                    results.setdefault(file.snapshot_date, {})[table] = reported(file, rows)
        log.info("pipes: %s of %s files landed", len(manifest.files) - len(waiting), len(manifest.files))
        if not waiting:
            break
        states = _states(session, {file.table for file in waiting.values()})
        left = end - polling.clock()
        if left <= 0 or any(state.startswith("STOPPED") for state in states.values()):
            raise StopRun(_not_loaded([*waiting.values()], manifest, states), Code.PIPES_LATE)
        polling.sleep(min(pause, left))
        pause = min(pause * 2, LONGEST_PAUSE_S)
    with naming_files(session, run_id, manifest):
        compare(session, "load/generated/count_landed", run_id, manifest, "landing holds")
    return results


@contextmanager
def naming_files(session: Session, run_id: str, manifest: Manifest) -> Iterator[None]:
    """Adds to an AccountingError which files' rows landing does not hold as they were written."""
    try:
        yield
    except AccountingError as error:
        message = f"{error.message}. {_landed_otherwise(session, run_id, manifest)}"
        raise AccountingError(message, error.code) from error


def _landed(session: Session, run_id: str, table: str) -> dict[str, int]:
    """Keys that the table's pipe reports as loaded, with their rows."""
    rows: dict[str, int] = {}
    refused: dict[str, str] = {}
    for entry in session.rows("load/find_copy_history", (run_id,), table=literal(landing(table))):
        status = str(entry["status"] or "").lower().replace("_", " ")
        key = str(entry["url"]).rpartition(TABLES_PREFIX)[2]
        if status == "loaded":
            rows[key] = int(entry["row_count"])
        elif status not in UNFINISHED:
            refused[key] = _refused(table, key, entry)
    for key, reason in refused.items():
        if key not in rows:  # the same file once more is skipped, for it is loaded
            raise StopRun(reason, Code.PIPE_REFUSED)
    return rows


def _refused(table: str, key: str, entry: dict[str, Any]) -> str:
    line = f", line {entry['first_error_line_number']}" if entry["first_error_line_number"] else ""
    reason = phrase(entry["first_error_message"] or "unexplained")
    return (
        f"pipe {pipe(table)} did not load {TABLES_PREFIX}{key}{line}: {entry['status']}, {reason}. "
        "Nothing was promoted; run again, and if it lasts look at the file"
    )


def _states(session: Session, tables: set[str]) -> dict[str, str]:
    """What the tables' pipes say of themselves; asking keeps no warehouse awake."""
    states = {}
    for table in sorted(tables):
        ((text,),) = session.execute("load/find_pipe_status", pipe=literal(pipe(table)))
        status = json.loads(text)
        states[table] = f"{status.get('executionState')}, pending files: {status.get('pendingFileCount', 0)}"
        if error := status.get("error"):
            states[table] += f", {phrase(error)}"
    return states


def _not_loaded(missing: list[File], manifest: Manifest, states: dict[str, str]) -> str:
    files = listed(file.key for file in missing)
    told = "; ".join(f"{pipe(table)} is {state}" for table, state in states.items())
    return (
        f"pipes have not loaded {len(missing)} of {len(manifest.files)} files: {files}. "
        f"Nothing was promoted. {told}. If no file ever lands, {WIRING}; if a pipe is STOPPED, "
        "DELETE FROM snowpipe_versions lets the next Snowpipe run recreate it; "
        "if it is PAUSED, ALTER PIPE … SET PIPE_EXECUTION_PAUSED = FALSE; "
        "otherwise run again with a larger pipe_minutes, or with load=copy"
    )


def _landed_otherwise(session: Session, run_id: str, manifest: Manifest) -> str:
    """The files of which landing holds other rows than were written, foreign files included."""
    landed: Counter[str] = Counter()
    for table in TABLES:
        rows = session.execute("load/find_landed_files", (run_id,), table=identifier(landing(table)))
        for name, count in rows:
            landed[name.rpartition(TABLES_PREFIX)[2]] += count
    written = Counter({file.key.removeprefix(TABLES_PREFIX): file.rows for file in manifest.files})
    wrong = differing(landed, written)
    told = listed(f"{TABLES_PREFIX}{key} ({landed[key]} rows of {written[key]})" for key in wrong)
    return f"In landing: {told or 'as written'}"
