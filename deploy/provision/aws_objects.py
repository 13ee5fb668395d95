"""AWS objects outside the stack: ECS's role, an existing bucket's notification, the secret's value."""

from deploy.changes import Change
from deploy.provision.accounts import Accounts
from deploy.provision.aws_login import ECS_ROLE
from deploy.provision.goal import Goal
from deploy.provision.prefect_objects import api_secret

Outputs = dict[str, str]
"""Outputs of the stack; empty before the stack exists."""
NEEDED = {
    "ApiKeySecretArn",
    "BucketName",
    "ClusterArn",
    "ExecutionRoleArn",
    "ImageRepository",
    "LogGroup",
    "TaskRoleArn",
}


def missing_outputs(outputs: Outputs) -> list[str]:
    """Outputs that are needed and not there: before the stack exists, or before an upgrade adds them."""
    return sorted(NEEDED - outputs.keys())


def role_changes(accounts: Accounts) -> list[Change]:
    """Creates the service-linked role of ECS: without it, the first cluster of an account fails."""
    if accounts.aws.has_ecs_role():
        return []
    return [Change("AWS", "create", f"IAM Role {ECS_ROLE}", "used by all ECS clusters of the account")]


def write_role(accounts: Accounts) -> None:
    """Creates the role if it is missing. Call it early: only after a while ECS may use the role."""
    for change in role_changes(accounts):
        accounts.echo(str(change))
        accounts.aws.create_ecs_role()


def bucket_changes(accounts: Accounts, goal: Goal) -> list[Change]:
    """Settings that an existing bucket lacks, and its notification. The stack configures its own bucket."""
    if not goal.existing:
        return []
    bucket = accounts.bucket(goal.bucket)
    missing = bucket.not_configured(goal.folder)
    detail = f"not configured, and not changed: {', '.join(missing)}" if missing else "unchanged"
    changes = [Change("AWS", "keep", f"bucket {goal.bucket}", detail)]
    if goal.queue and bucket.must_notify(goal.queue, goal.folder):
        changes.append(Change("AWS", "create", f"notification of bucket {goal.bucket}", goal.queue))
    return changes


def write_bucket(accounts: Accounts, goal: Goal) -> None:
    """Configures the notification if pipes need it and it is missing."""
    for change in bucket_changes(accounts, goal):
        accounts.echo(str(change))
        if goal.queue and change.action == "create":
            accounts.bucket(goal.bucket).notify(goal.queue, goal.folder)


def secret_changes(accounts: Accounts, outputs: Outputs) -> list[Change]:
    """The change of the secret's value, with which containers log in to Prefect, if it differs."""
    secret, arn = api_secret(), outputs.get("ApiKeySecretArn")
    if secret is None or (arn and accounts.aws.secret_equals(arn, secret[1])):
        return []
    return [Change("AWS", "change", "value of the secret", "Prefect's API key, for the containers")]


def write_secret(accounts: Accounts, outputs: Outputs) -> None:
    """Sets the secret's value if it differs."""
    secret = api_secret()
    for change in secret_changes(accounts, outputs):
        accounts.echo(str(change))
        if secret:
            accounts.aws.put_secret(outputs["ApiKeySecretArn"], secret[1])


def pool_defaults(outputs: Outputs) -> dict[str, str]:
    """Defaults for variables of the work pool's template."""
    defaults = {
        "cluster": outputs["ClusterArn"],
        "log_group": outputs["LogGroup"],
        "task_role_arn": outputs["TaskRoleArn"],
        "execution_role_arn": outputs["ExecutionRoleArn"],
    }
    secret = api_secret()
    return defaults | ({secret[0]: outputs["ApiKeySecretArn"]} if secret else {})


def deployed_variables(accounts: Accounts, goal: Goal, outputs: Outputs) -> dict[str, str]:
    """Variables of `.env.deployed`, for `make deploy` and later commands; an empty one is removed."""
    return {
        "DEPLOY_STACK": accounts.options.stack,
        "PREFECT_WORK_POOL": accounts.options.pool,
        "IMAGE_REPOSITORY": outputs["ImageRepository"],
        "ECS_TASK_ROLE_ARN": outputs["TaskRoleArn"],
        "ECS_EXECUTION_ROLE_ARN": outputs["ExecutionRoleArn"],
        "LAKE_BUCKET": outputs["BucketName"],
        "LAKE_FOLDER": goal.folder.rstrip("/"),
        "AWS_DEFAULT_REGION": accounts.aws.region,
        "AWS_PROFILE": accounts.options.profile or "",
    }
