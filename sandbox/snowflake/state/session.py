"""A session: a fakesnow connection that knows its role, its parameters and its transaction."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import duckdb
from duckdb import DuckDBPyConnection
from fakesnow.conn import FakeSnowflakeConnection
from fakesnow.cursor import FakeSnowflakeCursor
from snowflake.connector.cursor import SnowflakeCursor

from sandbox.snowflake import errors
from sandbox.snowflake.state.account import Account

DEFAULT_LOCK_TIMEOUT = 43200.0  # seconds, as in Snowflake
RESULTS_KEPT = 20


class RecentResults(OrderedDict[str, tuple[Any, ...]]):
    """The latest results by query id; fakesnow would keep all of them."""

    def __setitem__(self, key: str, value: tuple[Any, ...]) -> None:
        super().__setitem__(key, value)
        while len(self) > RESULTS_KEPT:
            self.popitem(last=False)


class Session(FakeSnowflakeConnection):
    """One login. `lock` is held while a statement runs: only an idle session can be aborted."""

    def __init__(
        self, sessions: "Sessions", connection: DuckDBPyConnection, database: str | None, schema: str | None
    ) -> None:
        super().__init__(
            connection, RecentResults(), database, schema, create_database=False, create_schema=False
        )
        self.sessions = sessions
        self.account = sessions.account
        self.user = ""
        self.role = "PUBLIC"
        self.warehouse: str | None = None
        self.lock_timeout = DEFAULT_LOCK_TIMEOUT
        self.lock = threading.Lock()
        self.commits_itself = True  # AUTOCOMMIT; else a statement that changes rows opens a transaction
        self.in_transaction = False
        self.written: set[str] = set()  # tables that the open transaction has changed
        self.refusal: str | None = None  # why every statement but ROLLBACK fails
        self.closing = False
        self.idle_since = time.monotonic()

    def cursor(self, cursor_class: type[SnowflakeCursor] = SnowflakeCursor) -> FakeSnowflakeCursor:
        """Returns a cursor of the stand-in."""
        del cursor_class  # results are rows, whatever the client asks for
        return self.sessions.cursor_of(self, self._duck_conn)

    @property
    def connection(self) -> DuckDBPyConnection:
        """The session's own DuckDB connection."""
        return self._duck_conn

    def use(self, database: str, schema: str | None) -> None:
        """Sets the current database and schema, both of which exist."""
        self._duck_conn.execute(f"SET schema = '{database}.{schema or 'main'}'")
        self.database, self.database_set = database, True
        self._schema, self.schema_set = schema, schema is not None

    def begin(self) -> None:
        """Opens a transaction."""
        if self.in_transaction:
            raise errors.not_emulated("BEGIN inside a transaction")
        self._duck_conn.begin()
        self.in_transaction = True

    def end(self, command: str) -> None:
        """Ends the transaction, if there is one, with `command`: COMMIT or ROLLBACK."""
        if not self.in_transaction:
            return
        self.in_transaction = False  # DuckDB rolls back when a COMMIT fails
        self.written.clear()
        self._duck_conn.execute(command)
        self.account.notify_waiting()

    def restart(self) -> None:
        """Takes a new snapshot, with nothing written yet: a waiter sees what was committed meanwhile."""
        if self.in_transaction:
            self._duck_conn.rollback()
            self._duck_conn.begin()

    def abort(self) -> None:
        """Rolls back from outside; every statement fails until the session executes ROLLBACK."""
        self.end("ROLLBACK")
        self.refusal = "The transaction was aborted: it was idle and blocked another. ROLLBACK first."

    def note_failure(self) -> None:
        """After an error: DuckDB goes on with nothing, and turns COMMIT into a silent ROLLBACK."""
        if not self.in_transaction or self.refusal:
            return
        try:
            self._duck_conn.execute("SELECT 1")
        except duckdb.TransactionException:
            self.refusal = (
                "A statement of this transaction failed: ROLLBACK first (the real service goes on)."
            )

    def end_session(self) -> None:
        """Rolls back and frees the session, once its running statement has ended."""
        self.closing = True  # a statement that waits for a lock gives up
        with self.lock:
            self.end("ROLLBACK")
            self.close()

    @contextmanager
    def atomic(self) -> Iterator[DuckDBPyConnection]:
        """Runs several DuckDB statements as one, in the open transaction or in one of their own."""
        if self.in_transaction:
            yield self._duck_conn
            return
        self._duck_conn.begin()
        try:
            yield self._duck_conn
            self._duck_conn.commit()
        except BaseException:
            self._duck_conn.rollback()
            raise


class Sessions:
    """The sessions of an account that are open; `cursor_of` creates a session's cursors."""

    def __init__(
        self, account: Account, cursor_of: Callable[[Session, DuckDBPyConnection], FakeSnowflakeCursor]
    ) -> None:
        self.account = account
        self.cursor_of = cursor_of
        self._open: set[Session] = set()

    def open(self, database: str | None, schema: str | None) -> Session:
        """Logs in, to a place that is there; the session owns a DuckDB cursor, hence its own transaction."""
        session = Session(self, self.account.engine.cursor(), database, schema)
        self._open.add(session)
        return session

    def close(self, session: Session) -> None:
        """Logs out, rolling back what is open."""
        session.end_session()
        self._open.discard(session)

    def others(self, session: Session) -> list[Session]:
        """Returns the other open sessions."""
        return [other for other in list(self._open) if other is not session]
