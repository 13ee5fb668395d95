"""A session: a fakesnow connection with role, parameters and transaction state."""

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
MAX_RESULTS = 20


class RecentResults(OrderedDict[str, tuple[Any, ...]]):
    """The latest results by query id; bounded, because fakesnow keeps all results."""

    def __setitem__(self, key: str, value: tuple[Any, ...]) -> None:
        super().__setitem__(key, value)
        while len(self) > MAX_RESULTS:
            self.popitem(last=False)


class Session(FakeSnowflakeConnection):
    """One login. `lock` is held while a statement runs, so only an idle session can be aborted."""

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
        # The parameter AUTOCOMMIT. If it is False, a statement that changes rows opens a transaction.
        self.autocommits = True
        self.in_transaction = False
        self.written: set[str] = set()  # tables that the open transaction has changed
        self.refusal: str | None = None  # error message of every statement except ROLLBACK
        self.closing = False
        self.idle_since = time.monotonic()

    def cursor(self, cursor_class: type[SnowflakeCursor] = SnowflakeCursor) -> FakeSnowflakeCursor:
        """Returns a cursor of the stand-in."""
        del cursor_class  # the server always returns rows
        return self.sessions.cursor_of(self, self._duck_conn)

    @property
    def connection(self) -> DuckDBPyConnection:
        """The DuckDB connection of the session."""
        return self._duck_conn

    def use(self, database: str, schema: str | None) -> None:
        """Sets the current database and schema, which must exist."""
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
        """Ends the open transaction, if any; `command`: COMMIT or ROLLBACK."""
        if not self.in_transaction:
            return
        self.in_transaction = False  # set first: DuckDB rolls back if COMMIT fails
        self.written.clear()
        self._duck_conn.execute(command)
        self.account.notify_waiting()

    def restart(self) -> None:
        """Restarts a transaction without writes, so that it sees what was committed in the meantime."""
        if self.in_transaction:
            self._duck_conn.rollback()
            self._duck_conn.begin()

    def abort(self) -> None:
        """Rolls back for another session; every statement fails until this session executes ROLLBACK."""
        self.end("ROLLBACK")
        self.refusal = "The transaction was aborted: it was idle and blocked another. ROLLBACK first."

    def note_failure(self) -> None:
        """Refuses further statements if the error has aborted DuckDB's transaction.

        DuckDB would execute COMMIT as ROLLBACK without an error.
        """
        if not self.in_transaction or self.refusal:
            return
        try:
            self._duck_conn.execute("SELECT 1")
        except duckdb.TransactionException:
            self.refusal = (
                "A statement of this transaction failed: ROLLBACK first (Snowflake would continue)."
            )

    def end_session(self) -> None:
        """Waits for the running statement, rolls back and closes the connection."""
        self.closing = True  # stops a statement that waits for a lock
        with self.lock:
            self.end("ROLLBACK")
            self.close()

    @contextmanager
    def atomic(self) -> Iterator[DuckDBPyConnection]:
        """Runs several DuckDB statements atomically, in the open transaction or in a new one."""
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
    """The open sessions of an account; `cursor_of` creates a cursor of a session."""

    def __init__(
        self, account: Account, cursor_of: Callable[[Session, DuckDBPyConnection], FakeSnowflakeCursor]
    ) -> None:
        self.account = account
        self.cursor_of = cursor_of
        self._open: set[Session] = set()

    def open(self, database: str | None, schema: str | None) -> Session:
        """Opens a session with a separate DuckDB transaction; database and schema must exist."""
        session = Session(self, self.account.engine.cursor(), database, schema)
        self._open.add(session)
        return session

    def close(self, session: Session) -> None:
        """Rolls back the open transaction and closes the session."""
        session.end_session()
        self._open.discard(session)

    def others(self, session: Session) -> list[Session]:
        """Returns the other open sessions."""
        return [other for other in list(self._open) if other is not session]
