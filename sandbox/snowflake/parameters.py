"""Session parameters: at login and by ALTER SESSION."""

from sandbox.snowflake import errors
from sandbox.snowflake.session import Session

# accepted and without effect: nothing that the stand-in returns depends on them
HARMLESS = {"QUERY_TAG", "ABORT_DETACHED_QUERY", "STATEMENT_TIMEOUT_IN_SECONDS", "USE_CACHED_RESULT"}
HARMLESS_PREFIXES = ("CLIENT_", "PYTHON_CONNECTOR_", "STATEMENT_QUEUED_")
# only these values are emulated
FIXED = {
    "AUTOCOMMIT": {"TRUE", "FALSE"},
    "TIMEZONE": {"UTC", "ETC/UTC"},
    "TIMESTAMP_TYPE_MAPPING": {"TIMESTAMP_NTZ"},
    "QUOTED_IDENTIFIERS_IGNORE_CASE": {"FALSE"},
    "MULTI_STATEMENT_COUNT": {"1"},
    "DATE_INPUT_FORMAT": {"AUTO"},
    "TIMESTAMP_INPUT_FORMAT": {"AUTO"},
}


def set_parameter(session: Session, name: str, value: str) -> None:
    """Apply one session parameter; raise for one that would change results if it were emulated."""
    name, value = name.upper(), value.strip("'")
    if name == "LOCK_TIMEOUT":
        session.lock_timeout = float(value)
    elif name in FIXED:
        if value.upper() not in FIXED[name]:
            raise errors.not_emulated(f"{name}={value}, only {sorted(FIXED[name])}")
        if name == "AUTOCOMMIT":
            session.end("COMMIT")
            session.commits_itself = value.upper() == "TRUE"
    elif name not in HARMLESS and not name.startswith(HARMLESS_PREFIXES):
        raise errors.not_emulated(f"the session parameter {name}")
