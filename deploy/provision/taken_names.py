"""Names of the stack's resources that other resources of the account already have."""

from collections.abc import Callable, Iterator, Mapping

from botocore.exceptions import ClientError

from deploy.changes import ProvisionFailed
from deploy.provision.accounts import Accounts
from deploy.provision.prefect_objects import pool_type

NOT_FOUND = {
    "NoSuchEntity",
    "RepositoryNotFoundException",
    "AWS.SimpleQueueService.NonExistentQueue",
    "QueueDoesNotExist",
}
EVENTS_QUEUE = "prefect-ecs-tasks-events"
"""Default of the template's EventsQueueName."""


def refuse_taken_names(accounts: Accounts, given: Mapping[str, str]) -> None:
    """Raises if the first creation of the stack would fail because of a name. The bucket may exist.

    `given`: parameters of the template that are set.
    """
    if accounts.stack.has_resources():
        return
    queue = given.get("EventsQueueName", EVENTS_QUEUE)
    if taken := [*_taken(accounts, accounts.options.stack, queue)]:
        raise ProvisionFailed(
            f"AWS already has {', '.join(taken)}: stack {accounts.options.stack} could not create its own. "
            "Nothing was changed. Choose other names (--stack NAME; for the queue --parameter "
            "EventsQueueName=NAME), or delete what is no longer used"
        )


def _taken(accounts: Accounts, name: str, queue: str) -> Iterator[str]:
    client, has_worker = accounts.aws.session.client, pool_type() == "ecs"
    iam, group = client("iam"), f"/ecs/{name}"
    for role in ("snowflake", "task", "execution", *(["worker"] if has_worker else [])):
        if _is_found(iam.get_role, RoleName=f"{name}-{role}"):
            yield f"role {name}-{role}"
    if not has_worker and _is_found(iam.get_user, UserName=f"{name}-starter"):
        yield f"user {name}-starter"
    if _is_found(client("ecr").describe_repositories, repositoryNames=[name]):
        yield f"image repository {name}"
    clusters = client("ecs").describe_clusters(clusters=[name])["clusters"]
    if any(one["status"] != "INACTIVE" for one in clusters):  # ECS shows deleted clusters for a while
        yield f"cluster {name}"
    groups = client("logs").describe_log_groups(logGroupNamePrefix=group)["logGroups"]
    if any(one["logGroupName"] == group for one in groups):
        yield f"log group {group}"
    if has_worker and _is_found(client("sqs").get_queue_url, QueueName=queue):
        yield f"queue {queue}"


def _is_found(read: Callable[..., object], **named: object) -> bool:
    """Returns True if the object that the request names exists."""
    try:
        read(**named)
    except ClientError as error:
        if error.response["Error"]["Code"] in NOT_FOUND:
            return False
        raise
    return True
