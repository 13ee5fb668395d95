"""Checks of the grants of sql/account, from what SHOW GRANTS lists for the current role.

Privileges that a role inherits from another role are not included.
"""

from collections.abc import Iterator
from functools import partial
from typing import NamedTuple

from deploy.account_grants import AccountGrant
from pipeline.errors import Code, ConfigurationError, PipelineError
from pipeline.preflight.checks import Checklist, NotVisible
from pipeline.preflight.lacking import HIDDEN
from pipeline.warehouse.session import Session
from pipeline.warehouse.sql_files import identifier


class Granted(NamedTuple):
    """A privilege, and the kind and name of the object."""

    privilege: str
    kind: str
    name: str


Shown = dict[str, set[Granted]]
"""Grants by grantee: `ROLE name`, `USER name`, or `FUTURE name` (a role's grants on future objects)."""


def check_grants(checks: Checklist, session: Session, wanted: list[AccountGrant], needs: list[str]) -> None:
    """Checks each grant: on future objects, and on the existing objects of the owner."""
    shown: Shown = {}
    owned: set[Granted] = set()
    for one in wanted:
        for key in _sources(one):
            if _show(key) not in {line.check for line in checks.lines}:
                checks.check(_show(key), partial(_find, session, key, shown), needs)
    for granted in shown.values():
        owned |= {grant for grant in granted if grant.privilege == "OWNERSHIP"}
    for one in wanted:
        run = partial(_expect, session, one, shown, owned)
        checks.check(f"Snowflake: {one}", run, [_show(key) for key in _sources(one)])


def _sources(one: AccountGrant) -> Iterator[str]:
    """Keys of `Shown` that decide whether it is granted."""
    yield f"{one.to} {one.who}"
    if one.future:
        yield f"FUTURE {one.who}"


def _show(key: str) -> str:
    kind, _, name = key.partition(" ")
    return f"Snowflake: SHOW {'FUTURE GRANTS TO ROLE' if kind == 'FUTURE' else f'GRANTS TO {kind}'} {name}"


def _find(session: Session, key: str, shown: Shown) -> str:
    kind, _, name = key.partition(" ")
    try:
        if kind == "USER":
            rows = session.rows("preflight/find_granted_to_user", user=f'"{name}"')
        else:
            file = "find_future_grants" if kind == "FUTURE" else "find_granted_to_role"
            rows = session.rows(f"preflight/{file}", role=identifier(name))
    except PipelineError as error:
        if error.code in HIDDEN:
            raise NotVisible(f"role {session.place.role} may not list grants: {error.message}") from None
        raise
    if not rows:
        message = f"it lists nothing for role {session.place.role}. Execute it as ACCOUNTADMIN"
        raise NotVisible(message)
    # SHOW FUTURE GRANTS has `grant_on` for `granted_on`; older SHOW GRANTS TO USER has only `role`
    shown[key] = {
        Granted(
            str(row.get("privilege") or "USAGE"),
            str(row.get("granted_on") or row.get("grant_on") or "ROLE").replace("_", " "),
            str(row.get("name") or row.get("role")),
        )
        for row in rows
    }
    return f"{len(rows)} grants"


def _expect(session: Session, wanted: AccountGrant, shown: Shown, owned: set[Granted]) -> str:
    granted = shown[f"{wanted.to} {wanted.who}"]
    if not wanted.future:
        return _refuse(session, wanted, list(_lacking(wanted, wanted.name, granted)), "FUTURE")
    names = {f"{wanted.name}.<{wanted.kind.replace(' ', sign)}>" for sign in " _"}
    future = {one for one in shown[f"FUTURE {wanted.who}"] if one.name in names}
    _refuse(
        session,
        wanted,
        [one for one in wanted.privileges if one not in {f.privilege for f in future}],
        "FUTURE",
    )
    there = [one.name for one in owned if one.kind == wanted.kind and one.name.startswith(f"{wanted.name}.")]
    for name in sorted(there):
        _refuse(session, wanted, list(_lacking(wanted, name, granted)), name)
    return f"{', '.join(wanted.privileges)}; also on {len(there)} that exist"


def _lacking(wanted: AccountGrant, name: str, granted: set[Granted]) -> Iterator[str]:
    for privilege in wanted.privileges:
        if not granted & {Granted(one, wanted.kind, name) for one in (privilege, "OWNERSHIP")}:
            yield privilege


def _refuse(session: Session, wanted: AccountGrant, lacking: list[str], where: str) -> str:
    """Raises if privileges are missing. `where`: `FUTURE`, or the name of an existing object."""
    if not lacking:
        return ", ".join(wanted.privileges)
    one_object = wanted.future and where != "FUTURE"
    if one_object:
        fix = f"GRANT {', '.join(lacking)} ON {wanted.kind} {where} TO ROLE {wanted.who}"
    else:
        fix = wanted.statement(tuple(lacking), "FUTURE")
    message = (
        f"{wanted.to.lower()} {wanted.who} lacks it, according to the grants visible to role "
        f"{session.place.role}. As ACCOUNTADMIN: {fix}"
    )
    raise ConfigurationError(message, Code.SNOWFLAKE_DENIED)
