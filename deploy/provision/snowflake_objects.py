"""Snowflake side of `apply`: objects and grants of sql/account, and the storage integration."""

import secrets
from collections.abc import Iterable
from typing import NamedTuple

from deploy.changes import Change, ProvisionFailed
from deploy.provision.account_sql import FUTURE, Fact, account_statements, described, facts
from deploy.provision.snowflake_account import (
    INTEGRATION,
    LOADER,
    OWNER,
    READER,
    USER,
    Row,
    SnowflakeAccount,
    Trust,
)
from pipeline.warehouse.sql_files import literal

GRANT_OWNER = f"GRANT ROLE {OWNER} TO USER {USER}"
"""Lets the user of the runs also change the schema, through the block warehouse-admin."""


class SnowflakeLake(NamedTuple):
    """Values of the integration: ARN of the role that Snowflake assumes, URL of the lake's `tables/`."""

    role_arn: str
    tables_url: str


def object_changes(account: SnowflakeAccount, lake: SnowflakeLake) -> list[Change]:
    """The changes that `write_objects` and then `write_integration` would make."""
    statements = [*_missing(account, lake), *_integration_changes(account, lake)]
    return [_as_change(statement) for statement in statements]


def write_objects(account: SnowflakeAccount, lake: SnowflakeLake) -> Trust:
    """Creates what is missing; returns the values for the trust policy of the role."""
    _execute(account, _missing(account, lake))
    trust = account.trust()
    if trust is None:
        raise ProvisionFailed(
            f"Integration {INTEGRATION} was dropped during this run. Run the same command again"
        )
    return trust


def write_integration(account: SnowflakeAccount, lake: SnowflakeLake) -> None:
    """Alters an existing integration. Call it when the role exists: from then on, loads use the role."""
    _execute(account, _integration_changes(account, lake))


def _execute(account: SnowflakeAccount, statements: Iterable[str]) -> None:
    for statement in statements:
        account.echo(str(_as_change(statement)))
        account.rows(statement)


def _missing(account: SnowflakeAccount, lake: SnowflakeLake) -> list[str]:
    """Statements that create missing objects and grants, in order."""
    known = _known_facts(account)
    found = account_statements(
        "create_account_objects",
        role_arn=lake.role_arn,
        tables_url=lake.tables_url,
        external_id=secrets.token_hex(16),
    )
    return [one for one in [*found, GRANT_OWNER] if facts(one) - known]


def _known_facts(account: SnowflakeAccount) -> set[Fact]:
    found = account.existing()
    for role in (OWNER, LOADER, READER, "SYSADMIN"):
        found |= set(_granted(account.rows_if_found(f"SHOW GRANTS TO ROLE {role}"), role))
        found |= set(_granted(account.rows_if_found(f"SHOW FUTURE GRANTS TO ROLE {role}"), role, FUTURE))
    rows = account.rows_if_found(f"SHOW GRANTS TO USER {USER}")
    return found | {("USAGE", "ROLE", row.get("role") or row["name"], USER) for row in rows}


def _granted(rows: Iterable[Row], role: str, prefix: str = "") -> Iterable[Fact]:
    """Rows of SHOW GRANTS as facts."""
    # SHOW FUTURE GRANTS has the kind in another column, and names like `SPOTIFY.PLAYLISTS.<TABLE>`.
    for row in rows:
        kind = str(row.get("granted_on") or row.get("grant_on")).replace("_", " ")
        name = str(row["name"])
        yield row["privilege"], f"{prefix}{kind}", name.partition(".<")[0] if prefix else name, role


def _integration_changes(account: SnowflakeAccount, lake: SnowflakeLake) -> list[str]:
    """ALTER statements for role and locations of an existing integration, if they differ."""
    shown = account.properties(f"DESC INTEGRATION {INTEGRATION}")
    if not shown:
        return []
    alter = f"ALTER STORAGE INTEGRATION {INTEGRATION} SET"
    found = []
    if shown["STORAGE_AWS_ROLE_ARN"] != lake.role_arn:
        found.append(f"{alter} STORAGE_AWS_ROLE_ARN = {literal(lake.role_arn)}")
    locations = [one for one in shown["STORAGE_ALLOWED_LOCATIONS"].split(",") if one]
    if not any(lake.tables_url.startswith(one) or one == "*" for one in locations):
        # Locations that are already allowed are kept: another lake may need them.
        listed = ", ".join(map(literal, [*locations, lake.tables_url]))
        found.append(f"{alter} STORAGE_ALLOWED_LOCATIONS = ({listed})")
    return found


def _as_change(statement: str) -> Change:
    if statement.startswith("ALTER"):
        _, _, what = statement.partition(" SET ")
        return Change("Snowflake", "change", f"integration {INTEGRATION}", what)
    return Change("Snowflake", "create", described(statement))
