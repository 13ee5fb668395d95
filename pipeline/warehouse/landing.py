"""Landing tables: waits until the pipes have loaded a run's files. Errors name the files."""

import json
import logging
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple

from pipeline.columns import TABLES, landing, pipe
from pipeline.errors import AccountingError, Code, StopRun
from pipeline.lake.layout import TABLES_PREFIX
from pipeline.records import File
from pipeline.warehouse.messages import differing, listed, snowflake_text
from pipeline.warehouse.row_counts import LoadResults, compare, dated_name, reported
from pipeline.warehouse.session import Session
from pipeline.warehouse.sql_files import identifier, literal

log = logging.getLogger(__name__)

STATUS_PAUSE_S = 15.0
"""Maximum pause between queries of the pipes' status, a system function that needs no virtual warehouse."""
HISTORY_PAUSE_S = 150.0
"""Maximum pause between queries of the load history while the status is unchanged.

The query needs a virtual warehouse, which can suspend during the pause.
"""
SHARED_STATUS_KEYS = (
    "lastPulledFromChannelTimestamp",
    "lastReceivedMessageTimestamp",
    "numOutstandingMessagesOnChannel",
)
"""Keys of a pipe's status that also change for files of other pipes: pipes of one bucket share a channel."""
FAILED_STATES = ("STOPPED", "STALLED")
"""Prefixes of the states from which a pipe does not recover without intervention."""
UNFINISHED = ("load in progress", "")
Statuses = dict[str, dict[str, Any]]
"""Result of SYSTEM$PIPE_STATUS, by table."""
SETUP_HINT = "docs/operations.md#snowpipe explains how the bucket's notifications reach the pipes"


class Polling(NamedTuple):
    """Deadline and clock of the wait for pipes."""

    deadline_s: float
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic


@dataclass(frozen=True)
class Landing:
    """A run's files, which pipes load into the landing tables."""

    session: Session
    run_id: str
    files: Sequence[File]

    def wait(self, polling: Polling) -> LoadResults:
        """Waits until the landing tables hold the files; returns the row counts that the pipes reported.

        Raises StopRun if a pipe refused a file or is stopped, or at the deadline. Nothing is promoted then.
        """
        end, pause = polling.clock() + polling.deadline_s, 1.0
        waiting = {(file.table, dated_name(file.key)): file for file in self.files}
        results: LoadResults = {}
        statuses = self._statuses({file.table for file in self.files})
        while True:  # query the status before the history, so that no change between the two is missed
            for table in {file.table for file in waiting.values()}:
                for name, rows in self._landed(table).items():
                    if file := waiting.pop((table, name), None):
                        results.setdefault(file.snapshot_date, {})[table] = reported(file, rows)
            log.info("pipes: %s of %s files landed", len(self.files) - len(waiting), len(self.files))
            if not waiting:
                break
            missing = [*waiting.values()]
            statuses = {file.table: statuses[file.table] for file in missing}
            stopped = any(_state(one).startswith(FAILED_STATES) for one in statuses.values())
            if stopped or polling.clock() >= end:
                raise StopRun(_not_loaded(missing, len(self.files), statuses), Code.PIPES_LATE)
            statuses = self._await_change(polling, min(polling.clock() + pause, end), statuses)
            pause = min(pause * 2, HISTORY_PAUSE_S)
        with self.naming_files():
            compare(
                self.session, "load/generated/count_landed", self.run_id, self.files, "the landing tables"
            )
        return results

    @contextmanager
    def naming_files(self) -> Iterator[None]:
        """Adds the files whose row counts in landing differ to the message of an AccountingError."""
        try:
            yield
        except AccountingError as error:
            raise AccountingError(f"{error.message}. {self._differing_files()}", error.code) from error

    def _await_change(self, polling: Polling, until: float, before: Statuses) -> Statuses:
        """Sleeps until the status of a pipe differs from `before`, or until a time; returns the last one."""
        statuses = before
        while statuses == before and (left := until - polling.clock()) > 0:
            polling.sleep(min(left, STATUS_PAUSE_S))
            statuses = self._statuses(before)
        return statuses

    def _landed(self, table: str) -> dict[str, int]:
        """Files that the table's pipe reports as loaded, with their rows."""
        rows: dict[str, int] = {}
        refused: dict[str, str] = {}
        history = self.session.rows("load/find_copy_history", (self.run_id,), table=literal(landing(table)))
        for entry in history:
            status = str(entry["status"] or "").lower().replace("_", " ")
            name = dated_name(str(entry["file_name"]))
            if status == "loaded":
                rows[name] = int(entry["row_count"] or 0)
            elif status not in UNFINISHED:
                refused[name] = _refused(table, name, entry)
        for name, reason in refused.items():
            if name not in rows:  # a loaded file is skipped if it arrives again, which is not an error
                raise StopRun(reason, Code.PIPE_REFUSED)
        return rows

    def _statuses(self, tables: Iterable[str]) -> Statuses:
        """Status of the tables' pipes, without SHARED_STATUS_KEYS."""
        found = {}
        for table in sorted(tables):
            ((text,),) = self.session.execute("load/find_pipe_status", pipe=literal(pipe(table)))
            status = json.loads(text or "null") or {}  # null if the role lacks the privilege
            found[table] = {key: value for key, value in status.items() if key not in SHARED_STATUS_KEYS}
        return found

    def _differing_files(self) -> str:
        """Files whose row counts in landing differ from the manifest, including files of other origin."""
        landed: Counter[str] = Counter()
        for table in TABLES:
            name = identifier(landing(table))
            rows = self.session.execute("load/find_landed_files", (self.run_id,), table=name)
            for file_name, count in rows:
                landed[f"{TABLES_PREFIX}{table}/{dated_name(file_name)}"] += count
        written = Counter({file.key: file.rows for file in self.files})
        differences = differing(landed, written)
        text = listed(f"{key} ({landed[key]} rows instead of {written[key]})" for key in differences)
        return f"In landing: {text or 'as written'}"


def _state(status: dict[str, Any]) -> str:
    return str(status.get("executionState"))


def _status_text(status: dict[str, Any]) -> str:
    error = f", {snowflake_text(status['error'])}" if status.get("error") else ""
    return f"{_state(status)}, pending files: {status.get('pendingFileCount', 0)}{error}"


def _refused(table: str, name: str, entry: dict[str, Any]) -> str:
    line = f", line {entry['first_error_line_number']}" if entry["first_error_line_number"] else ""
    reason = snowflake_text(entry["first_error_message"] or "no reason given")
    return (
        f"pipe {pipe(table)} did not load {TABLES_PREFIX}{table}/{name}{line}: {entry['status']}, {reason}. "
        "Nothing was promoted. Run again; if this continues, inspect the file"
    )


def _not_loaded(missing: list[File], written: int, statuses: Statuses) -> str:
    files = listed(file.key for file in missing)
    states = "; ".join(f"{pipe(table)} is {_status_text(status)}" for table, status in statuses.items())
    return (
        f"pipes have not loaded {len(missing)} of {written} files: {files}. "
        f"Nothing was promoted. {states}. If no file ever lands, {SETUP_HINT}; if a pipe is STOPPED, "
        "DELETE FROM snowpipe_versions lets the next Snowpipe run recreate it; "
        "if it is STALLED, correct the cause that its error names; "
        "if it is PAUSED, ALTER PIPE … SET PIPE_EXECUTION_PAUSED = FALSE; "
        "otherwise run again with a larger pipe_minutes, or with load=copy"
    )
