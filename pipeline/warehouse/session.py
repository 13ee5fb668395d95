"""A Snowflake session: runs statements by file name, and raises errors by what the run does next."""

import logging
from collections.abc import Callable, Mapping, Sequence
from io import StringIO
from types import TracebackType
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from snowflake.connector import errors
from snowflake.connector.util_text import split_statements

from pipeline.errors import Code, ConfigurationError, Transient
from pipeline.threads import Unfinished, within
from pipeline.usage import count_usage
from pipeline.warehouse.messages import snowflake_text
from pipeline.warehouse.snowflake_errors import SLOW, Place, login_error, statement_error, statement_name
from pipeline.warehouse.sql_files import read_sql

if TYPE_CHECKING:
    from snowflake.connector import SnowflakeConnection
    from snowflake.connector.cursor import SnowflakeCursor

log = logging.getLogger(__name__)

LOCK_TIMEOUT_S = 15
"""Maximum wait of one statement for a lock; `take_lock` retries for twelve minutes."""

LOGIN_TIMEOUT_S = 60
"""Maximum duration of a login, including the connector's retries."""
STATEMENT_TIMEOUT_S = 600
"""Maximum duration of a statement, including its time in the queue; the connector then cancels it."""
MARGIN_S = 30.0
"""Added to both for our own deadline: the connector's timeouts do not end a response that arrives slowly."""
ROLLBACK_TIMEOUT_S = 60.0
LOGOUT_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 5.0
"""Maximum duration of the logout after SIGTERM. Snowflake also ends sessions without a logout."""


class Login(NamedTuple):
    """Parameters of a login to Snowflake.

    `connect`: opens a connection, with options of the connector as arguments. `options`: options that it
    already sets.
    """

    connect: Callable[..., "SnowflakeConnection"]
    place: Place
    options: Mapping[str, Any]


class Session:
    """A connection whose statements are files of `sql/`. Use it as a context manager; its end rolls back.

    `autocommit`: if False, a statement outside a transaction is not committed.
    """

    def __init__(self, login: Login, run_id: str, *, autocommit: bool = True) -> None:
        self._login = login
        self.run_id = run_id
        self._autocommit = autocommit
        self._timeouts = {
            "login_timeout": login.options.get("login_timeout") or LOGIN_TIMEOUT_S,
            "network_timeout": login.options.get("network_timeout") or STATEMENT_TIMEOUT_S,
        }
        self._set_here = {name: value for name, value in self._timeouts.items() if name not in login.options}
        self._limit_s = float("inf")
        self.statements: list[str] = []

    def limited(self, seconds: float) -> Self:
        """Limits every request to `seconds`."""
        self._limit_s = seconds
        return self

    def __enter__(self) -> Self:
        limit = self._limit("login_timeout")
        try:
            self._connection = within(limit, self._log_in)
        except Unfinished:
            message = (
                f"{self._login.place.no_session}: its response did not end within {limit:g} s. Run again"
            )
            raise Transient(message, Code.SNOWFLAKE_UNAVAILABLE) from None
        except errors.Error as error:
            raise login_error(self._login.place, error) from None  # a traceback would show the unmasked text
        except Exception as error:  # noqa: BLE001 - an invalid key raises various errors of its parser
            message = (
                f"the private key for Snowflake account {self._login.place.account} cannot be read "
                f"({type(error).__name__}): correct key and passphrase of the block"
            )
            raise ConfigurationError(
                message, Code.SNOWFLAKE_PRIVATE_KEY
            ) from None  # the error's text may contain parts of the key
        self._cursor = self._connection.cursor()
        return self

    def _log_in(self) -> "SnowflakeConnection":
        return self._login.connect(
            paramstyle="qmark",
            platform_detection_timeout_seconds=0.0,  # no requests to cloud metadata services at each login
            session_parameters={
                "LOCK_TIMEOUT": LOCK_TIMEOUT_S,
                "ABORT_DETACHED_QUERY": True,
                # parameters that the account or user may have set differently
                "AUTOCOMMIT": self._autocommit,
                "TIMEZONE": "UTC",
                "DATE_INPUT_FORMAT": "AUTO",
                "TIMESTAMP_INPUT_FORMAT": "AUTO",
                "QUERY_TAG": f"spotify-playlist-pipeline {self.run_id}",
            },
            **self._set_here,
        )

    def _limit(self, name: str) -> float:
        """Total deadline in seconds of a login or a statement."""
        return min(self._timeouts[name] + MARGIN_S, self._limit_s)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        interrupted = error is not None and not isinstance(error, Exception)  # by SIGTERM or Ctrl-C
        limit = STOP_TIMEOUT_S if interrupted else LOGOUT_TIMEOUT_S
        try:
            within(min(limit, self._limit_s), self._connection.close)
        except (errors.Error, Unfinished) as problem:
            log.debug(
                "Snowflake session did not close: %s %s", type(problem).__name__, snowflake_text(problem)
            )

    def execute(self, name: str, values: Sequence[Any] = (), **parts: str) -> list[tuple[Any, ...]]:
        """Runs the one statement of `sql/<name>.sql`; returns its rows."""
        return self._execute(name, read_sql(name, **parts), values)

    def rows(self, name: str, values: Sequence[Any] = (), **parts: str) -> list[dict[str, Any]]:
        """Rows that `sql/<name>.sql` returns, by column name in lower case."""
        rows = self.execute(name, values, **parts)
        names = [column.name.lower() for column in self._cursor.description]
        return [dict(zip(names, row, strict=True)) for row in rows]

    def execute_all(self, name: str, *, containing: str = "", **parts: str) -> None:
        """Runs the statements of `sql/<name>.sql` that contain a text; by default all."""
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
        """Rolls back the transaction. If ROLLBACK does not reach Snowflake, the end of the session does."""
        try:
            count_usage(statements=1)
            cursor = self._connection.cursor()  # the main cursor may still wait for a response
            within(min(ROLLBACK_TIMEOUT_S, self._limit_s), lambda: cursor.execute("ROLLBACK"))
        except (errors.Error, Unfinished) as error:
            log.debug("ROLLBACK did not reach Snowflake: %s %s", type(error).__name__, snowflake_text(error))

    @property
    def place(self) -> Place:
        """Account, role and schema of the session."""
        return self._login.place

    def new_cursor(self) -> "SnowflakeCursor":
        """A cursor for interactive statements. It raises the connector's errors."""
        return self._connection.cursor()

    @property
    def rowcount(self) -> int:
        """Number of rows that the last statement changed."""
        return int(self._cursor.rowcount or 0)

    def _execute(self, name: str, text: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
        self.statements.append(name)
        count_usage(statements=1)
        limit = self._limit("network_timeout")
        try:
            return within(limit, lambda: self._fetch(text, values))
        except Unfinished:
            message = f"Snowflake's response to {statement_name(name)} did not end within {limit:g} s. {SLOW}"
            raise Transient(message, Code.SNOWFLAKE_SLOW) from None
        except errors.Error as error:
            raise statement_error(
                name, self._login.place, error
            ) from None  # a traceback would show the unmasked text

    def _fetch(self, text: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
        self._cursor.execute(text, tuple(values) or None)
        return list(self._cursor.fetchall())
