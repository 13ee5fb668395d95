"""The Snowflake account, through an open connection with the role ACCOUNTADMIN."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from snowflake.connector.errors import Error as SnowflakeError
from snowflake.connector.errors import ProgrammingError

from deploy.changes import ProvisionFailed
from deploy.provision.account_sql import Fact

NOT_FOUND = (2003, 2043)
"""Errors for a missing object; the second for one after IN: `SHOW SCHEMAS … IN DATABASE SPOTIFY`."""
OWNER, LOADER, READER = "SPOTIFY_OWNER", "SPOTIFY_LOADER", "SPOTIFY_READER"
USER, WAREHOUSE, INTEGRATION = "SPOTIFY_PIPELINE", "SPOTIFY_LOAD", "SPOTIFY_LAKE"
ADMIN_USER = "SPOTIFY_ADMIN"
"""Optional user who changes the schema, of sql/account/create_admin_user.sql."""
DATABASE, SCHEMA = "SPOTIFY", "SPOTIFY.PLAYLISTS"
EXISTING: tuple[tuple[str, str, str], ...] = (
    ("DATABASE", DATABASE, f"SHOW DATABASES LIKE '{DATABASE}'"),
    ("SCHEMA", SCHEMA, f"SHOW SCHEMAS LIKE 'PLAYLISTS' IN DATABASE {DATABASE}"),
    ("WAREHOUSE", WAREHOUSE, f"SHOW WAREHOUSES LIKE '{WAREHOUSE}'"),
    ("INTEGRATION", INTEGRATION, f"SHOW INTEGRATIONS LIKE '{INTEGRATION}'"),
    *(("USER", user, f"SHOW USERS LIKE '{user}'") for user in (USER, ADMIN_USER)),
    *(("ROLE", role, f"SHOW ROLES LIKE '{role}'") for role in (OWNER, LOADER, READER)),
)

Row = dict[str, Any]


@dataclass(frozen=True)
class Trust:
    """Principal and external id in the trust policy of the role that Snowflake assumes."""

    user_arn: str
    external_id: str


class SnowflakeAccount:
    """The account; `echo` prints a line for each statement that changes something."""

    def __init__(self, connection: Any, echo: Callable[[str], None]) -> None:  # noqa: ANN401 - the connector's
        self.connection, self.echo = connection, echo

    @cached_property
    def identifier(self) -> str:
        """The account identifier in the form that blocks need."""
        host = str(self.connection.host)
        suffix = ".snowflakecomputing.com"
        return host.removesuffix(suffix) if host.endswith(suffix) else str(self.connection.account)

    def check_role(self) -> str:
        """Switches to the role ACCOUNTADMIN; returns the user's name."""
        try:
            self.rows("USE ROLE accountadmin")
        except ProgrammingError as error:
            raise ProvisionFailed(
                f"The Snowflake user may not use the role ACCOUNTADMIN ({refusal(error)}). Grant it, or name "
                "another login with --connection"
            ) from None
        return str(self.rows("SELECT CURRENT_USER() AS NAME")[0]["NAME"])

    def existing(self) -> set[Fact]:
        """The objects of sql/account that exist."""
        return {(kind, name) for kind, name, show in EXISTING if self._is_shown(show, name)}

    def trust(self) -> Trust | None:
        """Values for the trust policy from DESC INTEGRATION; None if there is no integration."""
        shown = self.properties(f"DESC INTEGRATION {INTEGRATION}")
        if not shown:
            return None
        if not shown["STORAGE_PROVIDER"].startswith("S3"):
            raise ProvisionFailed(
                f"Integration {INTEGRATION} is for {shown['STORAGE_PROVIDER']}, not S3. Drop it, if no other "
                "stage uses it, and run the command again"
            )
        return Trust(shown["STORAGE_AWS_IAM_USER_ARN"], shown["STORAGE_AWS_EXTERNAL_ID"])

    def integration_role(self) -> str | None:
        """ARN of the role that the integration uses; None if there is no integration."""
        return self.properties(f"DESC INTEGRATION {INTEGRATION}").get("STORAGE_AWS_ROLE_ARN")

    def notification_channel(self) -> str | None:
        """ARN of the queue that the pipes read; None before a run has created pipes."""
        found = [row["notification_channel"] for row in self.rows_if_found(f"SHOW PIPES IN SCHEMA {SCHEMA}")]
        return next(filter(None, found), None)

    def region(self) -> str:
        """Region of the account, in the form of AWS: `eu-west-1`."""
        shown = str(self.rows("SELECT CURRENT_REGION() AS REGION")[0]["REGION"])
        # With a region group in front: PUBLIC.AWS_EU_WEST_1.
        return shown.rpartition(".")[2].removeprefix("AWS_").lower().replace("_", "-")

    def properties(self, describe: str) -> dict[str, str]:
        """Rows of a DESC statement as property and value; empty if the object does not exist."""
        rows = self.rows_if_found(describe)
        value = "property_value" if describe.startswith("DESC INTEGRATION") else "value"
        return {row["property"]: str(row[value]) for row in rows}

    def drop(self, kind: str, name: str) -> None:
        """Drops an object, if it exists."""
        self.rows(f"DROP {kind} IF EXISTS {name}")

    def rows_if_found(self, sql: str) -> list[Row]:
        """Rows of a statement; none if the object that it names does not exist."""
        try:
            return self.rows(sql)
        except ProgrammingError as error:
            if error.errno not in NOT_FOUND:
                raise
            return []

    def rows(self, sql: str) -> list[Row]:
        """Rows of a statement, by column name."""
        with self.connection.cursor() as cursor:
            cursor.execute(sql)
            names = [column[0] for column in cursor.description or ()]
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def _is_shown(self, show: str, name: str) -> bool:
        # LIKE matches any character for `_`, so the names are compared as well.
        return any(row["name"] == name.rpartition(".")[2] for row in self.rows_if_found(show))


def refusal(error: SnowflakeError) -> str:
    """Snowflake's error message, to embed in ours."""
    return str(error.msg or error).strip()
