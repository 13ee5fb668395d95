"""One session with Snowflake: statements by file name, errors by what the run does next."""

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
"""How long one statement waits for a lock; `take_lock` repeats it, for twelve minutes."""

LOGIN_TIMEOUT_S = 60
"""How long a login may take, with the connector's retries."""
STATEMENT_TIMEOUT_S = 600
"""How long one statement may take, a queue before it included: the connector cancels it then."""
MARGIN_S = 30.0
"""How much later a request is given up: the connector's timeouts do not end a response that trickles."""
ROLLBACK_TIMEOUT_S = 60.0
LOGOUT_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 5.0
"""How long a run that is told to stop waits for the logout: the server ends the session without it, too."""


class Login(NamedTuple):
    """How to log in to Snowflake.

    `connect` takes the connector's own options; `options` are those that it sets already.
    """

    connect: Callable[..., "SnowflakeConnection"]
    place: Place
    options: Mapping[str, Any]


class Session:
    """A connection whose statements are files of `sql/`. Use as a context manager: leaving rolls back.

    `autocommit`: whether a statement outside a transaction commits by itself.
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
        """Lets no request take longer than `seconds`, for a session that cannot wait."""
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
            raise login_error(self._login.place, error) from None  # a traceback would show the whole text
        except Exception as error:  # noqa: BLE001 - a key that is none raises what its reader does
            message = (
                f"the private key for Snowflake account {self._login.place.account} cannot be read "
                f"({type(error).__name__}): correct key and passphrase of the block"
            )
            raise ConfigurationError(
                message, Code.SNOWFLAKE_PRIVATE_KEY
            ) from None  # its text may hold parts of the key
        self._cursor = self._connection.cursor()
        return self

    def _log_in(self) -> "SnowflakeConnection":
        return self._login.connect(
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
            **self._set_here,
        )

    def _limit(self, name: str) -> float:
        """Total deadline in seconds of a login or a statement."""
        return min(self._timeouts[name] + MARGIN_S, self._limit_s)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        told_to_stop = error is not None and not isinstance(error, Exception)
        limit = STOP_TIMEOUT_S if told_to_stop else LOGOUT_TIMEOUT_S
        try:
            within(min(limit, self._limit_s), self._connection.close)
        except (errors.Error, Unfinished) as problem:
            log.debug(
                "Snowflake session did not close: %s %s", type(problem).__name__, snowflake_text(problem)
            )

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
            count_usage(statements=1)
            cursor = self._connection.cursor()  # the other one may still wait for a response
            within(min(ROLLBACK_TIMEOUT_S, self._limit_s), lambda: cursor.execute("ROLLBACK"))
        except (errors.Error, Unfinished) as error:
            log.debug("ROLLBACK did not reach Snowflake: %s %s", type(error).__name__, snowflake_text(error))

    @property
    def place(self) -> Place:
        """Whose session it is."""
        return self._login.place

    def new_cursor(self) -> "SnowflakeCursor":
        """A cursor for statements that a person types; its errors are the connector's."""
        return self._connection.cursor()

    @property
    def rowcount(self) -> int:
        """Rows that the last statement changed."""
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
            ) from None  # a traceback would show the whole text

    def _fetch(self, text: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
        self._cursor.execute(text, tuple(values) or None)
        return list(self._cursor.fetchall())
