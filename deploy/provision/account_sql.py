"""Statements of sql/account, and what holds after each, in a form that can be compared with SHOW."""

import re
from collections.abc import Iterator
from io import StringIO

from snowflake.connector.util_text import split_statements

from deploy.account_grants import read_grant
from pipeline.warehouse.sql_files import literal, read_sql

Fact = tuple[str, ...]
"""Object: `("ROLE", "SPOTIFY_OWNER")`. Grant: `("USAGE", "DATABASE", "SPOTIFY", "SPOTIFY_OWNER")`."""

CREATE = re.compile(
    r"CREATE (DATABASE|SCHEMA|WAREHOUSE|ROLE|USER|STORAGE INTEGRATION) IF NOT EXISTS ([\w.]+)", re.IGNORECASE
)
FUTURE = "FUTURE "


def account_statements(name: str, **parts: str) -> list[str]:
    """The statements of `sql/account/<name>.sql` without comments; `parts` are filled in as literals."""
    text = read_sql(f"account/{name}", **{part: literal(value) for part, value in parts.items()})
    found = (statement for statement, _ in split_statements(StringIO(text), remove_comments=True))
    plain = (" ".join((statement or "").split()).rstrip("; ") for statement in found)
    return [statement for statement in plain if statement]


def facts(statement: str) -> frozenset[Fact]:
    """Facts that hold after the statement; none for USE ROLE, which only changes the session."""
    return frozenset(_facts(statement))


def described(statement: str) -> str:
    """The object or grant, for a line of the plan."""
    if match := CREATE.match(statement):
        return f"{match[1].lower()} {match[2].upper()}"
    return re.sub(r"^GRANT ", "grant ", statement)


def _facts(statement: str) -> Iterator[Fact]:
    if match := CREATE.match(statement):
        yield match[1].removeprefix("STORAGE "), match[2].upper()
    elif not statement.startswith("USE ROLE "):
        grant = read_grant(statement, {})
        kind = f"{FUTURE}{grant.kind}" if grant.future else grant.kind
        for privilege in grant.privileges:
            yield privilege, kind, grant.name, grant.who
