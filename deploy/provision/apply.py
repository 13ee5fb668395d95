"""The story of `python -m deploy plan | apply`: Snowflake, AWS, Prefect, as they need each other."""

from collections.abc import Iterable
from typing import Any

from prefect_aws import AwsCredentials

from blocks.environment import private_key
from blocks.key_pair import KeyPair, fingerprint, public_half
from blocks.registration import wanted_blocks
from blocks.stored import find, stored_private_key
from deploy.deployed_file import file_changes, write_file
from deploy.provision import prefect_objects
from deploy.provision.accounts import Accounts, Options, Tell, logged_in
from deploy.provision.bucket import Bucket
from deploy.provision.changes import Change, as_text
from deploy.provision.prefect_objects import api_secret
from deploy.provision.snowflake_account import USER
from deploy.provision.target import UNKNOWN, Target, block_variables, find_target

Outputs = dict[str, str]


def plan(options: Options, tell: Tell) -> list[Change]:
    """Every change that `apply` would make; writes nothing."""
    with logged_in(options, tell) as accounts:
        target = find_target(accounts)
        changes = accounts.snowflake.changes(target.lake)
        trust = accounts.snowflake.trust() or UNKNOWN
        changes += accounts.stack.changes(target.stack_parameters(trust))
        outputs = accounts.stack.outputs()
        changes += [*_bucket_changes(accounts, target), *_secret_changes(accounts, outputs)]
        changes += [*_starter_changes(accounts, outputs), *_block_changes(accounts, target)]
        changes += prefect_objects.pool_changes(options.pool, _pool_defaults(outputs) if outputs else None)
        changes += prefect_objects.playlist_changes(options.playlists)
        changes += prefect_objects.automation_changes(options.notify)
        changes += file_changes(_deployed(accounts, outputs)) if outputs else ()
    tell(as_text(changes))
    return changes


def apply(options: Options, tell: Tell) -> Target:
    """Makes everything that is missing or differs; run again, it continues where it was interrupted."""
    with logged_in(options, tell) as accounts:
        target = find_target(accounts)
        tell("1/5 Snowflake: database, roles, warehouse, integration, user")
        trust = accounts.snowflake.write(target.lake)
        tell(f"2/5 AWS: stack {options.stack}")
        outputs = accounts.stack.write(target.stack_parameters(trust))
        _write_aws(accounts, target, outputs)
        tell("3/5 Prefect: blocks, and the key of Snowflake's user")
        _write_blocks(accounts, target, _with_starter_key(accounts, outputs))
        tell("4/5 Prefect: work pool, list of playlists, automations")
        _tell_all(tell, prefect_objects.write_pool(options.pool, _pool_defaults(outputs)))
        _tell_all(tell, prefect_objects.write_playlists(options.playlists))
        _tell_all(tell, prefect_objects.write_changed_automations(options.notify))
        tell("5/5 what `make deploy` needs")
        _tell_all(tell, write_file(_deployed(accounts, outputs)))
    return target


def _tell_all(tell: Tell, changes: Iterable[Change]) -> None:
    for change in changes:
        tell(str(change))


# --- AWS beside the stack ---


def _bucket_changes(accounts: Accounts, target: Target) -> list[Change]:
    """What an existing bucket lacks, and Snowpipe's notification of it; the stack configures its own."""
    if not target.existing:
        return []
    bucket = Bucket(accounts.aws.s3, target.bucket)
    missing = bucket.not_configured(target.folder)
    told = f"not configured, and not changed: {', '.join(missing)}" if missing else "as it is"
    changes = [Change("AWS", "keep", f"bucket {target.bucket}", told)]
    if target.queue and bucket.must_notify(target.queue, target.folder):
        changes.append(Change("AWS", "create", f"notification of bucket {target.bucket}", target.queue))
    return changes


def _secret_changes(accounts: Accounts, outputs: Outputs) -> list[Change]:
    secret, arn = api_secret(), outputs.get("ApiKeySecretArn")
    if secret is None or (arn and accounts.aws.holds(arn, secret[1])):
        return []
    return [Change("AWS", "change", "value of the secret", "Prefect's API key, for the containers")]


def _write_aws(accounts: Accounts, target: Target, outputs: Outputs) -> None:
    changes = [*_bucket_changes(accounts, target), *_secret_changes(accounts, outputs)]
    secret = api_secret()
    for change in changes:
        accounts.tell(str(change))
        if secret and change.what == "value of the secret":
            accounts.aws.put_secret(outputs["ApiKeySecretArn"], secret[1])
        elif target.queue and change.action == "create":
            Bucket(accounts.aws.s3, target.bucket).notify(target.queue, target.folder)


