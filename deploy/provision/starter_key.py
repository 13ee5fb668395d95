"""Access key with which Prefect Cloud starts ECS tasks. It is stored in the block aws-ecs only."""

from typing import Any

from prefect_aws import AwsCredentials

from blocks.stored import find
from deploy.changes import Change
from deploy.provision.accounts import Accounts
from deploy.provision.aws_objects import Outputs
from deploy.provision.prefect_objects import pool_type

KEY = "access key "
PROJECT = "spotify-playlist-pipeline"
"""Value of the tag `project` of everything in the stack."""


def starter_changes(accounts: Accounts, outputs: Outputs) -> list[Change]:
    """Creates a key unless the block has a valid one; deletes keys that the block does not have."""
    user, held = _user(accounts, outputs), held_starter_key(accounts)
    if user is None:
        return []
    there = accounts.aws.access_keys(user)
    if held.get("ECS_AWS_ACCESS_KEY_ID") in there:
        return []
    # Keys outside the block were created by a command that was killed before it could write the block.
    lost = [Change("AWS", "delete", f"{KEY}{key}", "in no block") for key in there]
    return [*lost, Change("AWS", "create", f"access key of {user}", "in the block aws-ecs only")]


def write_starter_key(accounts: Accounts, outputs: Outputs) -> dict[str, str]:
    """Variables of the access key for the block; creates the key if it is missing."""
    user, changes = _user(accounts, outputs), starter_changes(accounts, outputs)
    if user is None or not changes:
        return held_starter_key(accounts)
    for change in changes:
        accounts.echo(str(change))
        if change.action == "delete":
            accounts.aws.delete_access_key(user, change.what.removeprefix(KEY))
    made = accounts.aws.create_access_key(user)
    return {"ECS_AWS_ACCESS_KEY_ID": made.key_id, "ECS_AWS_SECRET_ACCESS_KEY": made.secret}


def unused_key_changes(accounts: Accounts, outputs: Outputs) -> list[Change]:
    """Deletes the keys of the stack's user once a worker starts the tasks: then the stack drops the user.

    IAM does not delete a user who has keys, so the user and a valid key would be left, outside the stack.
    """
    return key_removals(accounts, _unused_user(outputs))


def delete_unused_keys(accounts: Accounts, outputs: Outputs) -> None:
    """Makes the changes of `unused_key_changes`. Call it before the stack drops the user."""
    delete_keys(accounts, _unused_user(outputs))


def starter_of_stack(accounts: Accounts) -> str | None:
    """The user who starts tasks for this stack; None if there is none, or if it is not ours.

    Also found if an update dropped the user from the stack but could not delete it.
    """
    if not accounts.stack.has_resources():  # users are global: it may belong to a stack in another region
        return None
    user = f"{accounts.options.stack}-starter"
    return user if accounts.aws.user_tags(user).get("project") == PROJECT else None


def key_removals(accounts: Accounts, user: str | None) -> list[Change]:
    """The changes that `delete_keys` would make."""
    keys = accounts.aws.access_keys(user) if user else []
    return [Change("AWS", "delete", f"{KEY}{key}", f"of {user}") for key in keys]


def delete_keys(accounts: Accounts, user: str | None) -> None:
    """Deletes all access keys of a user."""
    for change in key_removals(accounts, user):
        accounts.echo(str(change))
        accounts.aws.delete_access_key(str(user), change.what.removeprefix(KEY))


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


def _unused_user(outputs: Outputs) -> str | None:
    return outputs.get("StarterUser") if pool_type() == "ecs" else None


def _user(accounts: Accounts, outputs: Outputs) -> str | None:
    """The stack's IAM user whose key the block needs; before the stack exists, its future name."""
    if _is_managed_elsewhere(accounts):
        return None
    return outputs.get("StarterUser", f"{accounts.options.stack}-starter")
