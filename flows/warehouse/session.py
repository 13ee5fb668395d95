"""One session with Snowflake: statements by file name, errors by what the run does next."""

import logging
from collections.abc import Sequence
from io import StringIO
from threading import Thread
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from snowflake.connector import errors
from snowflake.connector.util_text import split_statements

from flows.errors import Code, ConfigurationError, PipelineError, StopRun, Transient
from flows.warehouse.sql import read_sql
from flows.warehouse.words import phrase

if TYPE_CHECKING:
    from prefect_snowflake import SnowflakeConnector

log = logging.getLogger(__name__)

LOCK_TIMEOUT_S = 15
"""How long one statement waits for a lock; `take_lock` asks again, for ten minutes."""

STATEMENT_TIMEOUT_S = 600
"""How long one statement may take, a queue before it included: the connector cancels it then."""
GOODBYE_S = 5.0
"""How long a run that is told to stop waits for the end of its session, which ends without it, too."""

SYNTAX_ERROR = 1003
NOT_FOUND = 2003
CANCELED = 604
LOCK_TIMEOUT = 625
TRANSACTION_ENDED = 615
ABORTED = "40001"
"""SQLSTATE of a transaction that the server ended, e.g. because it was idle and blocked another."""
MISSING = "grant the block's role the privilege on it, or correct the block's database and schema"
NO_FILE = (
    "run again: the stage shows another lake, or the file was removed; "
    "if it lasts, DELETE FROM schema_versions lets the next run recreate the stage"
)
ADVICE = {
    SYNTAX_ERROR: ("correct the file", Code.SNOWFLAKE_SQL),
    NOT_FOUND: (MISSING, Code.SNOWFLAKE_NOT_FOUND),
    2043: (MISSING, Code.SNOWFLAKE_NOT_FOUND),
    3001: ("grant the block's role the privilege", Code.SNOWFLAKE_DENIED),
    90105: ("correct the block's database, or grant its role USAGE on it", Code.SNOWFLAKE_NOT_FOUND),
    90106: ("correct the block's schema, or grant its role USAGE on it", Code.SNOWFLAKE_NOT_FOUND),
    606: ("correct the block's warehouse, or grant its role USAGE on it", Code.SNOWFLAKE_NOT_FOUND),
    91016: (NO_FILE, Code.SNOWFLAKE_STAGE),
}
"""What to do about Snowflake's error numbers that a person can resolve, and the code of the message."""


SLOW = (
    "If it lasts, give the warehouse another size or other work its own; or more time: the block's "
    "network_timeout (SNOWFLAKE_NETWORK_TIMEOUT)"
)


class NotFound(ConfigurationError):
    """A table or view does not exist, or the role may not see it."""


class LockTimeout(Transient):
    """Another session holds the lock."""


