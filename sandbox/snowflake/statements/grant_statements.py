"""Executes statements about roles, users and grants on a `Grants` object, without a session."""

import re
from collections.abc import Callable

from sandbox.snowflake import errors
from sandbox.snowflake.state.grants import (
    ACCOUNT,
    Grants,
    Privileges,
    Securable,
    User,
)
from sandbox.snowflake.statements.object_names import (
    NAME,
    Place,
    compiled,
    known_kind,
    known_privileges,
    parts,
    securable,
)
from sandbox.snowflake.status import SUCCESS

RSA = r"RSA_PUBLIC_KEY(?:_2)?"
ROLE = compiled(
    rf"(?P<verb>GRANT|REVOKE)\s+ROLE\s+(?P<role>{NAME})\s+(?:TO|FROM)\s+(?P<kind>ROLE|USER)\s+(?P<name>{NAME})$"
)
PRIVILEGE = compiled(
    rf"(?P<verb>GRANT|REVOKE)\s+(?P<privileges>(?!GRANT\s)[\w\s,]+?)\s+ON\s+(?:(?P<which>ALL|FUTURE)\s+(?P<kinds>[\w\s]+?)\s+IN\s+)?"
    rf"(?P<kind>[\w\s]+?)(?:\s+(?P<name>{NAME}))?\s+(?:TO|FROM)\s+(?:ROLE\s+)?(?P<role>{NAME})"
    r"(?:\s+(?P<current>COPY|REVOKE)\s+CURRENT\s+GRANTS)?$"
)
NEW = compiled(
    rf"CREATE\s+(?:OR\s+REPLACE\s+)?(?P<kind>ROLE|USER)\s+(?P<exists>IF\s+NOT\s+EXISTS\s+)?(?P<name>{NAME})(?P<options>.*)$"
)
DROPPED = compiled(rf"DROP\s+(?P<kind>ROLE|USER)\s+(?P<exists>IF\s+EXISTS\s+)?(?P<name>{NAME})$")
KEY = compiled(
    rf"ALTER\s+USER\s+(?P<name>{NAME})\s+(?:SET\s+(?P<set>{RSA})\s*=\s*'(?P<key>[^']*)'|UNSET\s+(?P<unset>{RSA}))$"
)
SECONDARY = compiled(rf"ALTER\s+USER\s+(?P<name>{NAME})\s+SET\s+DEFAULT_SECONDARY_ROLES\s*=\s*\(\s*\)$")


def run(grants: Grants, role: str, command: str, place: Place) -> str:
    """Executes the statement as `role`; returns the status message, raises if the form is not emulated."""
    for pattern, handler in HANDLERS:
        if match := pattern.match(command):
            status = handler(grants, role, match, place)
            grants.changed()
            return status
    raise errors.not_emulated(f"this form of {' '.join(command.split()[:4])} …")


def _role(grants: Grants, name: str) -> str:
    (role,) = parts(name)
    if role not in grants.roles:
        raise errors.does_not_exist("Role", role)
    return role


def _user(grants: Grants, name: str) -> User:
    (user,) = parts(name)
    if user not in grants.users:
        raise errors.does_not_exist("User", user)
    return grants.users[user]


def _change_role(grants: Grants, _by: str, match: re.Match[str], _place: Place) -> str:
    role, given = _role(grants, match["role"]), match["verb"].upper() == "GRANT"
    if match["kind"].upper() == "USER":
        holder = _user(grants, match["name"]).roles
    else:
        to = _role(grants, match["name"])
        holder = grants.roles[to]
        if given and to != "PUBLIC" and to in grants.closure(role):
            message = f"SQL execution error:\nRole '{role}' has role '{to}': granting it would be a cycle."
            raise errors.failure(1003, "42000", message)
    (holder.add if given else holder.discard)(role)
    return SUCCESS


