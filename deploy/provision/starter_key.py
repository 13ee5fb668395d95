"""Access key with which Prefect Cloud starts ECS tasks. It is stored in the block aws-ecs only."""

from typing import Any

from prefect_aws import AwsCredentials

from blocks.stored import find
from deploy.changes import Change
from deploy.provision.accounts import Accounts
from deploy.provision.aws_objects import Outputs
from deploy.provision.prefect_objects import pool_type


def starter_changes(accounts: Accounts, outputs: Outputs) -> list[Change]:
    """Creates a key unless the block has a valid one; deletes keys that the block does not have."""
    user, held = _user(accounts, outputs), held_starter_key(accounts)
    if user is None:
        return []
    there = accounts.aws.access_keys(user)
    if held.get("ECS_AWS_ACCESS_KEY_ID") in there:
        return []
    # Keys outside the block were created by a command that was killed before it could write the block.
    lost = [Change("AWS", "delete", f"access key {key}", "in no block") for key in there]
    return [*lost, Change("AWS", "create", f"access key of {user}", "in the block aws-ecs only")]


def write_starter_key(accounts: Accounts, outputs: Outputs) -> dict[str, str]:
    """Variables of the access key for the block; creates the key if it is missing."""
    user, changes = _user(accounts, outputs), starter_changes(accounts, outputs)
    if user is None or not changes:
        return held_starter_key(accounts)
    for change in changes:
        accounts.echo(str(change))
        if change.action == "delete":
            accounts.aws.delete_access_key(user, change.what.removeprefix("access key "))
    made = accounts.aws.create_access_key(user)
    return {"ECS_AWS_ACCESS_KEY_ID": made.key_id, "ECS_AWS_SECRET_ACCESS_KEY": made.secret}


def held_starter_key(accounts: Accounts) -> dict[str, str]:
    """Access key of the stored block, as variables; empty if `apply` does not manage the key."""
    block: Any = None if _is_managed_elsewhere(accounts) else find(AwsCredentials, "aws-ecs")
    if block is None or not block.aws_access_key_id or not block.aws_secret_access_key:
        return {}
    secret = block.aws_secret_access_key.get_secret_value()
    return {"ECS_AWS_ACCESS_KEY_ID": block.aws_access_key_id, "ECS_AWS_SECRET_ACCESS_KEY": secret}


def _is_managed_elsewhere(accounts: Accounts) -> bool:
    """Returns True if a worker starts tasks with its role, or the keys are set as variables."""
    return pool_type() == "ecs" or "ECS_AWS_ACCESS_KEY_ID" in accounts.variables.values


def _user(accounts: Accounts, outputs: Outputs) -> str | None:
    """The stack's IAM user whose key the block needs; before the stack exists, its future name."""
    if _is_managed_elsewhere(accounts):
        return None
    return outputs.get("StarterUser", f"{accounts.options.stack}-starter")
