"""`python -m deploy destroy`: reverses `apply`, except for the lake and the database."""

from collections.abc import Callable
from typing import NamedTuple

from deploy.changes import Change, ProvisionFailed, plan_text, writes
from deploy.deployed_file import FILE
from deploy.provision import prefect_removal
from deploy.provision.accounts import Accounts, Echo, Options, logged_in
from deploy.provision.bucket import Bucket
from deploy.provision.running_tasks import stop_tasks, task_changes
from deploy.provision.snowflake_account import (
    DATABASE,
    INTEGRATION,
    LOADER,
    OWNER,
    READER,
    USER,
    WAREHOUSE,
)
from deploy.provision.starter_key import delete_keys, key_removals, starter_of_stack

ALWAYS = (("USER", USER), ("WAREHOUSE", WAREHOUSE))
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
    with logged_in(options, echo) as accounts:
        bucket = _bucket(accounts)
        _refuse_other_names(named, bucket)
        changes = _changes(accounts, named, bucket)
        echo(plan_text(changes))
        if not writes(changes):
            return
        if not agreed():
            raise ProvisionFailed("nothing was deleted")
        _remove(accounts, named, bucket)
        echo("deleted")


def _remove(accounts: Accounts, named: Named, bucket: Bucket) -> None:
    # Prefect first, so that no run starts any more.
    for change in prefect_removal.remove(accounts.options.pool, accounts.variables.values):
        accounts.echo(str(change))
    _remove_aws(accounts, named, bucket)
    for kind, name in _dropped(accounts, named):
        accounts.echo(str(Change("Snowflake", "delete", f"{kind.lower()} {name}")))
        accounts.snowflake.drop(kind, name)
    FILE.unlink(missing_ok=True)


def _remove_aws(accounts: Accounts, named: Named, bucket: Bucket) -> None:
    # The access keys first: IAM does not delete a user who has keys.
    delete_keys(accounts, starter_of_stack(accounts))
    stop_tasks(accounts)
    accounts.stack.delete()
    if named.lake and bucket.exists():
        accounts.echo(str(Change("AWS", "delete", f"bucket {bucket.name}")))
        bucket.delete()


def _changes(accounts: Accounts, named: Named, bucket: Bucket) -> list[Change]:
    dropped = _dropped(accounts, named)
    changes = [Change("Snowflake", "delete", f"{kind.lower()} {name}") for kind, name in dropped]
    if not named.database and ("DATABASE", DATABASE) in accounts.snowflake.existing():
        detail = f"with its roles and integration; --database {DATABASE} drops them"
        changes.append(Change("Snowflake", "keep", f"database {DATABASE}", detail))
    changes += key_removals(accounts, starter_of_stack(accounts))
    changes += [*task_changes(accounts), *accounts.stack.removals()]
    if bucket.exists():
        detail = f"--lake {bucket.name} deletes it and all files"
        changes.append(
            Change("AWS", "delete", f"bucket {bucket.name}", "all files")
            if named.lake
            else Change("AWS", "keep", f"bucket {bucket.name}", detail)
        )
    changes += prefect_removal.removals(accounts.options.pool, accounts.variables.values)
    return [*changes, Change("here", "delete", str(FILE))] if FILE.exists() else changes


def _dropped(accounts: Accounts, named: Named) -> list[tuple[str, str]]:
    existing = accounts.snowflake.existing()
    wanted = [*ALWAYS, *(WITH_DATABASE if named.database else ())]
    return [one for one in wanted if one in existing]


def _bucket(accounts: Accounts) -> Bucket:
    """The lake's bucket: the stack's, or the one that `apply` would choose."""
    known = accounts.stack.parameters().get("BucketName")
    name = accounts.options.bucket or known or accounts.variables.values.get("LAKE_BUCKET")
    default = f"{accounts.options.stack}-{accounts.aws.account_id}"
    return Bucket(accounts.aws.s3, name or default)


def _refuse_other_names(named: Named, bucket: Bucket) -> None:
    if named.lake not in (None, bucket.name):
        raise ProvisionFailed(
            f"--lake {named.lake}: the name of the lake is {bucket.name}. Nothing was deleted"
        )
    if named.database not in (None, DATABASE):
        raise ProvisionFailed(
            f"--database {named.database}: the name of the database is {DATABASE}. Nothing was deleted"
        )
