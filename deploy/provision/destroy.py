"""`python -m deploy destroy`: reverses `apply`, except for the lake and the database."""

from collections.abc import Callable
from typing import NamedTuple

from deploy.changes import Change, ProvisionFailed, plan_text, writes
from deploy.deployed_file import reduce_file, reductions
from deploy.provision import prefect_removal
from deploy.provision.accounts import Accounts, Echo, Options, logged_in
from deploy.provision.lake_removal import RemovableLake, find_removable_lake, lake_removals, remove_lake
from deploy.provision.other_set_up import refuse_other_set_up
from deploy.provision.remembered import OF_LAKE
from deploy.provision.running_tasks import stop_tasks, task_changes
from deploy.provision.snowflake_account import (
    ADMIN_USER,
    DATABASE,
    INTEGRATION,
    LOADER,
    OWNER,
    READER,
    USER,
    WAREHOUSE,
)
from deploy.provision.starter_key import delete_keys, key_removals, starter_of_stack

ALWAYS = (("USER", USER), ("USER", ADMIN_USER), ("WAREHOUSE", WAREHOUSE))
WITH_DATABASE = (
    ("DATABASE", DATABASE),
    ("INTEGRATION", INTEGRATION),
    *(("ROLE", role) for role in (OWNER, LOADER, READER)),
)
"""Dropped with the database: the roles own its tables, and its stage uses the integration."""


class Named(NamedTuple):
    """Objects with data, which are deleted only if the command names them exactly."""

    lake: str | None
    database: str | None


def destroy(options: Options, named: Named, echo: Echo, agreed: Callable[[], bool]) -> None:
    """Prints the plan, asks, and deletes; an interrupted run is continued by the next."""
    with logged_in(options, echo, needs_app=False) as accounts:
        lake = find_removable_lake(accounts, named=named.lake is not None)
        _refuse_other_names(named, lake.bucket.name)
        refuse_other_set_up(accounts)
        changes = _changes(accounts, named, lake)
        echo(plan_text(changes))
        if not writes(changes):
            return
        if not agreed():
            raise ProvisionFailed("nothing was deleted")
        _remove(accounts, named, lake)
        echo("deleted")


def _remove(accounts: Accounts, named: Named, lake: RemovableLake) -> None:
    # Prefect first, so that no run starts any more.
    for change in prefect_removal.remove(accounts.options.pool, accounts.variables.values):
        accounts.echo(str(change))
    _remove_aws(accounts, named, lake)
    for kind, name in _dropped(accounts, named):
        accounts.echo(str(Change("Snowflake", "delete", f"{kind.lower()} {name}")))
        accounts.snowflake.drop(kind, name)
    reduce_file(_kept_variables(named))


def _remove_aws(accounts: Accounts, named: Named, lake: RemovableLake) -> None:
    # The access keys first: IAM does not delete a user who has keys.
    delete_keys(accounts, starter_of_stack(accounts))
    stop_tasks(accounts)
    accounts.stack.delete()
    remove_lake(accounts, lake, named=named.lake is not None)


def _changes(accounts: Accounts, named: Named, lake: RemovableLake) -> list[Change]:
    dropped = _dropped(accounts, named)
    changes = [Change("Snowflake", "delete", f"{kind.lower()} {name}") for kind, name in dropped]
    if not named.database and ("DATABASE", DATABASE) in accounts.snowflake.existing():
        detail = f"with its roles and integration; --database {DATABASE} drops them"
        changes.append(Change("Snowflake", "keep", f"database {DATABASE}", detail))
    changes += key_removals(accounts, starter_of_stack(accounts))
    changes += [*task_changes(accounts), *accounts.stack.removals()]
    if accounts.stack.found() is None:
        changes.append(
            Change("AWS", "keep", f"no stack {accounts.options.stack} in region {accounts.aws.region}")
        )
    changes += lake_removals(lake, named=named.lake is not None)
    changes += prefect_removal.removals(accounts.options.pool, accounts.variables.values)
    return [*changes, *reductions(_kept_variables(named))]


def _kept_variables(named: Named) -> tuple[str, ...]:
    """Variables of .env.deployed that are still needed to find the lake."""
    return () if named.lake else OF_LAKE


def _dropped(accounts: Accounts, named: Named) -> list[tuple[str, str]]:
    existing = accounts.snowflake.existing()
    wanted = [*ALWAYS, *(WITH_DATABASE if named.database else ())]
    return [one for one in wanted if one in existing]


def _refuse_other_names(named: Named, lake: str) -> None:
    if named.lake not in (None, lake):
        raise ProvisionFailed(
            f"--lake {named.lake}: the name of the lake is {lake}. Nothing was deleted. If the lake is in "
            f"bucket {named.lake}, add --bucket {named.lake}"
        )
    if named.database not in (None, DATABASE):
        raise ProvisionFailed(
            f"--database {named.database}: the name of the database is {DATABASE}. Nothing was deleted"
        )
