"""Whether a role may execute a statement, and what becomes of the objects that it creates or drops."""

from typing import NamedTuple

from sandbox.snowflake import errors
from sandbox.snowflake.state.grants import ACCOUNT, Grants, Thing
from sandbox.snowflake.statements.needs import RELATION, Need, Statement
from sandbox.snowflake.statements.object_names import parts, thing


class Actor(NamedTuple):
    """Who executes a statement: role, current database and schema, virtual warehouse."""

    role: str
    database: str | None
    schema: str | None
    warehouse: str | None


def check(grants: Grants, actor: Actor, statement: Statement) -> None:
    """Raises Snowflake's error if the role lacks a privilege, or the object is missing."""
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
    place, relation = (actor.database, actor.schema), need.kind == RELATION
    found = grants.relation(parts(need.name, place)) if relation else thing(need.kind, need.name, place)
    if str(None) in found.name:
        return  # the engine will miss the current schema
    missing = found != ACCOUNT and found not in grants.owners
    if missing and (need.if_exists or "ACCOUNTADMIN" in grants.closure(actor.role)):
        return  # the engine will miss the object
    grants.require(actor.role, need.privileges, found, "Object" if relation else "")


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
