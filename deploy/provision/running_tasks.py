"""Stops the ECS tasks of the cluster: AWS deletes no cluster with tasks, and tasks recreate the log group."""

import time
from collections.abc import Iterator
from typing import Any

from botocore.exceptions import ClientError

from deploy.changes import Change
from deploy.provision.accounts import Accounts
from deploy.provision.watched_stack import POLL_S


def task_changes(accounts: Accounts) -> list[Change]:
    """The tasks that `stop_tasks` would stop."""
    return [Change("AWS", "delete", f"running task {arn}") for arn in _active(accounts)]


def stop_tasks(accounts: Accounts) -> None:
    """Stops every task of the stack's cluster, and waits until the tasks have stopped."""
    active = _active(accounts)
    for arn in active:
        accounts.echo(str(Change("AWS", "delete", f"running task {arn}")))
        _ecs(accounts).stop_task(cluster=accounts.options.stack, task=arn, reason="python -m deploy destroy")
    while active := _active(accounts):
        accounts.echo(f"waiting for {len(active)} tasks to stop")
        time.sleep(POLL_S)


def _active(accounts: Accounts) -> list[str]:
    """ARNs of the tasks that have not stopped; none without a stack."""
    if not accounts.stack.has_resources():
        return []
    try:
        return [*_tasks(_ecs(accounts), accounts.options.stack)]
    except ClientError as error:
        if error.response["Error"]["Code"] == "ClusterNotFoundException":
            return []
        raise


def _tasks(ecs: Any, cluster: str) -> Iterator[str]:  # noqa: ANN401 - boto3's client
    # A task that ECS is stopping already has the desired status STOPPED.
    for desired in ("RUNNING", "STOPPED"):
        for page in ecs.get_paginator("list_tasks").paginate(cluster=cluster, desiredStatus=desired):
            if arns := page["taskArns"]:
                described = ecs.describe_tasks(cluster=cluster, tasks=arns)["tasks"]
                yield from (one["taskArn"] for one in described if one["lastStatus"] != "STOPPED")


def _ecs(accounts: Accounts) -> Any:  # noqa: ANN401 - boto3's client
    return accounts.aws.session.client("ecs")
