"""What happens to a statement before fakesnow sees it: refused, answered here, or passed on."""

import re
from collections.abc import Callable

import sqlglot
from fakesnow.expr import normalise_ident
from sqlglot import exp

from sandbox.snowflake import errors, pipe_statements, stages
from sandbox.snowflake.parameters import set_parameter
from sandbox.snowflake.session import Session

Handler = Callable[[Session, re.Match[str]], str]

COMMENTS = re.compile(r"(?:\s+|--[^\n]*(?:\n|$)|/\*.*?\*/)*", re.DOTALL)
SUCCESS = "Statement executed successfully."
CREATE = r"CREATE\s+(?:OR\s+REPLACE\s+)?"

# statements whose effect nothing here can see
NO_OPS = [
    r"(GRANT|REVOKE)\s",
    rf"({CREATE}|ALTER\s+|DROP\s+)(WAREHOUSE|USER)\s",
    r"ALTER\s+ROLE\s",
    r"USE\s+SECONDARY\s+ROLES?\s",
]

# fakesnow does these wrongly without a word, or not at all
NOT_EMULATED = [
    r"CREATE\s+OR\s+ALTER\s",
    r"ALTER\s+TABLE\s.*\sSWAP\s+WITH\s",
    r"ALTER\s+TABLE\s.*\sADD\s+(CONSTRAINT|PRIMARY|UNIQUE|FOREIGN)\s",
    r"(CREATE|ALTER|DROP|DESC|DESCRIBE|SHOW|EXECUTE)\b.*?\b(PROCEDURES?|TASKS?|STREAMS?|NOTIFICATION)\b",
    r"CREATE\s+(OR\s+REPLACE\s+)?(DYNAMIC|EXTERNAL|HYBRID|ICEBERG|MATERIALIZED|SECURE)\s",
    r"CREATE\s+(OR\s+REPLACE\s+)?TRANSIENT\s+(?!TABLE\s)",
    r"CREATE\s.*\sCLONE\s",
    r"(CALL|PUT|GET|LIST|LS|REMOVE|RM|EXECUTE|UNDROP|DECLARE|SET|UNSET)\s",
    r"SELECT\s.*\sFROM\s+@",
    r"SELECT\s.*\b(METADATA\$\w+|LOAD_HISTORY|VALIDATE_PIPE_LOAD|SYSTEM\$(?!PIPE_STATUS\b)\w+)",
    r"SELECT\s.*\s(AT|BEFORE)\s*\(\s*(TIMESTAMP|OFFSET|STATEMENT|STREAM)\s*=>",
    r"COPY\s+INTO\s+[@']",
]

# statements that commit an open transaction
DDL = re.compile(r"(CREATE|DROP|GRANT|REVOKE|COMMENT|ALTER)\s+(?!SESSION)", re.IGNORECASE)

# statements that open a transaction where the session does not commit by itself
DML = re.compile(r"(INSERT|UPDATE|DELETE|MERGE|COPY|TRUNCATE)\s", re.IGNORECASE)


def plain(command: str) -> str:
    """Return the statement without leading comments and the final semicolon."""
    start = COMMENTS.match(command)
    return command[start.end() if start else 0 :].rstrip().rstrip(";").rstrip()


def answer(session: Session, command: str) -> str | None:
    """Return the SQL of the answer, if the stand-in has one; raise for what is not emulated."""
    for pattern in _NOT_EMULATED:
        if pattern.match(command):
            raise errors.not_emulated(" ".join(command.split()[:4]) + " …")
    if DDL.match(command):
        session.end("COMMIT")
    if any(pattern.match(command) for pattern in _NO_OPS):
        return status(SUCCESS)
    for pattern, handler in _HANDLERS:
        if match := pattern.match(command):
            return handler(session, match)
    return None


def status(message: str) -> str:
    """Return SQL for the single row that most statements answer with."""
    return f'SELECT {exp.Literal.string(message).sql()} AS "status"'


def _begin(session: Session, match: re.Match[str]) -> str:
    del match
    session.begin()
    return status(SUCCESS)


def _end(session: Session, match: re.Match[str]) -> str:
    session.refusal = None
    session.end(match["how"].upper())
    return status(SUCCESS)


def _alter_session(session: Session, match: re.Match[str]) -> str:
    for name, value in re.findall(r"(\w+)\s*=\s*('[^']*'|[\w.]+)", match["settings"]):
        set_parameter(session, name, value)
    return status(SUCCESS)