# --- the access key of who starts tasks, for Prefect Cloud ---


def _starter(accounts: Accounts, outputs: Outputs) -> str | None:
    """The user whose key the block aws-ecs needs; None with a worker, or with keys of the person's own."""
    own = "ECS_AWS_ACCESS_KEY_ID" in accounts.variables.values
    return None if own or prefect_objects.pool_type() == "ecs" else outputs.get("StarterUser")


def _starter_changes(accounts: Accounts, outputs: Outputs) -> list[Change]:
    """A new key unless the block holds one of the user's; keys that no block holds are of a killed run."""
    user, held = _starter(accounts, outputs), _held_key()
    if user is None:
        return []
    there = accounts.aws.access_keys(user)
    if held and held["ECS_AWS_ACCESS_KEY_ID"] in there:
        return []
    lost = [Change("AWS", "delete", f"access key {key}", "no block holds it") for key in there]
    return [*lost, Change("AWS", "create", f"access key of {user}", "in the block aws-ecs only")]


def _with_starter_key(accounts: Accounts, outputs: Outputs) -> dict[str, str]:
    """The variables of the access key; makes one if it has to."""
    user = _starter(accounts, outputs)
    changes = _starter_changes(accounts, outputs)
    if user is None or not changes:
        return (_held_key() or {}) if user else {}
    for change in changes:
        accounts.tell(str(change))
        if change.action == "delete":
            accounts.aws.delete_access_key(user, change.what.removeprefix("access key "))
    made = accounts.aws.create_access_key(user)
    return {"ECS_AWS_ACCESS_KEY_ID": made.key_id, "ECS_AWS_SECRET_ACCESS_KEY": made.secret}


def _held_key() -> dict[str, str] | None:
    """The access key of the stored block aws-ecs, as variables."""
    block: Any = find(AwsCredentials, "aws-ecs")
    if block is None or not block.aws_access_key_id or not block.aws_secret_access_key:
        return None
    secret = block.aws_secret_access_key.get_secret_value()
    return {"ECS_AWS_ACCESS_KEY_ID": block.aws_access_key_id, "ECS_AWS_SECRET_ACCESS_KEY": secret}


# --- Prefect's blocks, and the key pair that only they hold ---


def _block_changes(accounts: Accounts, target: Target) -> list[Change]:
    held = _held_key() if prefect_objects.pool_type() == "ecs:push" else {}
    environment = block_variables(accounts, target) | (held or {})
    key = private_key(environment) or stored_private_key("warehouse")
    changes = prefect_objects.block_changes(environment, has_key=key is not None)
    if key is None:
        return [*changes, Change("Snowflake", "change", f"user {USER}", "a new public key")]
    if slot := accounts.snowflake.key_slot(fingerprint(public_half(key))):
        changes.append(
            Change("Snowflake", "change", f"user {USER}", f"{slot}, of the key that the block holds")
        )
    return changes


def _write_blocks(accounts: Accounts, target: Target, starter_key: dict[str, str]) -> None:
    """The block first: a private key that was made is then kept, and its public half is registered again."""
    environment = block_variables(accounts, target) | starter_key
    key = private_key(environment) or stored_private_key("warehouse") or KeyPair.new().private
    _tell_all(accounts.tell, prefect_objects.write_blocks(environment, wanted_blocks(environment, key=key)))
    public = public_half(key)
    if slot := accounts.snowflake.key_slot(fingerprint(public)):
        accounts.snowflake.set_key(slot, public)


# --- what the pool and `make deploy` take from the stack ---


def _pool_defaults(outputs: Outputs) -> dict[str, str]:
    defaults = {
        "cluster": outputs["ClusterArn"],
        "log_group": outputs["LogGroup"],
        "task_role_arn": outputs["TaskRoleArn"],
        "execution_role_arn": outputs["ExecutionRoleArn"],
    }
    secret = api_secret()
    return defaults | ({secret[0]: outputs["ApiKeySecretArn"]} if secret else {})


def _deployed(accounts: Accounts, outputs: Outputs) -> dict[str, str]:
    profile = {"AWS_PROFILE": accounts.options.profile} if accounts.options.profile else {}
    return {
        "PREFECT_WORK_POOL": accounts.options.pool,
        "IMAGE_REPOSITORY": outputs["ImageRepository"],
        "ECS_TASK_ROLE_ARN": outputs["TaskRoleArn"],
        "ECS_EXECUTION_ROLE_ARN": outputs["ExecutionRoleArn"],
        "LAKE_BUCKET": outputs["BucketName"],
        "AWS_DEFAULT_REGION": accounts.aws.region,
        **profile,
    }
