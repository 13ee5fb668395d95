"""Checks the privileges for a statement, and records the objects that it creates or drops."""

from typing import NamedTuple

from sandbox.snowflake import errors
from sandbox.snowflake.state.grants import ACCOUNT, Grants, Securable
from sandbox.snowflake.statements.needs import RELATION, Need, Statement
from sandbox.snowflake.statements.object_names import parts, securable


class Actor(NamedTuple):
    """Context of a statement: role, current database and schema, virtual warehouse."""

    role: str
    database: str | None
    schema: str | None
    warehouse: str | None


def check(grants: Grants, actor: Actor, statement: Statement) -> None:
    """Raises Snowflake's error if the role lacks a privilege or an object does not exist."""
    for need in statement.needs:
        _check(grants, actor, need)
    warehouse = Securable("WAREHOUSE", (actor.warehouse or "",))
    if statement.needs_warehouse and not grants.allows(actor.role, ("USAGE",), warehouse):
        message = (
            "No active warehouse selected in the current session.  "
            "Select an active warehouse with the 'use warehouse' command."
        )
        raise errors.failure(606, "57P03", message)


def _check(grants: Grants, actor: Actor, need: Need) -> None:
    place, relation = (actor.database, actor.schema), need.kind == RELATION
    found = grants.relation(parts(need.name, place)) if relation else securable(need.kind, need.name, place)
    if str(None) in found.name:
        return  # the engine raises the error for a missing current schema
    missing = found != ACCOUNT and found not in grants.owners
    if missing and (need.if_exists or "ACCOUNTADMIN" in grants.closure(actor.role)):
        return  # the engine raises the error for a missing object
    grants.require(actor.role, need.privileges, found, "Object" if relation else "")


def apply(grants: Grants, actor: Actor, statement: Statement) -> None:
    """Records the owner of a created object, or removes a dropped object."""
    effect = statement.effect
    if effect is None or effect.kind in ("ROLE", "USER"):
        return
    target = securable(effect.kind, effect.name, (actor.database, actor.schema))
    if effect.verb == "DROP":
        grants.drop(target)
        return
    grants.create(target, actor.role, replace=effect.replace, copy_grants=effect.copy_grants)
    if effect.kind == "DATABASE":
        grants.create(Securable("SCHEMA", (*target.name, "PUBLIC")), actor.role)
