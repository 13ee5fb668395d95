"""Policies of a stack, evaluated by moto: each is sufficient, and each of its actions is necessary.

moto evaluates actions, and resources of S3, SQS and AssumeRole; it ignores conditions other than
StringEquals. test_stack.py checks the conditions.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, NamedTuple

import pytest
from botocore.exceptions import ClientError
from moto.core.authorization import enable_iam_authentication

from pipeline.lake.store import Lake
from tests.deploy.aws import EVENTS
from tests.deploy.stacks import (
    ACCOUNT,
    EXTERNAL_ID,
    FOLDER,
    NAME,
    SNOWFLAKE_USER,
    actions,
    create_stack,
    without,
)
from tests.pipeline.lake.conftest import BUCKET, SESSION
from tests.pipeline.lake.test_policy import leave_files, refused
from tests.tiers import enumerated

CONTAINER: Any = {"name": "prefect", "image": "image:1", "memory": 2048, "essential": True}
TABLE_KEY, RAW_KEY = f"{FOLDER}/tables/songs/a.csv.gz", f"{FOLDER}/raw/a.json.gz"
Client = Callable[[str], Any]
"""Creates a client of a service with the credentials of a role or user."""
Log = pytest.LogCaptureFixture


def keys(name: str) -> dict[str, str]:
    """Credentials of a role of the stack, or of its user `starter`."""
    iam: Any = SESSION.client("iam")
    if name == "starter":
        made = iam.create_access_key(UserName=f"{NAME}-{name}")["AccessKey"]
    else:
        arn = f"arn:aws:iam::{ACCOUNT}:role/{NAME}-{name}"
        made = SESSION.client("sts").assume_role(RoleArn=arn, RoleSessionName="test")["Credentials"]
    return _named(made)


def _named(made: Any) -> dict[str, str]:
    """Credentials as boto3 takes them."""
    found = {"aws_access_key_id": made["AccessKeyId"], "aws_secret_access_key": made["SecretAccessKey"]}
    return found | ({"aws_session_token": made["SessionToken"]} if "SessionToken" in made else {})


def client_of(credentials: Any, service: Any) -> Any:
    """A client of a service with these credentials."""
    return SESSION.client(service, **credentials)


@contextmanager
def acting_as(name: str) -> Iterator[Client]:
    """Creates clients as a role or user of the stack, while moto enforces policies."""
    credentials = keys(name)
    with enable_iam_authentication():
        yield partial(client_of, credentials)


def denied(calls: dict[str, Callable[[], object]]) -> list[str]:
    """Names of the calls that are refused because of a missing permission."""
    found = []
    for name, call in calls.items():
        try:
            call()
        except ClientError as error:
            # moto responds in XML, so for services with a JSON protocol the code is in the message only
            if "AccessDenied" not in str(error):
                raise
            found.append(name)
    return found


def run(caplog: Log) -> list[str]:
    """Uses the lake as a run does; returns refused actions."""
    leave_files(Lake(SESSION.client("s3"), BUCKET, FOLDER))
    with acting_as("task") as client:
        return [*refused(Lake(client("s3"), BUCKET, FOLDER), caplog)]


def load(_: Log) -> list[str]:
    """Uses the lake as Snowflake does; returns refused actions."""
    owner = SESSION.client("s3")
    for key in (TABLE_KEY, RAW_KEY):
        owner.put_object(Bucket=BUCKET, Key=key, Body=b"")
    with acting_as("snowflake") as client:
        s3 = client("s3")
        return denied(
            {
                "s3:GetBucketLocation": lambda: s3.get_bucket_location(Bucket=BUCKET),
                "s3:ListBucket": lambda: s3.list_objects_v2(Bucket=BUCKET, Prefix=f"{FOLDER}/tables/"),
                "s3:GetObject": lambda: s3.get_object(Bucket=BUCKET, Key=TABLE_KEY),
                "s3:GetObjectVersion": lambda: s3.get_object(Bucket=BUCKET, Key=TABLE_KEY, VersionId="null"),
            }
        )


def start(name: str) -> list[str]:
    """Starts and stops a task as prefect-aws does; returns refused actions."""
    owner: Any = SESSION.client("ecs")
    definition = {"family": "run", "containerDefinitions": [CONTAINER]}
    owner.register_task_definition(**definition)
    subnet = SESSION.client("ec2").describe_subnets()["Subnets"][0]["SubnetId"]
    request: Any = {
        "cluster": NAME,
        "taskDefinition": "run",
        "launchType": "FARGATE",
        "networkConfiguration": {"awsvpcConfiguration": {"subnets": [subnet]}},
    }
    task = owner.run_task(**request)["tasks"][0]["taskArn"]
    with acting_as(name) as client:
        ecs, ec2 = client("ecs"), client("ec2")
        calls: dict[str, Callable[[], object]] = {
            "ecs:RegisterTaskDefinition": lambda: ecs.register_task_definition(**definition),
            "ecs:DescribeTaskDefinition": lambda: ecs.describe_task_definition(taskDefinition="run"),
            "ecs:RunTask": lambda: ecs.run_task(**request),
            "ecs:DescribeTasks": lambda: ecs.describe_tasks(cluster=NAME, tasks=[task]),
            "ecs:StopTask": lambda: ecs.stop_task(cluster=NAME, task=task),
            "ec2:DescribeVpcs": ec2.describe_vpcs,
            "ec2:DescribeSubnets": ec2.describe_subnets,
        }
        return denied(calls)


def observe(_: Log) -> list[str]:
    """Starts tasks and reads the queue as a worker does; returns refused actions."""
    owner: Any = SESSION.client("sqs")
    queue = owner.get_queue_url(QueueName=EVENTS)["QueueUrl"]
    owner.send_message(QueueUrl=queue, MessageBody="{}")
    receipt = owner.receive_message(QueueUrl=queue)["Messages"][0]["ReceiptHandle"]
    found = start("worker")
    with acting_as("worker") as client:
        sqs, given = client("sqs"), {"QueueUrl": queue, "ReceiptHandle": receipt}
        return found + denied(
            {
                "sqs:ReceiveMessage": lambda: sqs.receive_message(QueueUrl=queue),
                "sqs:ChangeMessageVisibility": lambda: sqs.change_message_visibility(
                    **given, VisibilityTimeout=60
                ),
                "sqs:DeleteMessage": lambda: sqs.delete_message(**given),
            }
        )


class Use(NamedTuple):
    """`refused`: uses the policy and returns refused actions. `not_evaluated`: actions that moto ignores."""

    refused: Callable[[Log], list[str]]
    pool: str = "ecs:push"
    not_evaluated: tuple[str, ...] = ()


pytestmark = [
    pytest.mark.usefixtures("aws_account"),
    pytest.mark.filterwarnings("ignore:Tried to parse:UserWarning"),
]
USES = {
    "TaskPolicy": Use(run),
    "SnowflakePolicy": Use(load),
    "StartPolicy": Use(lambda _: start("starter"), not_evaluated=("iam:PassRole", "ecs:TagResource")),
    # moto evaluates GetQueueUrl and GetLogEvents without a resource, so it refuses them to policies with one
    "ObservePolicy": Use(observe, pool="ecs", not_evaluated=("sqs:GetQueueUrl", "logs:GetLogEvents")),
}
REMOVED = {
    f"{policy} {action}": (policy, action)
    for policy, use in USES.items()
    for action in actions(policy)
    if action not in use.not_evaluated
}


# The quick tier covers StartPolicy in the next test, and TaskPolicy in the tests of docs/by-hand.md.
@pytest.mark.parametrize("policy", enumerated(USES, ["SnowflakePolicy", "ObservePolicy"]))
def test_each_policy_is_sufficient(policy: str, caplog: Log) -> None:
    create_stack(WorkPoolType=USES[policy].pool)
    assert USES[policy].refused(caplog) == []


@pytest.mark.parametrize("removed", enumerated(REMOVED, ["StartPolicy ecs:StopTask"]))
def test_each_action_is_necessary(removed: str, caplog: Log) -> None:
    policy, action = REMOVED[removed]
    create_stack(without(policy, action), WorkPoolType=USES[policy].pool)
    found = USES[policy].refused(caplog)
    assert found, f"nothing needs {action}: remove it from the policy"
    assert policy == "TaskPolicy" or found == [action]


def test_the_snowflake_role_reads_tables_and_nothing_else() -> None:
    create_stack()
    owner = SESSION.client("s3")
    for key in (TABLE_KEY, RAW_KEY):
        owner.put_object(Bucket=BUCKET, Key=key, Body=b"")
    with acting_as("snowflake") as client:
        s3 = client("s3")
        calls: dict[str, Callable[[], object]] = {
            "read raw": lambda: s3.get_object(Bucket=BUCKET, Key=RAW_KEY),
            "read another folder": lambda: s3.get_object(Bucket=BUCKET, Key="tables/songs/a.csv.gz"),
            "write": lambda: s3.put_object(Bucket=BUCKET, Key=TABLE_KEY, Body=b""),
            "delete": lambda: s3.delete_object(Bucket=BUCKET, Key=TABLE_KEY),
        }
        assert denied(calls) == [*calls]


def test_only_snowflakes_user_with_the_external_id_assumes_the_role() -> None:
    create_stack()
    iam: Any = SESSION.client("iam")
    allow = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"}],
    }
    taken: dict[str, Callable[[], object]] = {}
    for user in (SNOWFLAKE_USER.rpartition("/")[2], "another"):
        iam.create_user(UserName=user)
        iam.put_user_policy(UserName=user, PolicyName="assume", PolicyDocument=json.dumps(allow))
        made = iam.create_access_key(UserName=user)["AccessKey"]
        sts = client_of(_named(made), "sts")
        for external_id in (EXTERNAL_ID, "another id"):
            taken[f"{user}, {external_id}"] = _assuming(sts, external_id)
    with enable_iam_authentication():
        allowed, *others = taken
        assert denied(taken) == others
        assert allowed == f"snowflake, {EXTERNAL_ID}"


def _assuming(sts: Any, external_id: str) -> Callable[[], object]:
    arn = f"arn:aws:iam::{ACCOUNT}:role/{NAME}-snowflake"
    return lambda: sts.assume_role(RoleArn=arn, RoleSessionName="load", ExternalId=external_id)
