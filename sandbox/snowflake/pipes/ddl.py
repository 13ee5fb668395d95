"""CREATE, DROP, ALTER and SHOW PIPE."""

import datetime as dt
import re

from fakesnow.expr import normalise_ident
from snowflake.connector.errors import ProgrammingError
from sqlglot import exp

from sandbox.snowflake import errors
from sandbox.snowflake.copy import stages
from sandbox.snowflake.pipes.definition import read_definition
from sandbox.snowflake.state.pipe import Pipe
from sandbox.snowflake.state.session import Session
from sandbox.snowflake.status import SUCCESS

CREATE = (
    r"CREATE\s+(?P<replace>OR\s+REPLACE\s+)?PIPE\s+(?P<exists>IF\s+NOT\s+EXISTS\s+)?(?P<name>[\w.\"$]+)"
    r"(?P<options>.*?)\sAS\s+(?P<copy>COPY\s+INTO\s.*)"
)
DROP = r"DROP\s+PIPE\s+(?P<exists>IF\s+EXISTS\s+)?(?P<name>\S+)$"
ALTER = (
    r"ALTER\s+PIPE\s+(?P<exists>IF\s+EXISTS\s+)?(?P<name>\S+)"
    r"\s+SET\s+PIPE_EXECUTION_PAUSED\s*=\s*(?P<paused>TRUE|FALSE)$"
)
SHOW = (
    r"SHOW\s+PIPES(?:\s+LIKE\s+'(?P<like>[^']*)')?"
    r"(?:\s+IN\b(?:\s+(?P<kind>ACCOUNT|DATABASE|SCHEMA)\b)?(?:\s+(?P<where>[\w.\"$]+))?)?$"
)
OTHER_STATEMENTS = r"(CREATE\s+(OR\s+REPLACE\s+)?|ALTER\s+|DROP\s+|DESC(RIBE)?\s+|SHOW\s+)PIPES?\b.*"
OPTION = re.compile(r"\s*(?P<name>\w+)\s*=\s*(?P<value>'(?:[^']|'')*'|\w+)", re.DOTALL)
SHOWN_COLUMNS = [
    "created_on",
    "name",
    "database_name",
    "schema_name",
    "definition",
    "owner",
    "notification_channel",
    "comment",
    "integration",
    "pattern",
    "error_integration",
    "owner_role_type",
    "invalid_reason",
    "kind",
]


def create_pipe(session: Session, match: re.Match[str]) -> str:
    """Creates a pipe, which loads files that arrive from now on."""
    name = stages.qualified(session, match["name"])
    pipes = session.account.pipes
    known = name in {pipe.name for pipe in pipes.existing()}
    if known and match["exists"]:
        return f"{name[2]} already exists, statement succeeded."
    if known and not match["replace"]:
        raise errors.already_exists(name[2])
    comment = _comment(match["options"])
    inside = session.sessions.open(*session.account.namespace(*name[:2]))
    try:
        definition = read_definition(inside, match["copy"])
    finally:
        session.sessions.close(inside)
    session.account.channel.listen()
    pipe = Pipe(name, match["copy"], definition, comment, session.role, dt.datetime.now(dt.UTC))
    with pipes.lock:
        pipes.by_name[name] = pipe
    return f"Pipe {name[2]} successfully created."


def _comment(options: str) -> str | None:
    """Returns the comment; raises for options other than AUTO_INGEST = TRUE and COMMENT."""
    found = {each["name"].upper(): each["value"] for each in OPTION.finditer(options)}
    if OPTION.sub("", options).strip() or found.keys() - {"AUTO_INGEST", "COMMENT"}:
        raise errors.not_emulated(f"these options of a pipe: {options.strip()}")
    if found.get("AUTO_INGEST", "FALSE").upper() != "TRUE":
        raise errors.not_emulated("a pipe without AUTO_INGEST = TRUE")
    return found["COMMENT"][1:-1].replace("''", "'") if "COMMENT" in found else None


def find_pipe(session: Session, name: str) -> Pipe:
    """Returns the pipe; raises Snowflake's error if it does not exist."""
    full = stages.qualified(session, name)
    for pipe in session.account.pipes.existing():
        if pipe.name == full:
            return pipe
    raise errors.does_not_exist("Pipe", name)


def drop_pipe(session: Session, match: re.Match[str]) -> str:
    """Drops a pipe with its queue and its load metadata."""
    name = stages.qualified(session, match["name"])
    pipes = session.account.pipes
    with pipes.lock:
        dropped = pipes.by_name.pop(name, None)
    if dropped is None and not match["exists"]:
        raise errors.does_not_exist("Pipe", match["name"])
    if dropped is None:
        return f"Drop statement executed successfully ({name[2]} already dropped)."
    return f"{name[2]} successfully dropped."


def alter_pipe(session: Session, match: re.Match[str]) -> str:
    """Pauses or resumes a pipe."""
    try:
        find_pipe(session, match["name"]).paused = match["paused"].upper() == "TRUE"
    except ProgrammingError:
        if not match["exists"]:
            raise
    return SUCCESS


def show_pipes(session: Session, match: re.Match[str]) -> str:
    """Returns SQL for the matching pipes."""
    scope = _scope(session, match)
    if scope and not session.account.schema_exists(scope[0], scope[1] if scope[1:] else "MAIN"):
        raise errors.cannot_be_performed()
    like = re.escape(match["like"] or "%").replace("%", ".*").replace("_", ".")
    shown = [
        pipe
        for pipe in session.account.pipes.existing()
        if pipe.name[: len(scope)] == scope and re.fullmatch(like, pipe.name[2], re.IGNORECASE | re.DOTALL)
    ]
    rows = [_row(session, pipe) for pipe in sorted(shown, key=lambda pipe: pipe.name)]
    selects = [_select(row) for row in rows] or [_select([None] * len(SHOWN_COLUMNS)) + " WHERE 1 = 0"]
    return " UNION ALL ".join(selects)


def refuse(session: Session, match: re.Match[str]) -> str:
    """Raises for all other statements about pipes, e.g. ALTER PIPE … REFRESH."""
    del session
    raise errors.not_emulated(" ".join(match[0].split()[:4]) + " …")


def _scope(session: Session, match: re.Match[str]) -> tuple[str, ...]:
    """Returns the prefix of the names to show: (), (database,) or (database, schema)."""
    kind = (match["kind"] or "").upper()
    parts = [normalise_ident(part) for part in (match["where"] or "").split(".")]
    current = [part for part in (session.database, session.schema) if part]
    if kind == "ACCOUNT":
        return ()
    if kind == "DATABASE":
        return tuple(parts if match["where"] else current[:1])
    if not match["where"]:
        return tuple(current)
    return (*current[: 2 - len(parts)], *parts)


def _row(session: Session, pipe: Pipe) -> list[str | None]:
    database, schema, name = pipe.name
    channel, pattern = session.account.channel.arn, pipe.definition.pattern
    created = pipe.created_on.isoformat()
    described = [created, name, database, schema, pipe.sql, pipe.owner, channel, pipe.comment]
    return [*described, None, pattern, None, "ROLE", None, "STAGE"]


def _select(row: list[str | None]) -> str:
    values = [
        "CAST(NULL AS VARCHAR)" if value is None else exp.Literal.string(value).sql(dialect="snowflake")
        for value in row
    ]
    values[0] = f"CAST({values[0]} AS TIMESTAMP_TZ)"
    return "SELECT " + ", ".join(
        f'{value} AS "{name}"' for name, value in zip(SHOWN_COLUMNS, values, strict=True)
    )
