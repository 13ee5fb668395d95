"""Policies of a stack, evaluated by moto: each is enough for what is done under it, and needs each action.

moto looks at actions, and at resources of S3, SQS and AssumeRole; it passes over conditions other than
StringEquals. test_stack.py says what the conditions are.
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
"""A client of a service, as somebody."""
Log = pytest.LogCaptureFixture


def keys(name: str) -> dict[str, str]:
    """Credentials of a role of the stack, or of its user."""
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
def acting(name: str) -> Iterator[Client]:
    """Clients as a role or user of the stack, whose policies count."""
    credentials = keys(name)
    with enable_iam_authentication():
        yield partial(client_of, credentials)


def denied(calls: dict[str, Callable[[], object]]) -> list[str]:
    """Calls that are refused for want of a permission."""
    found = []
    for name, call in calls.items():
        try:
            call()
        except ClientError as error:
            # for services that speak JSON the code stands in the message: moto answers in XML
            if "AccessDenied" not in str(error):
                raise
            found.append(name)
    return found


def run(caplog: Log) -> list[str]:
    """A run's use of the lake."""
    leave_files(Lake(SESSION.client("s3"), BUCKET, FOLDER))
    with acting("task") as client:
        return [*refused(Lake(client("s3"), BUCKET, FOLDER), caplog)]


def load(_: Log) -> list[str]:
    """Snowflake's use of the lake."""
    owner = SESSION.client("s3")
    for key in (TABLE_KEY, RAW_KEY):
        owner.put_object(Bucket=BUCKET, Key=key, Body=b"")
    with acting("snowflake") as client:
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
    """What starts a task and ends it, as prefect-aws does."""
    owner: Any = SESSION.client("ecs")
    definition = {"family": "run", "containerDefinitions": [CONTAINER]}
    owner.register_task_definition(**definition)
    subnet = SESSION.client("ec2").describe_subnets()["Subnets"][0]["SubnetId"]
    asked: Any = {
        "cluster": NAME,
        "taskDefinition": "run",
        "launchType": "FARGATE",
        "networkConfiguration": {"awsvpcConfiguration": {"subnets": [subnet]}},
    }
    task = owner.run_task(**asked)["tasks"][0]["taskArn"]
    with acting(name) as client:
        ecs, ec2 = client("ecs"), client("ec2")
        calls: dict[str, Callable[[], object]] = {
            "ecs:RegisterTaskDefinition": lambda: ecs.register_task_definition(**definition),
            "ecs:DescribeTaskDefinition": lambda: ecs.describe_task_definition(taskDefinition="run"),
            "ecs:RunTask": lambda: ecs.run_task(**asked),
            "ecs:DescribeTasks": lambda: ecs.describe_tasks(cluster=NAME, tasks=[task]),
            "ecs:StopTask": lambda: ecs.stop_task(cluster=NAME, task=task),
            "ec2:DescribeVpcs": ec2.describe_vpcs,
            "ec2:DescribeSubnets": ec2.describe_subnets,
        }
        return denied(calls)


def observe(_: Log) -> list[str]:
    """How a worker learns of tasks that ended, and starts them."""
    owner: Any = SESSION.client("sqs")
    queue = owner.get_queue_url(QueueName=EVENTS)["QueueUrl"]
    owner.send_message(QueueUrl=queue, MessageBody="{}")
    receipt = owner.receive_message(QueueUrl=queue)["Messages"][0]["ReceiptHandle"]
    found = start("worker")
    with acting("worker") as client:
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
    """What is done under a policy; returns what is refused. `unseen`: actions that moto does not look at."""

    refused: Callable[[Log], list[str]]
    pool: str = "ecs:push"
    unseen: tuple[str, ...] = ()


pytestmark = [
    pytest.mark.usefixtures("aws_account"),
    pytest.mark.filterwarnings("ignore:Tried to parse:UserWarning"),
]
USES = {
    "TaskPolicy": Use(run),
    "SnowflakePolicy": Use(load),
    "StartPolicy": Use(lambda _: start("starter"), unseen=("iam:PassRole", "ecs:TagResource")),
    # moto names no resource for GetQueueUrl and GetLogEvents, so it refuses both to a policy that does
    "ObservePolicy": Use(observe, pool="ecs", unseen=("sqs:GetQueueUrl", "logs:GetLogEvents")),
}
TAKEN = {
    f"{policy} {action}": (policy, action)
    for policy, use in USES.items()
    for action in actions(policy)
    if action not in use.unseen
}


# `make test` tries StartPolicy below, where only what is taken is refused; TaskPolicy is the page's.
@pytest.mark.parametrize("policy", enumerated(USES, ["SnowflakePolicy", "ObservePolicy"]))
def test_each_policy_is_enough(policy: str, caplog: Log) -> None:
    create_stack(WorkPoolType=USES[policy].pool)
    assert USES[policy].refused(caplog) == []


@pytest.mark.parametrize("taken", enumerated(TAKEN, ["StartPolicy ecs:StopTask"]))
def test_each_action_is_needed(taken: str, caplog: Log) -> None:
    policy, action = TAKEN[taken]
    create_stack(without(policy, action), WorkPoolType=USES[policy].pool)
    found = USES[policy].refused(caplog)
    assert found, f"nothing needs {action}: take it out of the policy"
    assert policy == "TaskPolicy" or found == [action]


def test_snowflake_reads_tables_and_nothing_else() -> None:
    create_stack()
    owner = SESSION.client("s3")
    for key in (TABLE_KEY, RAW_KEY):
        owner.put_object(Bucket=BUCKET, Key=key, Body=b"")
    with acting("snowflake") as client:
        s3 = client("s3")
        calls: dict[str, Callable[[], object]] = {
            "read raw": lambda: s3.get_object(Bucket=BUCKET, Key=RAW_KEY),
            "read another folder": lambda: s3.get_object(Bucket=BUCKET, Key="tables/songs/a.csv.gz"),
            "write": lambda: s3.put_object(Bucket=BUCKET, Key=TABLE_KEY, Body=b""),
            "delete": lambda: s3.delete_object(Bucket=BUCKET, Key=TABLE_KEY),
        }
        assert denied(calls) == [*calls]


def test_snowflakes_user_takes_its_role_with_the_external_id_only() -> None:
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
