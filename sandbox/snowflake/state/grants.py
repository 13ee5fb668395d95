"""Roles, users, owners and privileges of an account."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from snowflake.connector.errors import ProgrammingError

from sandbox.snowflake import errors

PLURALS = {
    "DATABASE": "DATABASES",
    "SCHEMA": "SCHEMAS",
    "TABLE": "TABLES",
    "VIEW": "VIEWS",
    "STAGE": "STAGES",
    "FILE FORMAT": "FILE FORMATS",
    "PIPE": "PIPES",
}
VISIBLE_TO_ALL = {"ACCOUNT", "ROLE", "USER"}
IN_SCHEMA = ("TABLE", "VIEW", "STAGE", "FILE FORMAT", "PIPE")
PRIVILEGES: dict[str, set[str]] = {
    "ACCOUNT": {
        "CREATE DATABASE",
        "CREATE WAREHOUSE",
        "CREATE ROLE",
        "CREATE USER",
        "CREATE INTEGRATION",
        "MANAGE GRANTS",
    },
    "DATABASE": {"USAGE", "MODIFY", "MONITOR", "CREATE SCHEMA"},
    "SCHEMA": {"USAGE", "MODIFY", "MONITOR", *(f"CREATE {kind}" for kind in IN_SCHEMA)},
    "WAREHOUSE": {"USAGE", "OPERATE", "MODIFY", "MONITOR"},
    "INTEGRATION": {"USAGE"},
    "TABLE": {"SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES"},
    "VIEW": {"SELECT", "REFERENCES"},
    "STAGE": {"USAGE"},  # of an external stage
    "FILE FORMAT": {"USAGE"},
    "PIPE": {"MONITOR", "OPERATE"},
    "ROLE": set(),
    "USER": set(),
}
"""Kind of object → privileges that can be granted, except OWNERSHIP and those that the project never uses."""
SYSTEM_ROLE_GRANTS = {
    "ACCOUNTADMIN": ("SYSADMIN", "SECURITYADMIN"),
    "SECURITYADMIN": ("USERADMIN",),
}
"""System roles and the roles that are granted to them."""
SYSTEM_ROLE_PRIVILEGES = {
    "ACCOUNTADMIN": {"CREATE INTEGRATION"},
    "SECURITYADMIN": {"MANAGE GRANTS"},
    "USERADMIN": {"CREATE ROLE", "CREATE USER"},
    "SYSADMIN": {"CREATE DATABASE", "CREATE WAREHOUSE"},
    "PUBLIC": set(),
}
"""Privileges of the system roles on the account."""


class Securable(NamedTuple):
    """A securable object, on which privileges are granted; the account has an empty name."""

    kind: str
    name: tuple[str, ...] = ()

    @property
    def path(self) -> str:
        """The qualified name."""
        return ".".join(self.name)

    @property
    def containers(self) -> list["Securable"]:
        """The database and the schema that contain it."""
        depth = 2 if self.kind in IN_SCHEMA else 1 if self.kind == "SCHEMA" else 0
        return [Securable(kind, self.name[: n + 1]) for n, kind in enumerate(("DATABASE", "SCHEMA")[:depth])]


ACCOUNT = Securable("ACCOUNT")
Privileges = dict[str, set[str]]  # role → privileges


@dataclass
class User:
    """A user; `keys`: property → public key as base64; `password`: whether any password is accepted."""

    default_role: str = "PUBLIC"
    password: bool = False
    keys: dict[str, str] = field(default_factory=dict)
    roles: set[str] = field(default_factory=set)


class Grants:
    """Grants of an account, with caches that every change clears."""

    def __init__(self) -> None:
        roles = SYSTEM_ROLE_PRIVILEGES
        self.roles: dict[str, set[str]] = {role: set(SYSTEM_ROLE_GRANTS.get(role, ())) for role in roles}
        self.users = {"SANDBOX": User("ACCOUNTADMIN", password=True, roles={"ACCOUNTADMIN"})}
        initial = [*(Securable("ROLE", (role,)) for role in self.roles), Securable("USER", ("SANDBOX",))]
        self.owners = dict.fromkeys(initial, "ACCOUNTADMIN")  # of every existing object
        self.granted: dict[Securable, Privileges] = {ACCOUNT: {role: set(own) for role, own in roles.items()}}
        self.future: dict[tuple[Securable, str], Privileges] = {}
        self.version = 0  # in the cache keys: another session may change grants during a computation
        self._closures: dict[tuple[int, str], frozenset[str]] = {}
        self._hidden: dict[tuple[int, str, str], list[Securable]] = {}

    def changed(self) -> None:
        """Clears the caches."""
        self.version += 1
        self._closures.clear()
        self._hidden.clear()

    def closure(self, role: str) -> frozenset[str]:
        """The role and the roles that it inherits from."""
        key = self.version, role
        known = self._closures.get(key)
        if known is None:
            found: set[str] = set()
            pending = ["PUBLIC", role]
            while pending:
                if (one := pending.pop()) not in found:
                    found.add(one)
                    pending += self.roles.get(one, ())
            known = self._closures[key] = frozenset(found)
        return known

    def allows(self, role: str, privileges: Iterable[str], item: Securable) -> bool:
        """Returns True if the role has one of the privileges on the object, or owns it."""
        roles, held = self.closure(role), self.granted.get(item, {})
        wanted = set(privileges)
        return self.owners.get(item) in roles or any(wanted & held[one] for one in roles & held.keys())

    def sees(self, role: str, item: Securable) -> bool:
        """Returns True if the role has any privilege on the object."""
        return self.allows(role, PRIVILEGES[item.kind], item)

    def require(self, role: str, privileges: tuple[str, ...], item: Securable, shown: str = "") -> None:
        """Raises Snowflake's error unless the role has a privilege; `shown`: kind in the message."""
        for container in item.containers:
            if not self.sees(role, container):
                raise errors.does_not_exist(container.kind.capitalize(), container.path)
        on_account = ("MANAGE GRANTS",) if "MANAGE GRANTS" in privileges else ()
        if self.allows(role, privileges, item) or self.allows(role, on_account, ACCOUNT):
            return
        known = item == ACCOUNT or item in self.owners
        if not known or not (item.kind in VISIBLE_TO_ALL or self.sees(role, item)):
            raise errors.does_not_exist(shown or item.kind.capitalize(), item.path)
        raise _insufficient(role, privileges[0], item)

    def may_be(self, user: str, role: str) -> bool:
        """Returns True if the role is granted to the user, directly or through other roles."""
        return role in self.closure("PUBLIC").union(*map(self.closure, self.users[user].roles))

    def relation(self, name: tuple[str, ...]) -> Securable:
        """The view with this name, otherwise the table, which may not exist."""
        view = Securable("VIEW", name)
        return view if view in self.owners else Securable("TABLE", name)

    def hidden(self, role: str, database: str) -> list[Securable]:
        """Tables and views of the database on which the role has no privilege."""
        key = self.version, role, database
        known = self._hidden.get(key)
        if known is None:
            here = [item for item in list(self.owners) if item.kind in ("TABLE", "VIEW")]
            known = [t for t in here if t.name[0] == database and not self.sees(role, t)]
            self._hidden[key] = known
        return known

    def create(self, item: Securable, role: str, *, replace: bool = False, copy_grants: bool = False) -> None:
        """Records a new object with its owner; grants on a replaced object need `copy_grants` to survive."""
        existed = item in self.owners
        if existed and not replace:
            return
        self.owners[item] = role
        if not (existed and copy_grants):
            levels = (self.future.get((place, item.kind), {}) for place in reversed(item.containers))
            # Future grants on the schema override all future grants on the database, even for other roles.
            future = next((by_role for by_role in levels if any(by_role.values())), {})
            self.granted[item] = {to: set(privileges) for to, privileges in list(future.items())}
        self.changed()

    def drop(self, item: Securable) -> None:
        """Removes the object and the objects in it."""
        inside = item.kind in ("DATABASE", "SCHEMA")
        for one in [*self.owners]:
            if one == item or (inside and one.kind in PLURALS and one.name[: len(item.name)] == item.name):
                self.owners.pop(one)
                self.granted.pop(one, None)
        for place, kind in [*self.future]:
            if inside and place.name[: len(item.name)] == item.name:
                self.future.pop((place, kind))
        self.changed()


def _insufficient(role: str, privilege: str, item: Securable) -> ProgrammingError:
    message = (
        f"SQL access control error:\nInsufficient privileges to operate on {item.kind.lower()} "
        f"'{item.name[-1] if item.name else 'ACCOUNT'}'.\nYour primary role {role} must have "
        f"{privilege} granted on {item.kind} {item.path}".rstrip()
    )
    return errors.failure(3001, "42501", f"{message}.")
