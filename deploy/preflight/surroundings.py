"""All checks of `python -m deploy preflight`, in order: Prefect, then Snowflake and AWS."""

from collections.abc import Mapping
from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from deploy.account_grants import account_grants
from deploy.preflight.automation_checks import check_automations
from deploy.preflight.aws_account import AwsAccount
from deploy.preflight.aws_checks import Used, check_containers, check_execution_role, check_task_role
from deploy.preflight.deployment_checks import check_deployments
from deploy.preflight.integration_checks import LakeAccess, check_integration, check_pipes
from deploy.preflight.pool_checks import check_pool
from deploy.preflight.role_checks import CALLER
from deploy.preflight.snowflake_access_checks import check_notifications, check_snowflake_role
from deploy.preflight.value_checks import check_values
from deploy.preflight.warehouse_grant_checks import check_grants
from flows.connections import lake_of, load_block, login_of
from flows.parameters import IngestBlockNames
from flows.prefect_checks import block_check
from pipeline.errors import BlockMissing
from pipeline.lake.layout import TABLES_PREFIX, LoadMode
from pipeline.preflight.checks import CHECK_S, Checklist, Line

if TYPE_CHECKING:
    from prefect_aws import S3Bucket
    from prefect_snowflake import SnowflakeConnector

    from pipeline.warehouse.session import Session

LOGIN = "Snowflake: log in"


class Scope(NamedTuple):
    """Input of the checks. `blocks`: names of the blocks that runs use. `profile`: the AWS profile."""

    environment: Mapping[str, str]
    settings: Any
    load: LoadMode = "copy"
    profile: str | None = None
    blocks: IngestBlockNames = IngestBlockNames()


class Known(NamedTuple):
    """Values found in Prefect that the checks of Snowflake and AWS need."""

    used: Used
    buckets: list["S3Bucket"]


def find_surrounding_lines(wanted: Scope) -> list[Line]:
    """Runs all checks. Prefect comes first: its blocks name bucket, warehouse and roles."""
    checks = Checklist()
    check_accounts(checks, wanted, check_surrounding_prefect(checks, wanted))
    return checks.lines


def check_surrounding_prefect(checks: Checklist, wanted: Scope) -> Known:
    """Checks environment variables, work pool, deployments and automations."""
    check_values(checks, wanted.settings, wanted.environment)
    pool, task_block = check_pool(checks, wanted.environment)
    check_deployments(checks, wanted.settings, wanted.environment)
    check_automations(checks)
    buckets: list[S3Bucket] = []
    checks.check(block_check(wanted.blocks.lake), partial(_load_lake, wanted, buckets))
    return Known(Used(wanted.environment, pool, task_block, **_use_of(buckets)), buckets)


def check_accounts(checks: Checklist, wanted: Scope, known: Known) -> None:
    """Checks Snowflake and the AWS caller, then the AWS resources that Snowflake and the containers use."""
    account, found, used = AwsAccount(wanted.environment, wanted.profile), LakeAccess(), known.used
    checks.check_at_once(
        [partial(_check_warehouse, wanted, known.buckets, found), partial(_check_caller, account)]
    )
    checks.check_at_once(
        [
            lambda own: check_task_role(own, account, used, block_check(wanted.blocks.lake)),
            lambda own: check_execution_role(own, account, used),
            lambda own: check_containers(own, account, used),
            lambda own: check_snowflake_role(own, account, used, found),
            lambda own: check_notifications(own, account, used, found),
        ]
    )


def _load_lake(wanted: Scope, found: list["S3Bucket"]) -> str:
    from prefect_aws import S3Bucket  # noqa: PLC0415 - takes half a second, so only if it is needed

    found.append(load_block(S3Bucket, wanted.blocks.lake))
    return lake_of(found[0]).url


def _check_caller(account: AwsAccount, checks: Checklist) -> None:
    checks.check(CALLER, account.find_caller)


def _use_of(buckets: list["S3Bucket"]) -> dict[str, Any]:
    for bucket in buckets:
        keys = bool(getattr(bucket.credentials, "aws_access_key_id", None))
        return {"bucket": bucket.bucket_name, "folder": bucket.bucket_folder, "own_keys": keys}
    return {}


def _check_warehouse(wanted: Scope, buckets: list["S3Bucket"], found: LakeAccess, checks: Checklist) -> None:
    """Checks the grants as the schema owner's role if its block exists, else as the loader's role."""
    warehouse = block_check(wanted.blocks.warehouse)
    connectors: list[SnowflakeConnector] = []
    checks.check(warehouse, partial(_load_connectors, wanted, connectors))
    if not connectors:
        return
    with ExitStack() as stack:
        session = _session(connectors[-1])
        checks.check(LOGIN, lambda: f"{stack.enter_context(session).place}", [warehouse])
        check_grants(checks, session, account_grants(_names(connectors)), [LOGIN])
        for bucket in buckets:
            url = f"{lake_of(bucket).url}{TABLES_PREFIX}"
            check_integration(checks, session, url, found, [LOGIN])
        check_pipes(checks, session, found, [LOGIN], wanted=wanted.load == "snowpipe")


def _load_connectors(wanted: Scope, found: list["SnowflakeConnector"]) -> str:
    """Loads the loader's block, and the owner's block if it exists."""
    from prefect_snowflake import SnowflakeConnector  # noqa: PLC0415 - takes five seconds

    found.append(load_block(SnowflakeConnector, wanted.blocks.warehouse))
    try:
        found.append(load_block(SnowflakeConnector, wanted.blocks.warehouse_admin))
    except BlockMissing:
        return f"{wanted.blocks.warehouse}, without {wanted.blocks.warehouse_admin}"
    return f"{wanted.blocks.warehouse} and {wanted.blocks.warehouse_admin}"


def _session(connector: "SnowflakeConnector") -> "Session":
    from pipeline.warehouse.session import Session  # noqa: PLC0415 - imports the connector

    return Session(login_of(connector), "preflight").limited(CHECK_S)


def _names(connectors: list["SnowflakeConnector"]) -> dict[str, str]:
    """Default names of sql/account → the names that the blocks use instead."""
    loader, owner = connectors[0], connectors[-1]
    database, schema = loader.database.upper(), loader.schema_.upper()
    names = {
        "spotify": database,
        "spotify.playlists": f"{database}.{schema}",
        "spotify_load": loader.warehouse,
        "spotify_loader": loader.credentials.role,
        "spotify_owner": owner.credentials.role if owner is not loader else None,
        "spotify_pipeline": loader.credentials.user,
    }
    return {name: value.upper() for name, value in names.items() if value}