def _create_role(session: Session, match: re.Match[str]) -> str:
    name = normalise_ident(match["name"])
    if name not in session.account.roles or match["replace"]:
        session.account.roles.add(name)
        return status(f"Role {name} successfully created.")
    if not match["exists"]:
        raise errors.already_exists(name)
    return status(f"{name} already exists, statement succeeded.")


def _drop_role(session: Session, match: re.Match[str]) -> str:
    name = normalise_ident(match["name"])
    if name not in session.account.roles and not match["exists"]:
        raise errors.does_not_exist("Role", name)
    session.account.roles.discard(name)
    return status(f"{name} successfully dropped.")


def _use_role(session: Session, match: re.Match[str]) -> str:
    name = normalise_ident(match["name"])
    if name not in session.account.roles:
        raise errors.does_not_exist("Role", name)
    session.role = name
    return status(SUCCESS)


def _use_warehouse(session: Session, match: re.Match[str]) -> str:
    session.warehouse = normalise_ident(match["name"])
    return status(SUCCESS)


def _use_database(session: Session, match: re.Match[str]) -> str:
    database, schema = session.account.namespace(match["name"], None)
    if database is None:
        raise errors.does_not_exist("Database", normalise_ident(match["name"]))
    session.use(database, schema)
    return status(SUCCESS)


def _create_database(session: Session, match: re.Match[str]) -> str:
    name = normalise_ident(match["name"])
    with session.account.definitions:
        created = session.account.create_database(name)
    if not created and not match["exists"]:
        raise errors.already_exists(name)
    if not created:
        return status(f"{name} already exists, statement succeeded.")
    session.use(name, "PUBLIC")
    return status(f"Database {name} successfully created.")


def _create_integration(session: Session, match: re.Match[str]) -> str:
    create = sqlglot.parse_one(match[0], read="snowflake")
    if not isinstance(create, exp.Create):
        raise errors.not_emulated("this form of CREATE STORAGE INTEGRATION")
    return status(stages.create_integration(session, create))


def _describe_integration(session: Session, match: re.Match[str]) -> str:
    rows = stages.describe_integration(session, normalise_ident(match["name"]))
    columns = ("property", "property_type", "property_value", "property_default")
    return (
        exp.select("*")
        .from_(exp.values(rows, alias="t", columns=columns))
        .sql(dialect="snowflake", identify=True)
    )


def _status_of(handler: Handler) -> Handler:
    return lambda session, match: status(handler(session, match))


def _compile(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE | re.DOTALL)


_NO_OPS = [_compile(pattern) for pattern in NO_OPS]
_NOT_EMULATED = [_compile(pattern) for pattern in NOT_EMULATED]
_HANDLERS: list[tuple[re.Pattern[str], Handler]] = [
    (_compile(r"(BEGIN|START)(\s+(WORK|TRANSACTION))?(\s+NAME\s+\w+)?$"), _begin),
    (_compile(r"(?P<how>COMMIT|ROLLBACK)(\s+WORK)?$"), _end),
    (_compile(r"ALTER\s+SESSION\s+SET\s+(?P<settings>.+)"), _alter_session),
    (
        _compile(
            r"CREATE\s+(?P<replace>OR\s+REPLACE\s+)?ROLE\s+(?P<exists>IF\s+NOT\s+EXISTS\s+)?(?P<name>\S+)"
        ),
        _create_role,
    ),
    (_compile(r"DROP\s+ROLE\s+(?P<exists>IF\s+EXISTS\s+)?(?P<name>\S+)"), _drop_role),
    (_compile(r"USE\s+ROLE\s+(?P<name>\S+)"), _use_role),
    (_compile(r"USE\s+WAREHOUSE\s+(?P<name>\S+)"), _use_warehouse),
    (_compile(r"USE\s+(?!SCHEMA\s)(?:DATABASE\s+)?(?P<name>[^\s.]+)$"), _use_database),
    (_compile(r"CREATE\s+DATABASE\s+(?P<exists>IF\s+NOT\s+EXISTS\s+)?(?P<name>\S+)"), _create_database),
    (_compile(rf"{CREATE}STORAGE\s+INTEGRATION\s+.*"), _create_integration),
    (_compile(r"DESC(RIBE)?\s+(STORAGE\s+)?INTEGRATION\s+(?P<name>\S+)"), _describe_integration),
    (_compile(pipe_statements.CREATE), _status_of(pipe_statements.create_pipe)),
    (_compile(pipe_statements.DROP), _status_of(pipe_statements.drop_pipe)),
    (_compile(pipe_statements.ALTER), _status_of(pipe_statements.alter_pipe)),
    (_compile(pipe_statements.SHOW), pipe_statements.show_pipes),
    (_compile(pipe_statements.OTHERS), pipe_statements.refuse),
]
