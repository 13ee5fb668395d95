"""Checks of the schema owner's role: the grants of `sql/account`, and those it inherits."""

from contextlib import ExitStack
from functools import partial

from pipeline.errors import Code, ConfigurationError
from pipeline.preflight.checks import Checklist
from pipeline.preflight.integration import INTEGRATION, describe_integration
from pipeline.warehouse.session import Session
from pipeline.warehouse.sql_files import identifier

LOGIN = "set-up: log in"
CREATES = ("CREATE TABLE", "CREATE VIEW", "CREATE STAGE", "CREATE FILE FORMAT", "CREATE PIPE")
Granted = set[tuple[str, str, str]]
"""Privilege, kind and name of the object."""


def check_owner(checks: Checklist, session: Session, warehouse: str, tables_url: str) -> None:
    """Checks the privileges that set-up and upgrades need, and that the integration allows the lake.

    `warehouse`: virtual warehouse of the block. `tables_url`: URL of the lake's `tables/`.
    """
    with ExitStack() as stack:
        checks.check(LOGIN, lambda: str(stack.enter_context(session).place))
        place = session.place
        granted: Granted = set()
        find = "set-up: grants of the role"
        checks.check(find, partial(_find_grants, session, granted), [LOGIN])
        schema = f"{place.database}.{place.schema}".upper()
        wanted = [
            ("USAGE", "WAREHOUSE", warehouse.upper()),
            ("USAGE", "DATABASE", place.database.upper()),
            ("USAGE", "SCHEMA", schema),
            *((privilege, "SCHEMA", schema) for privilege in CREATES),
            ("USAGE", "INTEGRATION", INTEGRATION),
        ]
        for one in wanted:
            privilege, kind, name = one
            checks.check(
                f"set-up: {privilege} on {kind} {name}", partial(_expect, session, granted, one), [find]
            )
        checks.check("set-up: integration", partial(_describe, session, tables_url), [LOGIN])


def _find_grants(session: Session, granted: Granted) -> str:
    """Adds the grants of the role and of the roles that it inherits."""
    ((role, *_),) = session.execute("preflight/find_session")
    todo, seen = [role], set[str]()
    while todo:
        one = todo.pop()
        seen.add(one)
        for row in session.rows("preflight/find_granted_to_role", role=identifier(one)):
            granted.add((row["privilege"], row["granted_on"], row["name"]))
            if row["granted_on"] == "ROLE" and row["name"] not in seen:
                todo.append(row["name"])
    return f"{len(granted)} grants"


def _describe(session: Session, tables_url: str) -> str:
    describe_integration(session, tables_url)
    return f"may read {tables_url}"


def _expect(session: Session, granted: Granted, wanted: tuple[str, str, str]) -> str:
    privilege, kind, name = wanted
    if wanted in granted or ("OWNERSHIP", kind, name) in granted:
        return "granted"
    role = session.place.role
    message = (
        f"role {role}, which sets up the schema, lacks {privilege} on {kind} {name}. "
        f"GRANT {privilege} ON {kind} {name} TO ROLE {role}, or make the block warehouse-admin with a role "
        "that has it"
    )
    raise ConfigurationError(message, Code.SNOWFLAKE_DENIED)