def _change_privileges(grants: Grants, _by: str, match: re.Match[str], place: Place) -> str:
    role, container = _role(grants, match["role"]), known_kind(match["kind"])
    kind = known_kind(match["kinds"]) if match["which"] else container
    privileges, on = (
        known_privileges(match["privileges"], kind),
        securable(container, match["name"] or "", place),
    )
    if on != ACCOUNT and on not in grants.owners:
        raise errors.does_not_exist(container.capitalize(), on.path)
    which = (match["which"] or "").upper()
    if which == "ALL" and kind == "PIPE":
        raise errors.failure(1003, "42000", "SQL compilation error:\nBulk grants on pipes are not allowed.")
    if "OWNERSHIP" in privileges:
        if which or match["verb"].upper() == "REVOKE" or not match["current"]:
            raise errors.not_emulated(
                "OWNERSHIP except in GRANT … ON one object … COPY or REVOKE CURRENT GRANTS"
            )
        grants.owners[on] = role
        if match["current"].upper() == "REVOKE":
            grants.granted.pop(on, None)
        return SUCCESS
    for held in _held(grants, which, on, kind):
        own = held.setdefault(role, set())
        (own.update if match["verb"].upper() == "GRANT" else own.difference_update)(privileges)
    return SUCCESS


def _held(grants: Grants, which: str, on: Securable, kind: str) -> list[Privileges]:
    """The grants to change: of one object, of all objects in the container, or of future objects."""
    if which == "FUTURE":
        return [grants.future.setdefault((on, kind), {})]
    if not which:
        return [grants.granted.setdefault(on, {})]
    found = [one for one in list(grants.owners) if one.kind == kind and one.name[: len(on.name)] == on.name]
    return [grants.granted.setdefault(one, {}) for one in found]


def _create(grants: Grants, by: str, match: re.Match[str], _place: Place) -> str:
    (name,), kind = parts(match["name"]), match["kind"].upper()
    known: dict[str, User] | dict[str, set[str]] = grants.users if kind == "USER" else grants.roles
    if name in known:
        if not match["exists"]:
            raise errors.already_exists(name)
        return f"{name} already exists, statement succeeded."
    if kind == "USER":
        default = compiled(rf"DEFAULT_ROLE\s*=\s*'?(?P<name>{NAME})").search(match["options"])
        grants.users[name] = User(parts(default["name"])[0] if default else "PUBLIC")
    else:
        grants.roles[name] = set()
    grants.owners[Securable(kind, (name,))] = by
    return f"{kind.capitalize()} {name} successfully created."


def _drop(grants: Grants, by: str, match: re.Match[str], _place: Place) -> str:
    (name,), kind = parts(match["name"]), match["kind"].upper()
    dropped: object = (grants.users if kind == "USER" else grants.roles).pop(name, None)
    if dropped is None and not match["exists"]:
        raise errors.does_not_exist(kind.capitalize(), name)
    grants.owners.pop(Securable(kind, (name,)), None)
    if kind == "ROLE":
        owned = [one for one, owner in grants.owners.items() if owner == name]
        grants.owners.update(dict.fromkeys(owned, by))
        for held in (*grants.granted.values(), *grants.future.values()):
            held.pop(name, None)
        for roles in (*grants.roles.values(), *(user.roles for user in grants.users.values())):
            roles.discard(name)
    return f"{name} successfully dropped."


def _alter_user(grants: Grants, _by: str, match: re.Match[str], _place: Place) -> str:
    keys = _user(grants, match["name"]).keys
    if match["unset"]:
        keys.pop(match["unset"].upper(), None)
    else:
        keys[match["set"].upper()] = match["key"]
    return SUCCESS


def _disable_secondary_roles(grants: Grants, _by: str, match: re.Match[str], _place: Place) -> str:
    """Has no effect: secondary roles never apply (see DEVIATIONS.md)."""
    _user(grants, match["name"])
    return SUCCESS


HANDLERS: list[tuple[re.Pattern[str], Callable[[Grants, str, re.Match[str], Place], str]]] = [
    (ROLE, _change_role),
    (PRIVILEGE, _change_privileges),
    (NEW, _create),
    (DROPPED, _drop),
    (KEY, _alter_user),
    (SECONDARY, _disable_secondary_roles),
]
