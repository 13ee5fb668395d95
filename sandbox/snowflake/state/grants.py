"""Roles, users, owners and privileges of an account; what a role may do follows from them."""

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
SHOWN_TO_ALL = {"ACCOUNT", "ROLE", "USER"}
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
"""Privileges that may be granted by kind of object, beside OWNERSHIP; what this project could use."""
ABOVE = {
    "ACCOUNTADMIN": ("SYSADMIN", "SECURITYADMIN"),
    "SECURITYADMIN": ("USERADMIN",),
}
"""System roles and the roles that are granted to them."""
AT_FIRST = {
    "ACCOUNTADMIN": {"CREATE INTEGRATION"},
    "SECURITYADMIN": {"MANAGE GRANTS"},
    "USERADMIN": {"CREATE ROLE", "CREATE USER"},
    "SYSADMIN": {"CREATE DATABASE", "CREATE WAREHOUSE"},
    "PUBLIC": set(),
}
"""Privileges of the system roles on the account."""


class Thing(NamedTuple):
    """An object that privileges are granted on; the account has no name."""

    kind: str
    name: tuple[str, ...] = ()

    @property
    def path(self) -> str:
        """Its qualified name."""
        return ".".join(self.name)

    @property
    def containers(self) -> list["Thing"]:
        """The database and the schema that it is in."""
        depth = 2 if self.kind in IN_SCHEMA else 1 if self.kind == "SCHEMA" else 0
        return [Thing(kind, self.name[: n + 1]) for n, kind in enumerate(("DATABASE", "SCHEMA")[:depth])]


ACCOUNT = Thing("ACCOUNT")
Privileges = dict[str, set[str]]
"""By role."""


@dataclass
class User:
    """`keys`: public keys by property, base64; `password`: whether any password will do."""

    default_role: str = "PUBLIC"
    password: bool = False
    keys: dict[str, str] = field(default_factory=dict)
    roles: set[str] = field(default_factory=set)


class Grants:
    """What is granted; every change forgets what was derived from it."""

    def __init__(self) -> None:
        self.roles: dict[str, set[str]] = {role: set(ABOVE.get(role, ())) for role in AT_FIRST}
        self.users = {"SANDBOX": User("ACCOUNTADMIN", password=True, roles={"ACCOUNTADMIN"})}
        at_first = [*(Thing("ROLE", (role,)) for role in self.roles), Thing("USER", ("SANDBOX",))]
        self.owners = dict.fromkeys(at_first, "ACCOUNTADMIN")  # of all that there is
        self.granted: dict[Thing, Privileges] = {ACCOUNT: {role: set(own) for role, own in AT_FIRST.items()}}
        self.future: dict[tuple[Thing, str], Privileges] = {}
        self.version = 0  # of what is granted: another session may change it while something is derived
        self._closures: dict[tuple[int, str], frozenset[str]] = {}
        self._hidden: dict[tuple[int, str, str], list[Thing]] = {}

    def changed(self) -> None:
        """Forgets what was derived."""
        self.version += 1
        self._closures.clear()
        self._hidden.clear()

    def closure(self, role: str) -> frozenset[str]:
        """The role and those that it inherits from."""
        key = self.version, role
        known = self._closures.get(key)
        if known is None:
            found: set[str] = set()
            left = ["PUBLIC", role]
            while left:
                if (one := left.pop()) not in found:
                    found.add(one)
                    left += self.roles.get(one, ())
            known = self._closures[key] = frozenset(found)
        return known

    def allows(self, role: str, privileges: Iterable[str], thing: Thing) -> bool:
        """Whether the role has one of the privileges on the object, or owns it."""
        roles, held = self.closure(role), self.granted.get(thing, {})
        wanted = set(privileges)
        return self.owners.get(thing) in roles or any(wanted & held[one] for one in roles & held.keys())

    def sees(self, role: str, thing: Thing) -> bool:
        """Whether the role has any privilege on the object."""
        return self.allows(role, PRIVILEGES[thing.kind], thing)

    def require(self, role: str, privileges: tuple[str, ...], thing: Thing, shown: str = "") -> None:
        """Raises Snowflake's error unless the role has one of the privileges; `shown`: the kind as named."""
        for container in thing.containers:
            if not self.sees(role, container):
                raise errors.does_not_exist(container.kind.capitalize(), container.path)
        on_account = ("MANAGE GRANTS",) if "MANAGE GRANTS" in privileges else ()
        if self.allows(role, privileges, thing) or self.allows(role, on_account, ACCOUNT):
            return
        known = thing == ACCOUNT or thing in self.owners
        if not known or not (thing.kind in SHOWN_TO_ALL or self.sees(role, thing)):
            raise errors.does_not_exist(shown or thing.kind.capitalize(), thing.path)
        raise _insufficient(role, privileges[0], thing)

    def may_be(self, user: str, role: str) -> bool:
        """Whether the role is granted to the user, if only through other roles."""
        return role in self.closure("PUBLIC").union(*map(self.closure, self.users[user].roles))

    def relation(self, name: tuple[str, ...]) -> Thing:
        """The view of that name, or the table, which may be missing."""
        view = Thing("VIEW", name)
        return view if view in self.owners else Thing("TABLE", name)

    def hidden(self, role: str, database: str) -> list[Thing]:
        """Tables and views of the database on which the role has no privilege."""
        key = self.version, role, database
        known = self._hidden.get(key)
        if known is None:
            here = [thing for thing in list(self.owners) if thing.kind in ("TABLE", "VIEW")]
            known = [t for t in here if t.name[0] == database and not self.sees(role, t)]
            self._hidden[key] = known
        return known

    def create(self, thing: Thing, role: str, *, replace: bool = False, copy_grants: bool = False) -> None:
        """The role owns a new object; grants on what it replaces are lost unless copied."""
        existed = thing in self.owners
        if existed and not replace:
            return
        self.owners[thing] = role
        if not (existed and copy_grants):
            levels = (self.future.get((place, thing.kind), {}) for place in reversed(thing.containers))
            # those on the schema hide those on the database, whatever role they are for
            future = next((by_role for by_role in levels if any(by_role.values())), {})
            self.granted[thing] = {to: set(privileges) for to, privileges in list(future.items())}
        self.changed()

    def drop(self, thing: Thing) -> None:
        """Forgets the object and what is in it."""
        inside = thing.kind in ("DATABASE", "SCHEMA")
        for one in [*self.owners]:
            if one == thing or (inside and one.kind in PLURALS and one.name[: len(thing.name)] == thing.name):
                self.owners.pop(one)
                self.granted.pop(one, None)
        for place, kind in [*self.future]:
            if inside and place.name[: len(thing.name)] == thing.name:
                self.future.pop((place, kind))
        self.changed()


def _insufficient(role: str, privilege: str, thing: Thing) -> ProgrammingError:
    message = (
        f"SQL access control error:\nInsufficient privileges to operate on {thing.kind.lower()} "
        f"'{thing.name[-1] if thing.name else 'ACCOUNT'}'.\nYour primary role {role} must have "
        f"{privilege} granted on {thing.kind} {thing.path}".rstrip()
    )
    return errors.failure(3001, "42501", f"{message}.")
