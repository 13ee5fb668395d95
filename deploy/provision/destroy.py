"""The story of `python -m deploy destroy`: the reverse of apply, except the lake and the database."""

from collections.abc import Callable
from typing import NamedTuple

from deploy.changes import Change, ProvisionFailed, plan_text, writes
from deploy.deployed_file import FILE
from deploy.provision import prefect_removal
from deploy.provision.accounts import Accounts, Options, Tell, logged_in
from deploy.provision.bucket import Bucket
from deploy.provision.snowflake_account import (
    DATABASE,
    INTEGRATION,
    LOADER,
    OWNER,
    READER,
    USER,
    WAREHOUSE,
)

ALWAYS = (("USER", USER), ("WAREHOUSE", WAREHOUSE))
WITH_DATABASE = (
    ("DATABASE", DATABASE),
    ("INTEGRATION", INTEGRATION),
    *(("ROLE", role) for role in (OWNER, LOADER, READER)),
)
"""The database's tables belong to these roles, and its stage to the integration."""


class Named(NamedTuple):
    """What goes only if it is called by name."""

    lake: str | None
    database: str | None


def destroy(options: Options, named: Named, tell: Tell, agreed: Callable[[], bool]) -> None:
    """Shows what is removed, asks, and removes it; run again, it continues where it was interrupted."""
    with logged_in(options, tell) as accounts:
        bucket = _bucket(accounts)
        _refuse_other_names(named, bucket)
        changes = _changes(accounts, named, bucket)
        tell(plan_text(changes))
        if not writes(changes):
            return
        if not agreed():
            raise ProvisionFailed("nothing is removed")
        _remove(accounts, named, bucket)
        tell("removed")


def _remove(accounts: Accounts, named: Named, bucket: Bucket) -> None:
    """Prefect first: nothing starts any more."""
    for change in prefect_removal.remove(accounts.options.pool, accounts.variables.values):
        accounts.tell(str(change))
    _remove_aws(accounts, named, bucket)
    for kind, name in _dropped(accounts, named):
        accounts.tell(str(Change("Snowflake", "delete", f"{kind.lower()} {name}")))
        accounts.snowflake.drop(kind, name)
    FILE.unlink(missing_ok=True)


def _remove_aws(accounts: Accounts, named: Named, bucket: Bucket) -> None:
    """The keys of the stack's user first: with them it cannot be deleted."""
    user = accounts.stack.outputs().get("StarterUser")
    for key in accounts.aws.access_keys(user) if user else ():
        accounts.tell(str(Change("AWS", "delete", f"access key {key}")))
        accounts.aws.delete_access_key(str(user), key)
    accounts.stack.delete()
    if named.lake and bucket.exists():
        accounts.tell(str(Change("AWS", "delete", f"bucket {bucket.name}")))
        bucket.delete()


def _changes(accounts: Accounts, named: Named, bucket: Bucket) -> list[Change]:
    dropped = _dropped(accounts, named)
    changes = [Change("Snowflake", "delete", f"{kind.lower()} {name}") for kind, name in dropped]
    if not named.database and ("DATABASE", DATABASE) in accounts.snowflake.existing():
        told = f"with its roles and integration; --database {DATABASE} drops them"
        changes.append(Change("Snowflake", "keep", f"database {DATABASE}", told))
    changes += accounts.stack.removals()
    if bucket.exists():
        told = f"--lake {bucket.name} deletes it and all files"
        changes.append(
            Change("AWS", "delete", f"bucket {bucket.name}", "all files")
            if named.lake
            else Change("AWS", "keep", f"bucket {bucket.name}", told)
        )
    changes += prefect_removal.removals(accounts.options.pool, accounts.variables.values)
    return [*changes, Change("here", "delete", str(FILE))] if FILE.exists() else changes


def _dropped(accounts: Accounts, named: Named) -> list[tuple[str, str]]:
    existing = accounts.snowflake.existing()
    wanted = [*ALWAYS, *(WITH_DATABASE if named.database else ())]
    return [one for one in wanted if one in existing]


def _bucket(accounts: Accounts) -> Bucket:
    """The lake: of the stack, or as `apply` would choose it."""
    known = accounts.stack.parameters().get("BucketName")
    name = accounts.options.bucket or known or accounts.variables.values.get("LAKE_BUCKET")
    default = f"{accounts.options.stack}-{accounts.aws.account_id}"
    return Bucket(accounts.aws.s3, name or default)


def _refuse_other_names(named: Named, bucket: Bucket) -> None:
    if named.lake not in (None, bucket.name):
        raise ProvisionFailed(f"--lake {named.lake}: the lake is called {bucket.name}. Nothing is removed")
    if named.database not in (None, DATABASE):
        raise ProvisionFailed(
            f"--database {named.database}: the database is called {DATABASE}. Nothing is removed"
        )
