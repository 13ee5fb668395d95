"""`python -m deploy plan | apply`: Snowflake, AWS and Prefect, in the order of their dependencies."""

from collections.abc import Iterable

from blocks.key_pair import KeyPair
from blocks.registration import wanted_blocks
from deploy.changes import Change, plan_text
from deploy.deployed_file import file_changes, write_file
from deploy.provision import prefect_objects
from deploy.provision.accounts import Accounts, Echo, Options, logged_in
from deploy.provision.aws_objects import (
    bucket_changes,
    deployed_variables,
    pool_defaults,
    secret_changes,
    write_bucket,
    write_secret,
)
from deploy.provision.goal import UNKNOWN, Goal, block_variables, find_goal
from deploy.provision.snowflake_objects import object_changes, write_objects
from deploy.provision.starter_key import held_starter_key, starter_changes, write_starter_key
from deploy.provision.user_key import held_key, key_changes, register_key


def plan(options: Options, echo: Echo) -> list[Change]:
    """All changes that `apply` would make; writes nothing."""
    with logged_in(options, echo) as accounts:
        goal = find_goal(accounts)
        changes = object_changes(accounts.snowflake, goal.lake)
        trust = accounts.snowflake.trust() or UNKNOWN
        changes += accounts.stack.changes(goal.stack_parameters(trust))
        outputs = accounts.stack.outputs()
        changes += [*bucket_changes(accounts, goal), *secret_changes(accounts, outputs)]
        changes += [*starter_changes(accounts, outputs), *_block_changes(accounts, goal)]
        changes += prefect_objects.pool_changes(options.pool, pool_defaults(outputs) if outputs else None)
        changes += prefect_objects.playlist_changes(options.playlist)
        changes += prefect_objects.automation_changes(options.notify)
        changes += file_changes(deployed_variables(accounts, outputs)) if outputs else ()
    echo(plan_text(changes))
    return changes


def apply(options: Options, echo: Echo) -> Goal:
    """Creates what is missing and updates what differs; an interrupted run is continued by the next."""
    with logged_in(options, echo) as accounts:
        goal = find_goal(accounts)
        echo("1/5 Snowflake: database, roles, warehouse, integration, user")
        trust = write_objects(accounts.snowflake, goal.lake)
        echo(f"2/5 AWS: stack {options.stack}")
        outputs = accounts.stack.write(goal.stack_parameters(trust))
        write_bucket(accounts, goal)
        write_secret(accounts, outputs)
        echo("3/5 Prefect: blocks, and the key of the Snowflake user")
        _write_blocks(accounts, goal, write_starter_key(accounts, outputs))
        echo("4/5 Prefect: work pool, list of playlists, automations")
        _echo_all(echo, prefect_objects.write_pool(options.pool, pool_defaults(outputs)))
        _echo_all(echo, prefect_objects.write_playlists(options.playlist))
        _echo_all(echo, prefect_objects.write_changed_automations(options.notify))
        echo("5/5 .env.deployed: variables for `make deploy`")
        _echo_all(echo, write_file(deployed_variables(accounts, outputs)))
    return goal


def _echo_all(echo: Echo, changes: Iterable[Change]) -> None:
    for change in changes:
        echo(str(change))


def _block_changes(accounts: Accounts, goal: Goal) -> list[Change]:
    environment = block_variables(accounts, goal) | held_starter_key(accounts)
    key = held_key(environment)
    changes = prefect_objects.block_changes(environment, has_key=key is not None)
    return [*changes, *key_changes(accounts.snowflake, key)]


def _write_blocks(accounts: Accounts, goal: Goal, starter_key: dict[str, str]) -> None:
    environment = block_variables(accounts, goal) | starter_key
    key = held_key(environment) or KeyPair.new().private
    # The block first: if the command is killed after this, the next one finds the key and only registers it.
    _echo_all(accounts.echo, prefect_objects.write_blocks(environment, wanted_blocks(environment, key=key)))
    register_key(accounts.snowflake, key)
