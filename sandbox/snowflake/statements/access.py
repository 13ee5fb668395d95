"""Whether a role may execute a statement, and what becomes of the objects that it creates or drops."""

from typing import NamedTuple

from snowflake.connector.errors import ProgrammingError

from sandbox.snowflake import errors
from sandbox.snowflake.state.grants import ACCOUNT, IN_SCHEMA, Grants, Thing
from sandbox.snowflake.statements.grant_statements import parts, thing
from sandbox.snowflake.statements.needs import RELATION, Need, Statement

SHOWN_TO_ALL = {"ACCOUNT", "ROLE", "USER"}


class Actor(NamedTuple):
    """Who executes a statement: role, current database and schema, virtual warehouse."""

    role: str
    database: str | None
    schema: str | None
    warehouse: str | None


def check(grants: Grants, actor: Actor, statement: Statement) -> None:
    """Raises Snowflake's error if the role lacks a privilege; the engine finds that an object is missing."""
    for need in statement.needs:
        _check(grants, actor, need)
    warehouse = Thing("WAREHOUSE", (actor.warehouse or "",))
    if statement.computes and not grants.allows(actor.role, ("USAGE",), warehouse):
        message = (
            "No active warehouse selected in the current session.  "
            "Select an active warehouse with the 'use warehouse' command."
        )
        raise errors.failure(606, "57P03", message)


def _check(grants: Grants, actor: Actor, need: Need) -> None:
    found = _found(grants, actor, need)
    if found is None or (found != ACCOUNT and found not in grants.owners):
        return
    for container in _containers(found):
        if not grants.sees(actor.role, container):
            raise errors.does_not_exist(container.kind.capitalize(), container.path)
    if grants.allows(actor.role, need.privileges, found):
        return
    if "MANAGE GRANTS" in need.privileges and grants.allows(actor.role, ("MANAGE GRANTS",), ACCOUNT):
        return
    raise _denied(grants, actor.role, need, found)


def _found(grants: Grants, actor: Actor, need: Need) -> Thing | None:
    """The object as it is known; None without a current schema, which the engine will miss."""
    place = (actor.database, actor.schema)
    missing = {RELATION, *IN_SCHEMA, "SCHEMA"} if None in place else set()
    if need.kind in missing and need.name.count(".") < (1 if need.kind == "SCHEMA" else 2):
        return None
    if need.kind == RELATION:
        return grants.relation(parts(need.name, place))
    return thing(need.kind, need.name, place)


def _containers(found: Thing) -> list[Thing]:
    if found.kind in IN_SCHEMA:
        return [Thing("DATABASE", found.name[:1]), Thing("SCHEMA", found.name[:2])]
    return [Thing("DATABASE", found.name[:1])] if found.kind == "SCHEMA" else []


def _denied(grants: Grants, role: str, need: Need, found: Thing) -> ProgrammingError:
    """The error in Snowflake's words: an object on which a role has no privilege does not exist for it."""
    if found.kind not in SHOWN_TO_ALL and not grants.sees(role, found):
        kind = RELATION if need.kind == RELATION else found.kind
        return errors.does_not_exist(kind.capitalize(), found.path)
    message = (
        f"SQL access control error:\nInsufficient privileges to operate on {found.kind.lower()} "
        f"'{found.name[-1] if found.name else 'ACCOUNT'}'.\nYour primary role {role} must have "
        f"{need.privileges[0]} granted on {found.kind} {found.path}".rstrip()
        + "."
    )
    return errors.failure(3001, "42501", message)


def apply(grants: Grants, actor: Actor, statement: Statement) -> None:
    """Notes the owner of what a statement has created, and forgets what it has dropped."""
    effect = statement.effect
    if effect is None or effect.kind in ("ROLE", "USER"):
        return
    target = thing(effect.kind, effect.name, (actor.database, actor.schema))
    if effect.verb == "DROP":
        grants.drop(target)
        return
    grants.create(target, actor.role, replace=effect.replace, copy_grants=effect.copy_grants)
    if effect.kind == "DATABASE":
        grants.create(Thing("SCHEMA", (*target.name, "PUBLIC")), actor.role)
