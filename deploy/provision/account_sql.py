"""What the statements of sql/account bring about, as facts that SHOW returns too."""

import re
from collections.abc import Iterator
from io import StringIO

from snowflake.connector.util_text import split_statements

from deploy.account_grants import read_grant
from pipeline.warehouse.sql_files import literal, read_sql

Fact = tuple[str, ...]
"""`("ROLE", "SPOTIFY_OWNER")` exists; `("USAGE", "DATABASE", "SPOTIFY", "SPOTIFY_OWNER")` is granted."""

CREATE = re.compile(
    r"CREATE (DATABASE|SCHEMA|WAREHOUSE|ROLE|USER|STORAGE INTEGRATION) IF NOT EXISTS ([\w.]+)", re.IGNORECASE
)
FUTURE = "FUTURE "


def account_statements(name: str, **parts: str) -> list[str]:
    """The statements of `sql/account/<name>.sql` with the parts filled in as literals, without comments."""
    text = read_sql(f"account/{name}", **{part: literal(value) for part, value in parts.items()})
    found = (statement for statement, _ in split_statements(StringIO(text), remove_comments=True))
    plain = (" ".join((statement or "").split()).rstrip("; ") for statement in found)
    return [statement for statement in plain if statement]


def facts(statement: str) -> frozenset[Fact]:
    """What holds once the statement was executed; nothing for one that only sets the session's role."""
    return frozenset(_facts(statement))


def described(statement: str) -> str:
    """The statement as a line of the plan."""
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
