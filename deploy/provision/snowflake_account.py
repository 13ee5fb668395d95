"""Snowflake side: the objects of sql/account, the integration and the service user."""

import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from snowflake.connector.errors import Error as SnowflakeError
from snowflake.connector.errors import ProgrammingError

from deploy.provision.account_sql import Fact, account_statements, described, facts
from deploy.provision.changes import Change, ProvisionFailed
from pipeline.warehouse.sql_files import literal

NOT_FOUND = 2003
OWNER, LOADER, READER = "SPOTIFY_OWNER", "SPOTIFY_LOADER", "SPOTIFY_READER"
USER, WAREHOUSE, INTEGRATION = "SPOTIFY_PIPELINE", "SPOTIFY_LOAD", "SPOTIFY_LAKE"
DATABASE, SCHEMA = "SPOTIFY", "SPOTIFY.PLAYLISTS"
GRANT_OWNER = f"GRANT ROLE {OWNER} TO USER {USER}"
"""Lets the runs' user change the schema too, through the block warehouse-admin."""
KEY_SLOTS = ("RSA_PUBLIC_KEY", "RSA_PUBLIC_KEY_2")
EXISTING: tuple[tuple[str, str, str], ...] = (
    ("DATABASE", DATABASE, f"SHOW DATABASES LIKE '{DATABASE}'"),
    ("SCHEMA", SCHEMA, f"SHOW SCHEMAS LIKE 'PLAYLISTS' IN DATABASE {DATABASE}"),
    ("WAREHOUSE", WAREHOUSE, f"SHOW WAREHOUSES LIKE '{WAREHOUSE}'"),
    ("INTEGRATION", INTEGRATION, f"SHOW INTEGRATIONS LIKE '{INTEGRATION}'"),
    ("USER", USER, f"SHOW USERS LIKE '{USER}'"),
    *(("ROLE", role, f"SHOW ROLES LIKE '{role}'") for role in (OWNER, LOADER, READER)),
)

Row = dict[str, Any]


@dataclass(frozen=True)
class Lake:
    """What the integration is about: the role that Snowflake assumes, and the URL of the lake's `tables/`."""

    role_arn: str
    tables_url: str


@dataclass(frozen=True)
class Trust:
    """What the role's trust policy names."""

    user_arn: str
    external_id: str


