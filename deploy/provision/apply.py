"""`python -m deploy plan | apply`: Snowflake, AWS and Prefect, in the order of their dependencies."""

from collections.abc import Iterable

from blocks.key_pair import KeyPair
from blocks.registration import wanted_blocks
from deploy.changes import Change, ProvisionFailed, plan_text
from deploy.deployed_file import FILE, file_changes, write_file
from deploy.provision import prefect_objects
from deploy.provision.accounts import Accounts, Echo, Options, logged_in
from deploy.provision.aws_objects import (
    Outputs,
    bucket_changes,
    deployed_variables,
    missing_outputs,
    pool_defaults,
    role_changes,
    secret_changes,
    write_bucket,
    write_role,
    write_secret,
)
from deploy.provision.goal import UNKNOWN, Goal, block_variables, find_goal
from deploy.provision.snowflake_objects import object_changes, write_integration, write_objects
from deploy.provision.starter_key import (
    delete_unused_keys,
    held_starter_key,
    starter_changes,
    unused_key_changes,
    write_starter_key,
)
from deploy.provision.taken_names import refuse_taken_names
from deploy.provision.user_key import (
    admin_key_changes,
    held_key,
    key_changes,
    register_admin_key,
    register_key,
)
from deploy.provision.work_pool import pool_changes, write_pool

NEW_FILE = Change("here", "create", str(FILE))


def plan(options: Options, echo: Echo) -> list[Change]:
    """All changes that `apply` would make; writes nothing."""
    with logged_in(options, echo) as accounts:
        goal = _checked_goal(accounts)
        changes = object_changes(accounts.snowflake, goal.lake)
        trust = accounts.snowflake.trust() or UNKNOWN
        outputs = accounts.stack.outputs()
        known = {} if missing_outputs(outputs) else outputs
        changes += [*role_changes(accounts), *unused_key_changes(accounts, outputs)]
        changes += accounts.stack.changes(goal.stack_parameters(trust))
        changes += [*bucket_changes(accounts, goal), *secret_changes(accounts, outputs)]
        changes += [*starter_changes(accounts, outputs), *_block_changes(accounts, goal)]
        changes += pool_changes(options.pool, pool_defaults(known) if known else None)
        changes += prefect_objects.playlist_changes(options.playlist)
        changes += prefect_objects.automation_changes(options.notify)
        changes += file_changes(deployed_variables(accounts, goal, known)) if known else [NEW_FILE]
    echo(plan_text(changes))
    return changes


def apply(options: Options, echo: Echo) -> Goal:
    """Creates what is missing and updates what differs; an interrupted run is continued by the next."""
    with logged_in(options, echo) as accounts:
        goal = _checked_goal(accounts)
        write_role(accounts)
        echo("1/5 Snowflake: database, roles, warehouse, integration, user")
        trust = write_objects(accounts.snowflake, goal.lake)
        echo(f"2/5 AWS: stack {options.stack}")
        delete_unused_keys(accounts, accounts.stack.outputs())
        outputs = accounts.stack.write(goal.stack_parameters(trust))
        _refuse_missing(outputs, options.stack)
        # Only now, because a stack that fails must not break an integration that works.
        write_integration(accounts.snowflake, goal.lake)
        write_bucket(accounts, goal)
        write_secret(accounts, outputs)
        echo("3/5 Prefect: blocks, and the key of the Snowflake user")
        _write_blocks(accounts, goal, write_starter_key(accounts, outputs))
        echo("4/5 Prefect: work pool, list of playlists, automations")
        _echo_all(echo, write_pool(options.pool, pool_defaults(outputs)))
        _echo_all(echo, prefect_objects.write_playlists(options.playlist))
        _echo_all(echo, prefect_objects.write_changed_automations(options.notify))
        echo("5/5 .env.deployed: variables for `make deploy`")
        _echo_all(echo, write_file(deployed_variables(accounts, goal, outputs)))
    return goal


def _checked_goal(accounts: Accounts) -> Goal:
    """The desired state; raises before anything is written if the stack could not be written."""
    accounts.stack.refuse_stuck()
    goal = find_goal(accounts)
    refuse_taken_names(accounts, goal.given)
    return goal


def _refuse_missing(outputs: Outputs, stack: str) -> None:
    if missing := missing_outputs(outputs):
        raise ProvisionFailed(
            f"Stack {stack} has no output {', '.join(missing)}, which deploy/aws.yaml defines. Look at the "
            "stack in the AWS console, then run the same command again"
        )


def _echo_all(echo: Echo, changes: Iterable[Change]) -> None:
    for change in changes:
        echo(str(change))


def _block_changes(accounts: Accounts, goal: Goal) -> list[Change]:
    environment = block_variables(accounts, goal) | held_starter_key(accounts)
    key = held_key(environment)
    changes = prefect_objects.block_changes(environment, has_key=key is not None)
    changes += key_changes(accounts.snowflake, key)
    return [*changes, *admin_key_changes(accounts.snowflake, environment)]


def _write_blocks(accounts: Accounts, goal: Goal, starter_key: dict[str, str]) -> None:
    environment = block_variables(accounts, goal) | starter_key
    key = held_key(environment) or KeyPair.new().private
    # The block first: if the command is killed after this, the next one finds the key and only registers it.
    _echo_all(accounts.echo, prefect_objects.write_blocks(environment, wanted_blocks(environment, key=key)))
    register_key(accounts.snowflake, key)
    register_admin_key(accounts.snowflake, environment)
