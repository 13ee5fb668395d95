"""Dispatches a statement: raises an error, executes it here, or leaves it to fakesnow."""

import re
from collections.abc import Callable

from sandbox.snowflake import errors
from sandbox.snowflake.pipes import ddl
from sandbox.snowflake.state.session import Session
from sandbox.snowflake.statements import account_statements, session_statements, show_grants, show_objects
from sandbox.snowflake.status import SUCCESS, status

Handler = Callable[[Session, re.Match[str]], str]

COMMENTS = re.compile(r"(?:\s+|--[^\n]*(?:\n|$)|/\*.*?\*/)*", re.DOTALL)
CREATE = r"CREATE\s+(?:OR\s+REPLACE\s+)?"

# Statements that are accepted without an effect.
NO_OPS = [
    rf"({CREATE}|ALTER\s+|DROP\s+)WAREHOUSE\s",
    r"USE\s+SECONDARY\s+ROLES?\s",
]

# Statements that fakesnow does not support, or executes wrongly without an error.
NOT_EMULATED = [
    r"CREATE\s+OR\s+ALTER\s",
    r"ALTER\s+TABLE\s.*\sSWAP\s+WITH\s",
    r"ALTER\s+TABLE\s.*\sADD\s+(CONSTRAINT|PRIMARY|UNIQUE|FOREIGN)\s",
    r"(CREATE|ALTER|DROP|DESC|DESCRIBE|SHOW|EXECUTE)\b.*?\b(PROCEDURES?|TASKS?|STREAMS?|NOTIFICATION)\b",
    r"CREATE\s+(OR\s+REPLACE\s+)?(DYNAMIC|EXTERNAL|HYBRID|ICEBERG|MATERIALIZED|SECURE)\s",
    r"CREATE\s+(OR\s+REPLACE\s+)?TRANSIENT\s+(?!TABLE\s)",
    r"CREATE\s.*\sCLONE\s",
    r"ALTER\s+(TABLE|VIEW)\s.*\sRENAME\s+TO\s",
    r"(CALL|PUT|GET|LIST|LS|REMOVE|RM|EXECUTE|UNDROP|DECLARE|SET|UNSET)\s",
    r"SELECT\s.*\sFROM\s+@",
    r"SELECT\s.*\b(METADATA\$\w+|LOAD_HISTORY|VALIDATE_PIPE_LOAD|SYSTEM\$(?!PIPE_STATUS\b)\w+)",
    r"SELECT\s.*\s(AT|BEFORE)\s*\(\s*(TIMESTAMP|OFFSET|STATEMENT|STREAM)\s*=>",
    r"COPY\s+INTO\s+[@']",
]

# Statements that commit an open transaction.
DDL = re.compile(r"(CREATE|DROP|GRANT|REVOKE|COMMENT|ALTER)\s+(?!SESSION)", re.IGNORECASE)

# Statements that open a transaction in a session without AUTOCOMMIT.
DML = re.compile(r"(INSERT|UPDATE|DELETE|MERGE|COPY|TRUNCATE)\s", re.IGNORECASE)


# Handlers that return the message of the status row.
WITH_STATUS: list[tuple[str, Handler]] = [
    (r"(BEGIN|START)(\s+(WORK|TRANSACTION))?(\s+NAME\s+\w+)?$", session_statements.begin),
    (r"(?P<how>COMMIT|ROLLBACK)(\s+WORK)?$", session_statements.end),
    (r"ALTER\s+SESSION\s+SET\s+(?P<settings>.+)", session_statements.alter_session),
    (r"USE\s+ROLE\s+(?P<name>\S+)", session_statements.use_role),
    (r"USE\s+WAREHOUSE\s+(?P<name>\S+)", session_statements.use_warehouse),
    (r"USE\s+(?!SCHEMA\s)(?:DATABASE\s+)?(?P<name>[^\s.]+)$", session_statements.use_database),
    (r"(GRANT|REVOKE)\s.*", account_statements.change_grants),
    (rf"({CREATE}|ALTER\s+|DROP\s+)(ROLE|USER)\s.*", account_statements.change_grants),
    (
        r"CREATE\s+DATABASE\s+(?P<exists>IF\s+NOT\s+EXISTS\s+)?(?P<name>\S+)",
        account_statements.create_database,
    ),
    (account_statements.DROP_DATABASE, account_statements.drop_database),
    (rf"{CREATE}STORAGE\s+INTEGRATION\s+.*", account_statements.create_integration),
    (account_statements.ALTER_INTEGRATION, account_statements.alter_integration),
    (account_statements.DROP_INTEGRATION, account_statements.drop_integration),
    (ddl.CREATE, ddl.create_pipe),
    (ddl.DROP, ddl.drop_pipe),
    (ddl.ALTER, ddl.alter_pipe),
]

# Handlers that return SQL for the rows. The last one refuses all other statements about pipes.
WITH_ROWS: list[tuple[str, Handler]] = [
    (r"DESC(RIBE)?\s+(STORAGE\s+)?INTEGRATION\s+(?P<name>\S+)", account_statements.describe_integration),
    (show_grants.PATTERN, show_grants.rows),
    (show_objects.SHOW, show_objects.show),
    (show_objects.DESCRIBE_USER, show_objects.describe_user),
    (r"SELECT\s+CURRENT_REGION\(\)\s+AS\s+(?P<name>\w+)$", session_statements.current_region),
    (ddl.SHOW, ddl.show_pipes),
    (ddl.OTHER_STATEMENTS, ddl.refuse),
]


def plain(command: str) -> str:
    """Returns the statement without leading comments and the final semicolon."""
    start = COMMENTS.match(command)
    return command[start.end() if start else 0 :].rstrip().rstrip(";").rstrip()


def replacement(session: Session, command: str) -> str | None:
    """Returns SQL for the result, or None if fakesnow runs the statement; raises if it is not emulated."""
    if any(pattern.match(command) for pattern in _NOT_EMULATED):
        raise errors.not_emulated(" ".join(command.split()[:4]) + " …")
    if DDL.match(command):
        session.end("COMMIT")
    if any(pattern.match(command) for pattern in _NO_OPS):
        return status(SUCCESS)
    for pattern, handler in _WITH_STATUS:
        if match := pattern.match(command):
            return status(handler(session, match))
    for pattern, handler in _WITH_ROWS:
        if match := pattern.match(command):
            return handler(session, match)
    return None


def _compile(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE | re.DOTALL)


_NO_OPS = [_compile(pattern) for pattern in NO_OPS]
_NOT_EMULATED = [_compile(pattern) for pattern in NOT_EMULATED]
_WITH_STATUS = [(_compile(pattern), handler) for pattern, handler in WITH_STATUS]
_WITH_ROWS = [(_compile(pattern), handler) for pattern, handler in WITH_ROWS]