class Session:
    """A connection whose statements are files of `sql/`. Use as a context manager: leaving rolls back.

    `autocommit`: whether a statement outside a transaction commits by itself.
    """

    def __init__(self, connector: "SnowflakeConnector", run_id: str, *, autocommit: bool = True) -> None:
        self._connector = connector
        self.run_id = run_id
        self._autocommit = autocommit
        self.statements: list[str] = []

    def __enter__(self) -> Self:
        extras = self._connector.credentials.model_extra or {}
        defaults = {"network_timeout": STATEMENT_TIMEOUT_S, "login_timeout": 60}
        try:
            self._connection = self._connector.get_connection(
                paramstyle="qmark",
                platform_detection_timeout_seconds=0.0,  # it would ask cloud metadata services at each login
                session_parameters={
                    "LOCK_TIMEOUT": LOCK_TIMEOUT_S,
                    "ABORT_DETACHED_QUERY": True,
                    # what account or user may have set otherwise
                    "AUTOCOMMIT": self._autocommit,
                    "TIMEZONE": "UTC",
                    "DATE_INPUT_FORMAT": "AUTO",
                    "TIMESTAMP_INPUT_FORMAT": "AUTO",
                    "QUERY_TAG": f"spotify-playlist-pipeline {self.run_id}",
                },
                **{name: value for name, value in defaults.items() if name not in extras},
            )
        except errors.Error as error:
            raise self._login_error(error) from error
        except Exception as error:  # noqa: BLE001 - a key that is none raises what its reader does
            message = (
                f"the private key for Snowflake account {self._connector.credentials.account} cannot be read "
                f"({type(error).__name__}): correct key and passphrase of the block"
            )
            raise ConfigurationError(
                message, Code.SNOWFLAKE_PRIVATE_KEY
            ) from None  # its text may hold parts of the key
        self._cursor = self._connection.cursor()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        closing = Thread(target=self._close, daemon=True)
        closing.start()
        told_to_stop = error is not None and not isinstance(error, Exception)
        closing.join(GOODBYE_S if told_to_stop else None)

    def _close(self) -> None:
        try:
            self._connection.close()
        except errors.Error:
            log.debug("Snowflake session did not close", exc_info=True)

    def execute(self, name: str, values: Sequence[Any] = (), **parts: str) -> list[tuple[Any, ...]]:
        """Runs `sql/<name>.sql`, one statement; returns its rows."""
        return self._execute(name, read_sql(name, **parts), values)

    def rows(self, name: str, values: Sequence[Any] = (), **parts: str) -> list[dict[str, Any]]:
        """Rows that `sql/<name>.sql` returns, by column name in lower case."""
        rows = self.execute(name, values, **parts)
        names = [column.name.lower() for column in self._cursor.description]
        return [dict(zip(names, row, strict=True)) for row in rows]

    def execute_all(self, name: str, *, containing: str = "", **parts: str) -> None:
        """Runs every statement of `sql/<name>.sql`, or those that contain a text."""
        for statement, _ in split_statements(StringIO(read_sql(name, **parts)), remove_comments=True):
            if statement and statement.strip(" \n;") and containing in statement:
                self._execute(name, statement, ())

    def begin(self) -> None:
        """Opens a transaction."""
        self._execute("BEGIN", "BEGIN", ())

    def commit(self) -> None:
        """Commits the transaction."""
        self._execute("COMMIT", "COMMIT", ())

    def rollback(self) -> None:
        """Rolls the transaction back; the server does so itself where it cannot be told."""
        try:
            self._cursor.execute("ROLLBACK")
        except errors.Error:
            log.debug("ROLLBACK did not reach Snowflake", exc_info=True)

    @property
    def rowcount(self) -> int:
        """Rows that the last statement changed."""
        return int(self._cursor.rowcount or 0)

    def _execute(self, name: str, text: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
        self.statements.append(name)
        try:
            self._cursor.execute(text, tuple(values) or None)
            return list(self._cursor.fetchall())
        except errors.Error as error:
            raise self._explained(name, error) from error

    def _explained(self, name: str, error: errors.Error) -> PipelineError:
        where = f"sql/{name}.sql" if "/" in name else name
        says = phrase(error.msg)
        text = f"Snowflake refused {where} (role {self._role}, {self._place}): {says}"
        if error.errno in ADVICE:
            kind = NotFound if error.errno == NOT_FOUND else ConfigurationError
            advice, code = ADVICE[error.errno]
            return kind(f"{text}. What to do: {advice}", code)
        if error.errno == LOCK_TIMEOUT:
            return LockTimeout(text, Code.SNOWFLAKE_LOCKED)
        lost = isinstance(error, errors.OperationalError) or not isinstance(error, errors.DatabaseError)
        if error.errno == CANCELED:
            return Transient(f"Snowflake did not finish {where} in time: {says}. {SLOW}", Code.SNOWFLAKE_SLOW)
        if lost or error.errno == TRANSACTION_ENDED or error.sqlstate == ABORTED:
            return Transient(f"Snowflake did not finish {where}: {says}", Code.SNOWFLAKE_UNAVAILABLE)
        return StopRun(text, Code.SNOWFLAKE_REFUSED)

    def _login_error(self, error: errors.Error) -> PipelineError:
        account = self._connector.credentials.account
        says = phrase(error.msg)
        text = f"no session with Snowflake account {account} as role {self._role} at {self._place}: {says}"
        if isinstance(error, errors.OperationalError):
            return Transient(f"{text}. Snowflake did not answer: run again", Code.SNOWFLAKE_UNAVAILABLE)
        return ConfigurationError(
            f"{text}. What to do: correct user, key, role or account of the block, or the network policy",
            Code.SNOWFLAKE_LOGIN,
        )

    @property
    def _place(self) -> str:
        return f"{self._connector.database}.{self._connector.schema_}"

    @property
    def _role(self) -> str:
        return str(self._connector.credentials.role or "of the user")