class SnowflakeAccount:
    """The account as ACCOUNTADMIN sees it, through an open connection."""

    def __init__(self, connection: Any, tell: Callable[[str], None]) -> None:  # noqa: ANN401 - the connector's
        self.connection, self.tell = connection, tell

    @cached_property
    def account(self) -> str:
        """The account identifier, as blocks want it."""
        host = str(self.connection.host)
        suffix = ".snowflakecomputing.com"
        return host.removesuffix(suffix) if host.endswith(suffix) else str(self.connection.account)

    def check_role(self) -> str:
        """Takes the role ACCOUNTADMIN; returns the user's name."""
        try:
            self._rows("USE ROLE accountadmin")
        except ProgrammingError as error:
            raise ProvisionFailed(
                f"Snowflake's login may not use the role ACCOUNTADMIN ({error.msg}). Grant it, or name "
                "another login with --connection"
            ) from None
        return str(self._rows("SELECT CURRENT_USER() AS NAME")[0]["NAME"])

    def statements(self, lake: Lake) -> list[str]:
        """Those that would change something, in order."""
        known = self._facts()
        found = account_statements(
            "create_account_objects",
            role_arn=lake.role_arn,
            tables_url=lake.tables_url,
            external_id=secrets.token_hex(16),
        )
        missing = [one for one in [*found, GRANT_OWNER] if facts(one) - known]
        if ("INTEGRATION", INTEGRATION) in known:
            missing += self._integration_changes(lake)
        return missing

    def changes(self, lake: Lake) -> list[Change]:
        """What `write` would do."""
        return [_as_change(statement) for statement in self.statements(lake)]

    def write(self, lake: Lake) -> Trust:
        """Executes what would change something; returns what the trust policy has to name."""
        for statement in self.statements(lake):
            self.tell(str(_as_change(statement)))
            self._rows(statement)
        trust = self.trust()
        if trust is None:
            raise ProvisionFailed(f"Integration {INTEGRATION} has vanished. Run the same command again")
        return trust

    def trust(self) -> Trust | None:
        """What DESC INTEGRATION shows for the trust policy; None without an integration."""
        shown = self._properties(f"DESC INTEGRATION {INTEGRATION}")
        if not shown:
            return None
        return Trust(shown["STORAGE_AWS_IAM_USER_ARN"], shown["STORAGE_AWS_EXTERNAL_ID"])

    def key_slot(self, fingerprint: str) -> str | None:
        """The property of the user that has to be set to the key of this fingerprint; None if one has it."""
        shown = self._properties(f"DESC USER {USER}")
        registered = {slot: shown.get(f"{slot}_FP") for slot in KEY_SLOTS}
        held = {slot: value for slot, value in registered.items() if value and value != "null"}
        if fingerprint in held.values():
            return None
        free = [slot for slot in KEY_SLOTS if slot not in held]
        if not free:
            raise ProvisionFailed(
                f"User {USER} has two other public keys already, and the key of the block `warehouse` is "
                f"neither. ALTER USER {USER} UNSET RSA_PUBLIC_KEY (or _2), whichever nobody uses any more, "
                "and run the same command again"
            )
        return free[0]

    def set_key(self, slot: str, public_key: str) -> None:
        """Lets the user log in with the key."""
        self.tell(f"~ change user {USER} ({slot})")
        self._rows(f"ALTER USER {USER} SET {slot} = '{public_key}'")

    def notification_channel(self) -> str | None:
        """ARN of the queue that the pipes read; None before a run has created pipes."""
        try:
            rows = self._rows(f"SHOW PIPES IN SCHEMA {SCHEMA}")
        except ProgrammingError as error:
            if error.errno != NOT_FOUND:
                raise
            return None
        return next((row["notification_channel"] for row in rows if row["notification_channel"]), None)

    def existing(self) -> set[Fact]:
        """The objects of sql/account that exist."""
        return {(kind, name) for kind, name, show in EXISTING if self._is_shown(show, name)}

    def drop(self, kind: str, name: str) -> None:
        """Drops an object, if it exists."""
        self._rows(f"DROP {kind} IF EXISTS {name}")

    def _is_shown(self, show: str, name: str) -> bool:
        """LIKE takes `_` for any character, so the names are compared."""
        try:
            return any(row["name"] == name.rpartition(".")[2] for row in self._rows(show))
        except ProgrammingError as error:  # the database that holds the schema
            if error.errno != NOT_FOUND:
                raise
            return False

    def _facts(self) -> set[Fact]:
        found = self.existing()
        for role in (OWNER, LOADER, READER):
            if ("ROLE", role) in found:
                found |= set(_granted(self._rows(f"SHOW GRANTS TO ROLE {role}"), role))
                future = self._rows(f"SHOW FUTURE GRANTS TO ROLE {role}")
                found |= set(_granted(future, role, "FUTURE "))
        found |= set(_granted(self._rows("SHOW GRANTS TO ROLE SYSADMIN"), "SYSADMIN"))
        if ("USER", USER) in found:
            rows = self._rows(f"SHOW GRANTS TO USER {USER}")
            found |= {("USAGE", "ROLE", row.get("role") or row["name"], USER) for row in rows}
        return found

    def _integration_changes(self, lake: Lake) -> list[str]:
        shown = self._properties(f"DESC INTEGRATION {INTEGRATION}")
        alter = f"ALTER STORAGE INTEGRATION {INTEGRATION} SET"
        found = []
        if shown["STORAGE_AWS_ROLE_ARN"] != lake.role_arn:
            found.append(f"{alter} STORAGE_AWS_ROLE_ARN = {literal(lake.role_arn)}")
        locations = [one for one in shown["STORAGE_ALLOWED_LOCATIONS"].split(",") if one]
        if not any(lake.tables_url.startswith(one) or one == "*" for one in locations):
            listed = ", ".join(map(literal, [*locations, lake.tables_url]))
            found.append(f"{alter} STORAGE_ALLOWED_LOCATIONS = ({listed})")
        return found

    def _properties(self, describe: str) -> dict[str, str]:
        """Property and value of each row; empty if the object does not exist."""
        try:
            rows = self._rows(describe)
        except ProgrammingError as error:
            if error.errno != NOT_FOUND:
                raise
            return {}
        value = "property_value" if "DESC INTEGRATION" in describe else "value"
        return {row["property"]: str(row[value]) for row in rows}

    def _rows(self, sql: str) -> list[Row]:
        with self.connection.cursor() as cursor:
            cursor.execute(sql)
            names = [column[0] for column in cursor.description or ()]
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def refusal(error: SnowflakeError) -> str:
    """What Snowflake said, as the end of a message."""
    return str(error.msg or error).strip()


def _granted(rows: Iterable[Row], role: str, prefix: str = "") -> Iterable[Fact]:
    for row in rows:
        kind = str(row.get("granted_on") or row.get("grant_on")).replace("_", " ")
        name = str(row["name"])
        yield row["privilege"], f"{prefix}{kind}", name.partition(".<")[0] if prefix else name, role


def _as_change(statement: str) -> Change:
    if statement.startswith("ALTER"):
        _, _, what = statement.partition(" SET ")
        return Change("Snowflake", "change", f"integration {INTEGRATION}", what)
    return Change("Snowflake", "create", described(statement))
