"""Snowflake side of `apply`: objects and grants of sql/account, and the storage integration."""

import secrets
from collections.abc import Iterable
from typing import NamedTuple

from deploy.changes import Change, ProvisionFailed
from deploy.provision.account_sql import FUTURE, Fact, account_statements, described, facts
from deploy.provision.snowflake_account import (
    ADMIN_USER,
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
    """Values of the integration: ARN of the role that Snowflake assumes, URL of the lake's `tables/`.

    `own_admin`: a separate user changes the schema.
    """

    role_arn: str
    tables_url: str
    own_admin: bool = False


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
    found += _admin_user() if lake.own_admin else [GRANT_OWNER]
    return [one for one in found if facts(one) - known]


def _admin_user() -> list[str]:
    """Statements for a separate user who changes the schema; its key is registered with the blocks."""
    statements = account_statements("create_admin_user", public_key="")
    return [one for one in statements if not one.startswith("ALTER USER")]


def _known_facts(account: SnowflakeAccount) -> set[Fact]:
    found = account.existing()
    for role in (OWNER, LOADER, READER, "SYSADMIN"):
        found |= set(_granted(account.rows_if_found(f"SHOW GRANTS TO ROLE {role}"), role))
        found |= set(_granted(account.rows_if_found(f"SHOW FUTURE GRANTS TO ROLE {role}"), role, FUTURE))
    for user in (USER, ADMIN_USER):
        rows = account.rows_if_found(f"SHOW GRANTS TO USER {user}")
        found |= {("USAGE", "ROLE", row.get("role") or row["name"], user) for row in rows}
    return found


def _granted(rows: Iterable[Row], role: str, prefix: str = "") -> Iterable[Fact]:
    """Rows of SHOW GRANTS as facts."""
    # SHOW FUTURE GRANTS has the kind in another column, and names like `SPOTIFY.PLAYLISTS.<TABLE>`.
    for row in rows:
        kind = str(row.get("granted_on") or row.get("grant_on")).replace("_", " ")
        name = str(row["name"])
        yield row["privilege"], f"{prefix}{kind}", name.partition(".<")[0] if prefix else name, role


def _integration_changes(account: SnowflakeAccount, lake: SnowflakeLake) -> list[str]:
    """ALTER statements for role, locations and status of an existing integration, if they differ."""
    shown = account.properties(f"DESC INTEGRATION {INTEGRATION}")
    if not shown:
        return []
    alter = f"ALTER STORAGE INTEGRATION {INTEGRATION} SET"
    found = []
    if shown["STORAGE_AWS_ROLE_ARN"] != lake.role_arn:
        found.append(f"{alter} STORAGE_AWS_ROLE_ARN = {literal(lake.role_arn)}")
    if any(_overlaps(lake.tables_url, one) for one in _listed(shown.get("STORAGE_BLOCKED_LOCATIONS", ""))):
        raise ProvisionFailed(
            f"Integration {INTEGRATION} blocks {lake.tables_url} (STORAGE_BLOCKED_LOCATIONS). Remove the "
            f"location (ALTER STORAGE INTEGRATION {INTEGRATION} UNSET STORAGE_BLOCKED_LOCATIONS) and run the "
            "command again"
        )
    if shown.get("ENABLED", "true").lower() == "false":
        found.append(f"{alter} ENABLED = TRUE")
    locations = _listed(shown["STORAGE_ALLOWED_LOCATIONS"])
    if not any(_covers(one, lake.tables_url) for one in locations):
        # Locations that are already allowed are kept: another lake may need them.
        listed = ", ".join(map(literal, [*locations, lake.tables_url]))
        found.append(f"{alter} STORAGE_ALLOWED_LOCATIONS = ({listed})")
    return found


def _listed(locations: str) -> list[str]:
    return [one for one in locations.split(",") if one]


def _covers(location: str, url: str) -> bool:
    """Returns True if the URL is in this location: whole names of bucket and folders count."""
    return location == "*" or url.startswith(f"{location.rstrip('/')}/")


def _overlaps(url: str, location: str) -> bool:
    return _covers(location, url) or _covers(url, location)


def _as_change(statement: str) -> Change:
    if statement.startswith("ALTER"):
        _, _, what = statement.partition(" SET ")
        return Change("Snowflake", "change", f"integration {INTEGRATION}", what)
    return Change("Snowflake", "create", described(statement))
