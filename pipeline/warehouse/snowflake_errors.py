"""Translates errors of the Snowflake connector to errors of the pipeline, with the action to take."""

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
"""604: canceled, for example by the connector's timeout. 630: ended by STATEMENT_TIMEOUT_IN_SECONDS."""
LOCK_TIMEOUT = 625
TRANSACTION_ENDED = 615
ABORTED = "40001"
"""SQLSTATE of a transaction that Snowflake ended, for example because it was idle and blocked another one."""
HTTP_ERRORS = 290_000
"""The connector's error number for an HTTP status is the status plus this number, once or twice."""
RETRYABLE_STATUSES = (400, 405, 408, 425, 429)
"""Statuses of 4xx that a retry may resolve; the connector retries them, too."""
MISSING = "grant the block's role the privilege on it, or correct the block's database and schema"
NO_FILE = (
    "run again: the stage points to another lake, or the file was removed; "
    "if this continues, DELETE FROM schema_versions lets the next run recreate the stage"
)
ADVICE = {
    SYNTAX_ERROR: ("correct the file", Code.SNOWFLAKE_SQL),
    NOT_FOUND: (MISSING, Code.SNOWFLAKE_NOT_FOUND),
    904: ("add the column to the table or view, or correct the file", Code.SNOWFLAKE_SQL),
    2043: (MISSING, Code.SNOWFLAKE_NOT_FOUND),
    3001: ("grant the block's role the privilege", Code.SNOWFLAKE_DENIED),
    90105: ("correct the block's database, or grant its role USAGE on it", Code.SNOWFLAKE_NOT_FOUND),
    90106: ("correct the block's schema, or grant its role USAGE on it", Code.SNOWFLAKE_NOT_FOUND),
    606: ("correct the block's warehouse, or grant its role USAGE on it", Code.SNOWFLAKE_NOT_FOUND),
    91016: (NO_FILE, Code.SNOWFLAKE_STAGE),
}
"""Errors of Snowflake that a person can resolve, by number: the action to take, and the message's code."""


ALLOW = "a proxy or firewall refuses the request: allow the account's host there"
SPLIT = (
    "the request is larger than Snowflake or a proxy accepts: load fewer dates or playlists at once, "
    "and report it if this continues"
)
SLOW = (
    "If this continues, use a larger warehouse or a separate one for this pipeline, or set a higher "
    "network_timeout of the block (SNOWFLAKE_NETWORK_TIMEOUT)"
)


class Place(NamedTuple):
    """Account, role and schema of a session, for messages."""

    account: str
    role: str | None
    database: str
    schema: str

    def __str__(self) -> str:
        return f"role {self.role or 'of the user'}, {self.database}.{self.schema}"

    @property
    def no_session(self) -> str:
        """Start of the message about a failed login."""
        role, schema = self.role or "of the user", f"{self.database}.{self.schema}"
        return f"no session with Snowflake account {self.account} as role {role} at {schema}"


def statement_name(name: str) -> str:
    """Name of a statement in messages."""
    return f"sql/{name}.sql" if "/" in name else name


def statement_error(name: str, place: Place, error: errors.Error) -> PipelineError:
    """The error of a statement, by what the run does next."""
    where, detail = statement_name(name), snowflake_text(error.msg)
    text = f"Snowflake refused {where} ({place}): {detail}"
    if error.errno in ADVICE:
        kind = SnowflakeObjectNotFound if error.errno == NOT_FOUND else ConfigurationError
        advice, code = ADVICE[error.errno]
        return kind(f"{text}. What to do: {advice}", code)
    if error.errno == LOCK_TIMEOUT:
        return LockTimeout(text, Code.SNOWFLAKE_LOCKED)
    status = _http_status(error.errno)
    if 400 <= status < 500 and status not in RETRYABLE_STATUSES:  # noqa: PLR2004 - HTTP client errors
        advice = SPLIT if status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE else ALLOW
        return ConfigurationError(f"{text}. What to do: {advice}", Code.SNOWFLAKE_REFUSED)
    lost = isinstance(error, errors.OperationalError) or not isinstance(error, errors.DatabaseError)
    if error.errno in TIMED_OUT:
        return Transient(f"Snowflake did not finish {where} in time: {detail}. {SLOW}", Code.SNOWFLAKE_SLOW)
    if lost or error.errno == TRANSACTION_ENDED or error.sqlstate == ABORTED:
        return Transient(f"Snowflake did not finish {where}: {detail}", Code.SNOWFLAKE_UNAVAILABLE)
    return StopRun(text, Code.SNOWFLAKE_REFUSED)


def login_error(place: Place, error: errors.Error) -> PipelineError:
    """The error of a login, by what the run does next."""
    text = f"{place.no_session}: {snowflake_text(error.msg)}"
    if isinstance(error, errors.OperationalError):
        return Transient(f"{text}. Snowflake did not respond: run again", Code.SNOWFLAKE_UNAVAILABLE)
    return ConfigurationError(
        f"{text}. What to do: correct user, key, role or account of the block, the network policy, "
        "or the rules of a proxy or firewall",
        Code.SNOWFLAKE_LOGIN,
    )


def _http_status(errno: int | None) -> int:
    """The HTTP status in an error number, or 0: Snowflake's own errors have status 200."""
    return errno % HTTP_ERRORS if errno and errno >= HTTP_ERRORS else 0
