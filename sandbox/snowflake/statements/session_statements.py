"""BEGIN, COMMIT, ROLLBACK, USE and ALTER SESSION; each handler returns the status message."""

import re

from fakesnow.expr import normalise_ident

from sandbox.snowflake import errors
from sandbox.snowflake.state.grants import Securable
from sandbox.snowflake.state.session import Session
from sandbox.snowflake.status import SUCCESS

# Accepted without an effect, because no result of the stand-in depends on them.
IGNORED = {"QUERY_TAG", "ABORT_DETACHED_QUERY", "STATEMENT_TIMEOUT_IN_SECONDS", "USE_CACHED_RESULT"}
IGNORED_PREFIXES = ("CLIENT_", "PYTHON_CONNECTOR_", "STATEMENT_QUEUED_")
# Parameters of which only these values are emulated.
EMULATED_VALUES = {
    "AUTOCOMMIT": {"TRUE", "FALSE"},
    "TIMEZONE": {"UTC", "ETC/UTC"},
    "TIMESTAMP_TYPE_MAPPING": {"TIMESTAMP_NTZ"},
    "QUOTED_IDENTIFIERS_IGNORE_CASE": {"FALSE"},
    "MULTI_STATEMENT_COUNT": {"1"},
    "DATE_INPUT_FORMAT": {"AUTO"},
    "TIMESTAMP_INPUT_FORMAT": {"AUTO"},
}


def set_parameter(session: Session, name: str, value: str) -> None:
    """Sets a session parameter; raises for one that would change results and is not emulated."""
    name, value = name.upper(), value.strip("'")
    if name == "LOCK_TIMEOUT":
        session.lock_timeout = float(value)
    elif name in EMULATED_VALUES:
        if value.upper() not in EMULATED_VALUES[name]:
            raise errors.not_emulated(f"{name}={value}, only {sorted(EMULATED_VALUES[name])}")
        if name == "AUTOCOMMIT":
            session.end("COMMIT")
            session.autocommits = value.upper() == "TRUE"
    elif name not in IGNORED and not name.startswith(IGNORED_PREFIXES):
        raise errors.not_emulated(f"the session parameter {name}")


def begin(session: Session, match: re.Match[str]) -> str:
    """Opens a transaction."""
    del match
    session.begin()
    return SUCCESS


def end(session: Session, match: re.Match[str]) -> str:
    """Commits or rolls back; the session accepts statements again."""
    session.refusal = None
    session.end(match["how"].upper())
    return SUCCESS


def alter_session(session: Session, match: re.Match[str]) -> str:
    """Sets session parameters."""
    for name, value in re.findall(r"(\w+)\s*=\s*('[^']*'|[\w.]+)", match["settings"]):
        set_parameter(session, name, value)
    return SUCCESS


def use_role(session: Session, match: re.Match[str]) -> str:
    """Sets the current role, which must be granted to the user."""
    name = normalise_ident(match["name"])
    if name not in session.account.grants.roles:
        raise errors.does_not_exist("Role", name)
    if not session.account.grants.may_be(session.user, name):
        message = (
            f"SQL access control error:\nRequested role '{name}' is not assigned to the executing user. "
            "Specify another role to activate."
        )
        raise errors.failure(3013, "42501", message)
    session.role = name
    return SUCCESS


def use_warehouse(session: Session, match: re.Match[str]) -> str:
    """Sets the current virtual warehouse."""
    name = normalise_ident(match["name"])
    if not session.account.grants.allows(session.role, ("USAGE",), Securable("WAREHOUSE", (name,))):
        raise errors.cannot_be_performed()
    session.warehouse = name
    return SUCCESS


def use_database(session: Session, match: re.Match[str]) -> str:
    """Sets the current database, and its schema PUBLIC if it exists."""
    database, schema = session.account.namespace(match["name"], None)
    if database is None:
        raise errors.does_not_exist("Database", normalise_ident(match["name"]))
    session.use(database, schema)
    return SUCCESS


def current_region(session: Session, match: re.Match[str]) -> str:
    """Returns SQL for the region of the account, in which its queue for pipes is."""
    del session
    return f"SELECT 'AWS_US_EAST_1' AS {match['name']}"
