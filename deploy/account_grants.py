"""The GRANT statements of sql/account/create_account_objects.sql, parsed, with the account's names."""

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from pipeline.warehouse.sql_files import SQL

SOURCE = "account/create_account_objects.sql"
ROLE_GRANT = re.compile(r"GRANT ROLE (?P<name>\S+) TO (?P<to>ROLE|USER) (?P<who>\S+)")
OBJECT_GRANT = re.compile(
    r"GRANT (?P<privileges>[A-Z, ]+) ON (?P<kind>[A-Z]+) (?P<name>\S+) TO (?P<to>ROLE) (?P<who>\S+)"
)
FUTURE_GRANT = re.compile(
    r"GRANT (?P<privileges>[A-Z, ]+) ON FUTURE (?P<kind>[A-Z ]+)S IN SCHEMA (?P<name>\S+) "
    r"TO (?P<to>ROLE) (?P<who>\S+)"
)


class AccountGrant(NamedTuple):
    """Privileges on an object, or on future objects of a schema. `to`: ROLE or USER; `who`: its name."""

    privileges: tuple[str, ...]
    kind: str
    name: str
    to: str
    who: str
    future: bool = False

    def __str__(self) -> str:
        """Grantee and object: `SPOTIFY_READER: FUTURE TABLES IN SCHEMA …`."""
        return f"{self.who}: {self._object('FUTURE')}"

    def statement(self, privileges: tuple[str, ...], which: str) -> str:
        """The statement that grants `privileges`; `which`: on `FUTURE` or on `ALL` objects of the schema."""
        if self.kind == "ROLE":
            return f"GRANT ROLE {self.name} TO {self.to} {self.who}"
        return f"GRANT {', '.join(privileges)} ON {self._object(which)} TO ROLE {self.who}"

    def _object(self, which: str) -> str:
        return f"{f'{which} {self.kind}S IN SCHEMA' if self.future else self.kind} {self.name}"


def account_grants(names: Mapping[str, str]) -> list[AccountGrant]:
    """All grants of the file; `names` replaces names of objects, roles and users."""
    return [read_grant(statement, names) for statement in grant_statements()]


def grant_statements() -> Iterator[str]:
    """The GRANT statements of the file, each on one line."""
    text = re.sub(r"--[^\n]*", "", (SQL / SOURCE).read_text("utf-8"))
    for statement in text.split(";"):
        if (found := " ".join(statement.split())).startswith("GRANT "):
            yield found


def read_grant(statement: str, names: Mapping[str, str]) -> AccountGrant:
    """Parses a GRANT statement on one line; `names` replaces names of objects, roles and users."""
    found = (
        FUTURE_GRANT.fullmatch(statement)
        or OBJECT_GRANT.fullmatch(statement)
        or ROLE_GRANT.fullmatch(statement)
    )
    if found is None:
        raise ValueError(f"sql/{SOURCE}: preflight cannot parse this GRANT: {statement}")
    parts = found.groupdict()
    name, who = (names.get(parts[part], parts[part].upper()) for part in ("name", "who"))
    if "kind" not in parts:
        return AccountGrant(("USAGE",), "ROLE", name, parts["to"], who)
    privileges = tuple(one.strip() for one in parts["privileges"].split(","))
    return AccountGrant(privileges, parts["kind"], name, parts["to"], who, found.re is FUTURE_GRANT)
