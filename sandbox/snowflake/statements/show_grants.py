"""SHOW GRANTS and SHOW FUTURE GRANTS."""

import re

from sqlglot import exp

from sandbox.snowflake import errors
from sandbox.snowflake.state.grants import Grants, Securable
from sandbox.snowflake.state.session import Session
from sandbox.snowflake.statements.object_names import NAME, known_kind, parts, securable

PATTERN = (
    rf"SHOW\s+(?P<future>FUTURE\s+)?GRANTS\s+(?:TO\s+(?P<to>ROLE|USER)\s+(?P<who>{NAME})"
    rf"|(?:ON|IN)\s+(?P<kind>[\w\s]+?)\s+(?P<name>{NAME}))$"
)
COLUMNS = ("privilege", "granted_on", "name", "granted_to", "grantee_name")
Row = tuple[str, ...]


def rows(session: Session, match: re.Match[str]) -> str:
    """Returns SQL for the grants to a role or a user, on an object, or on future objects."""
    grants = session.account.grants
    if match["future"]:
        found = _future(grants)
    elif (match["to"] or "").upper() == "USER":
        found = _to_user(grants, match["who"])
    else:
        found = _privileges(grants)
    if match["who"]:
        found = [row for row in found if row[3:] == (match["to"].upper(), parts(match["who"])[0])]
    else:
        kind = known_kind(match["kind"])
        path = securable(kind, match["name"], (session.database, session.schema)).path
        found = [
            row for row in found if (row[1] == kind and row[2] == path) or row[2].startswith(f"{path}.<")
        ]
    if not found:
        return "SELECT " + ", ".join(f"'' AS \"{name}\"" for name in COLUMNS) + " WHERE 1 = 0"
    return (
        exp.select("*")
        .from_(exp.values(sorted(found), alias="t", columns=COLUMNS))
        .sql("snowflake", identify=True)
    )


def _to_user(grants: Grants, name: str) -> list[Row]:
    (user,) = parts(name)
    if user not in grants.users:
        raise errors.does_not_exist("User", user)
    return [("USAGE", "ROLE", role, "USER", user) for role in grants.users[user].roles]


def _privileges(grants: Grants) -> list[Row]:
    found: list[Row] = [("OWNERSHIP", *_on(one), "ROLE", role) for one, role in grants.owners.items()]
    for role, inherited in grants.roles.items():
        found += [("USAGE", "ROLE", one, "ROLE", role) for one in inherited]
    for one, by_role in grants.granted.items():
        found += _rows(*_on(one), by_role)
    return found


def _on(one: Securable) -> tuple[str, str]:
    return one.kind, one.path


def _future(grants: Grants) -> list[Row]:
    found: list[Row] = []
    for (place, kind), by_role in grants.future.items():
        found += _rows(kind, f"{place.path}.<{kind}>", by_role)
    return found


def _rows(kind: str, name: str, by_role: dict[str, set[str]]) -> list[Row]:
    return [(one, kind, name, "ROLE", role) for role, privileges in by_role.items() for one in privileges]
