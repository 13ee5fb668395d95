"""The thread that receives events of new files and loads the files into the tables of pipes."""

import contextlib
import logging
import re
import tempfile
import threading
import time
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError
from snowflake.connector.errors import ProgrammingError

from sandbox.snowflake import errors
from sandbox.snowflake.copy.copy_into import check_bytes, run_load
from sandbox.snowflake.copy.load_history import LOAD_FAILED, Entry, record
from sandbox.snowflake.copy.load_sql import Load
from sandbox.snowflake.copy.staged_files import fetch
from sandbox.snowflake.pipes.definition import pipe_columns, pipe_format
from sandbox.snowflake.state.locks import run_waiting
from sandbox.snowflake.state.pipe import Event, Pipe
from sandbox.snowflake.state.session import Session, Sessions
from sandbox.snowflake.state.tables import existing_table

log = logging.getLogger(__name__)

BUSY_POLL_S = 0.05
IDLE_POLL_S = 0.3
"""Interval between polls of the queue if no file has arrived for IDLE_AFTER_S."""
IDLE_AFTER_S = 10.0
RETRIED_ERRORS = {625, 91003}  # a lock timeout, or a bucket that does not respond
LINE = re.compile(r"\n  File '[^']*', line (?P<line>\d+)")
COLUMN = re.compile(r'\n  Row \d+, column "[^"]*"\["(?P<column>.*)":\d+\]')


class Ingest:
    """Loads files for the account's pipes in a separate thread."""

    def __init__(self, sessions: Sessions) -> None:
        self.sessions = sessions
        self.pipes = sessions.account.pipes
        self.channel = sessions.account.channel
        self.thread = threading.Thread(target=self._run, name="pipes", daemon=True)
        self.stopping = threading.Event()

    def start(self) -> None:
        """Starts the thread."""
        self.thread.start()

    def stop(self) -> None:
        """Ends the thread after the current file."""
        self.stopping.set()
        self.thread.join(10)

    def _run(self) -> None:
        latest = time.monotonic()
        while not self.stopping.wait(
            IDLE_POLL_S if time.monotonic() - latest > IDLE_AFTER_S else BUSY_POLL_S
        ):
            try:
                if self._poll():
                    latest = time.monotonic()
            except (BotoCoreError, ClientError):  # S3 may be temporarily unavailable
                continue
            except Exception:  # an unexpected error must not stop later files
                log.exception("The thread of the pipes continues after an unexpected error.")

    def _poll(self) -> bool:
        """Receives events and loads the files that are due; returns True if there were any."""
        events = self.channel.events()
        if events:
            self.pipes.receive(events)
        due = self.pipes.due()
        for pipe, event in due:
            if not self.stopping.is_set():
                self._load(pipe, event)
        return bool(events or due)

    def _load(self, pipe: Pipe, event: Event) -> None:
        """Loads one file in a separate transaction; skips an invalid file and records the error."""
        session = self.sessions.open(*self.sessions.account.namespace(*pipe.name[:2]))
        try:
            _load_file(session, pipe, event)
            self.pipes.finish(pipe, event, loaded=True)
        except Exception as error:  # noqa: BLE001 - an error in one file must not end the thread
            known = errors.translate(error)
            if known.errno not in RETRIED_ERRORS:
                _record_failure(session, pipe, event, known)
                self.pipes.finish(pipe, event, loaded=False)
        finally:
            self.sessions.close(session)


def _load_file(session: Session, pipe: Pipe, event: Event) -> None:
    definition = pipe.definition
    file_format = pipe_format(session, definition)
    with tempfile.TemporaryDirectory() as directory:
        files = fetch(session.account.s3, [event.url], file_format.compression, Path(directory))
        check_bytes(files, file_format)
        table = existing_table(session, definition.table)
        columns = pipe_columns(session, definition)
        if definition.sources is None:
            load = Load(table, [column._replace(source="") for column in columns], file_format, files)
        else:
            lengths = file_format.lengths(files[0].path, event.url) | {definition.last_field}
            load = Load(table, columns, file_format, files, max(lengths), ragged=len(lengths) > 1)
        stage = definition.stage

        def run() -> None:
            run_load(session, load, stage, pipe=pipe.id, received_at=event.received_at)

        run_waiting(session, f"COPY INTO {table.sql}", run)


def _record_failure(session: Session, pipe: Pipe, event: Event, error: ProgrammingError) -> None:
    message = str(error.raw_msg)
    line, column = LINE.search(message), COLUMN.search(message)
    number = int(line["line"]) if line else None
    entry = Entry(
        event.url,
        "",
        pipe.definition.stage.base,
        0,
        LOAD_FAILED,
        error=LINE.split(message)[0].strip(),
        line=number,
        column=column["column"] if column else None,
        pipe=pipe.id,
        received_at=event.received_at,
    )
    with contextlib.suppress(Exception), session.atomic() as connection:  # the table may have been dropped
        record(connection, existing_table(session, pipe.definition.table), [entry])
