"""What an error of the Snowflake connector means for the run, and what to do about it."""

from http import HTTPStatus
from typing import NamedTuple

from snowflake.connector import errors

from pipeline.errors import (
    Code,
    ConfigurationError,
    LockTimeout,
    PipelineError,
    SnowflakeObjectNotFound,
    StopRun,
    Transient,
)
from pipeline.warehouse.messages import snowflake_text

SYNTAX_ERROR = 1003
NOT_FOUND = 2003
TIMED_OUT = (604, 630)
"""Canceled, as by the connector's own timeout; ended by STATEMENT_TIMEOUT_IN_SECONDS."""
LOCK_TIMEOUT = 625
TRANSACTION_ENDED = 615
ABORTED = "40001"
"""SQLSTATE of a transaction that the server ended, e.g. because it was idle and blocked another."""
HTTP_ERRORS = 290_000
"""The connector adds it to an HTTP status, once or twice, to make its error number."""
MAY_PASS = (400, 405, 408, 425, 429)
"""Statuses of 4xx that may pass: the connector, too, repeats such requests."""
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


ALLOW = "a proxy or firewall refuses the request: allow the account's host there"
SPLIT = (
    "the request is larger than Snowflake or a proxy takes: load fewer dates or playlists at once, "
    "and if it lasts report it"
)
SLOW = (
    "If it lasts, give the warehouse another size or other work its own; or more time: the block's "
    "network_timeout (SNOWFLAKE_NETWORK_TIMEOUT)"
)


class Place(NamedTuple):
    """Whose session it is, for messages."""

    account: str
    role: str | None
    database: str
    schema: str

    def __str__(self) -> str:
        return f"role {self.role or 'of the user'}, {self.database}.{self.schema}"

    @property
    def no_session(self) -> str:
        """How the message of a failed login starts."""
        role, schema = self.role or "of the user", f"{self.database}.{self.schema}"
        return f"no session with Snowflake account {self.account} as role {role} at {schema}"


def statement_name(name: str) -> str:
    """A statement as messages name it."""
    return f"sql/{name}.sql" if "/" in name else name


def statement_error(name: str, place: Place, error: errors.Error) -> PipelineError:
    """The error of a statement as the run handles it."""
    where, says = statement_name(name), snowflake_text(error.msg)
    text = f"Snowflake refused {where} ({place}): {says}"
    if error.errno in ADVICE:
        kind = SnowflakeObjectNotFound if error.errno == NOT_FOUND else ConfigurationError
        advice, code = ADVICE[error.errno]
        return kind(f"{text}. What to do: {advice}", code)
    if error.errno == LOCK_TIMEOUT:
        return LockTimeout(text, Code.SNOWFLAKE_LOCKED)
    status = _http_status(error.errno)
    if 400 <= status < 500 and status not in MAY_PASS:  # noqa: PLR2004 - the client's errors in HTTP
        advice = SPLIT if status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE else ALLOW
        return ConfigurationError(f"{text}. What to do: {advice}", Code.SNOWFLAKE_REFUSED)
    lost = isinstance(error, errors.OperationalError) or not isinstance(error, errors.DatabaseError)
    if error.errno in TIMED_OUT:
        return Transient(f"Snowflake did not finish {where} in time: {says}. {SLOW}", Code.SNOWFLAKE_SLOW)
    if lost or error.errno == TRANSACTION_ENDED or error.sqlstate == ABORTED:
        return Transient(f"Snowflake did not finish {where}: {says}", Code.SNOWFLAKE_UNAVAILABLE)
    return StopRun(text, Code.SNOWFLAKE_REFUSED)


def login_error(place: Place, error: errors.Error) -> PipelineError:
    """The error of a login as the run handles it."""
    text = f"{place.no_session}: {snowflake_text(error.msg)}"
    if isinstance(error, errors.OperationalError):
        return Transient(f"{text}. Snowflake did not answer: run again", Code.SNOWFLAKE_UNAVAILABLE)
    return ConfigurationError(
        f"{text}. What to do: correct user, key, role or account of the block, the network policy, "
        "or what a proxy or firewall allows",
        Code.SNOWFLAKE_LOGIN,
    )


def _http_status(errno: int | None) -> int:
    """The HTTP status that an error number stands for, otherwise 0; Snowflake's own errors come with 200."""
    return errno % HTTP_ERRORS if errno and errno >= HTTP_ERRORS else 0
