"""An AWS account in moto with an ECS cluster and the queue of its events."""

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import boto3
import requests
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tests.serving import running

if TYPE_CHECKING:
    from mypy_boto3_ecs import ECSClient
    from mypy_boto3_sqs import SQSClient

REGION = "us-east-1"
CLUSTER = "default"
EVENTS = "prefect-ecs-tasks-events"
TASK_ROLE = "arn:aws:iam::123456789012:role/spotify-run"
TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Action": "sts:AssumeRole",
                "Principal": {"Service": "ecs-tasks.amazonaws.com"},
            }
        ],
    }
)
EXECUTION_ROLE = "arn:aws:iam::123456789012:role/spotify-start"


def described(definition: dict[str, Any]) -> dict[str, Any]:
    """A task definition as AWS describes it, with default values that moto omits.

    `enableFaultInjection`: aws-actions/amazon-ecs-deploy-task-definition issue 701.
    """
    empty: dict[str, list[str]] = {
        "portMappings": [],
        "environment": [],
        "mountPoints": [],
        "volumesFrom": [],
        "systemControls": [],
    }
    containers = definition["containerDefinitions"]
    return {
        "enableFaultInjection": False,
        "volumes": [],
        "placementConstraints": [],
        "requiresAttributes": [{"name": "ecs.capability.task-eni"}],
        "registeredAt": datetime.now(UTC).timestamp(),
        "registeredBy": "arn:aws:iam::123456789012:user/worker",
        **definition,
        "containerDefinitions": [{"cpu": 0, **empty, **one} for one in containers],
    }


@contextmanager
def describing(url: str) -> Iterator[str]:
    """Proxy in front of moto that describes task definitions as AWS does; yields its address."""

    def forward(request: Request, body: bytes) -> Response:
        headers = {name: value for name, value in request.headers.items() if name != "content-length"}
        response = requests.post(f"{url}/", data=body, headers=headers, timeout=30)
        content = response.content
        if response.ok and headers.get("x-amz-target", "").endswith(".DescribeTaskDefinition"):
            shown = response.json()
            shown["taskDefinition"] = described(shown["taskDefinition"])
            content = json.dumps(shown).encode()
        return Response(content, response.status_code, media_type=response.headers.get("Content-Type"))

    async def endpoint(request: Request) -> Response:
        return await run_in_threadpool(forward, request, await request.body())

    with running(Starlette(routes=[Route("/", endpoint, methods=["POST"])])) as address:
        yield address


@dataclass(frozen=True)
class Aws:
    """An AWS account in moto."""

    url: str

    @classmethod
    def create(cls, url: str) -> "Aws":
        """Creates the cluster and the queue; tasks change their state only through `stop`."""
        aws = cls(url)
        # by default moto moves a task to its next state on every request that describes it
        never = {"model_name": "ecs::task", "transition": {"progression": "manual", "times": 10**6}}
        requests.post(
            f"{url}/moto-api/state-manager/set-transition", json=never, timeout=30
        ).raise_for_status()
        aws.ecs.create_cluster(clusterName=CLUSTER)
        aws.sqs.create_queue(QueueName=EVENTS)
        return aws

    @cached_property
    def ecs(self) -> "ECSClient":
        """A client of ECS."""
        return boto3.client("ecs", **self._options())

    @cached_property
    def sqs(self) -> "SQSClient":
        """A client of SQS."""
        return boto3.client("sqs", **self._options())

    def allow_task_role(self, policy: str) -> None:
        """Creates the task role if it is missing, with this policy only."""
        iam: Any = boto3.client("iam", **self._options())
        name = TASK_ROLE.rpartition("/")[2]
        with suppress(iam.exceptions.EntityAlreadyExistsException):
            iam.create_role(RoleName=name, AssumeRolePolicyDocument=TRUST)
        iam.put_role_policy(RoleName=name, PolicyName="lake", PolicyDocument=policy)

    def role_keys(self, role: str) -> dict[str, str]:
        """Credentials of a role, in the form in which ECS returns them to a container."""
        sts: Any = boto3.client("sts", **self._options())
        keys = sts.assume_role(RoleArn=role, RoleSessionName="task")["Credentials"]
        return {
            "AccessKeyId": keys["AccessKeyId"],
            "SecretAccessKey": keys["SecretAccessKey"],
            "Token": keys["SessionToken"],
        }

    def variables(self) -> dict[str, str]:
        """Environment variables of a worker with access to the account."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ACCESS_KEY_ID": "worker",
            "AWS_SECRET_ACCESS_KEY": "worker-secret",
        }

    def wanted_tasks(self) -> list[str]:
        """ARNs of the tasks whose desired status is RUNNING."""
        return self.ecs.list_tasks(cluster=CLUSTER, desiredStatus="RUNNING")["taskArns"]

    def describe(self, arn: str) -> Any:
        """A task as ECS describes it."""
        return self.ecs.describe_tasks(cluster=CLUSTER, tasks=[arn], include=["TAGS"])["tasks"][0]

    def definition(self, arn: str) -> Any:
        """A task definition."""
        return self.ecs.describe_task_definition(taskDefinition=arn)["taskDefinition"]

    def stop(self, arn: str) -> None:
        """Stops a task."""
        self.ecs.stop_task(cluster=CLUSTER, task=arn)

    def send_event(self, task: Any, status: str, **detail: object) -> None:
        """Sends a state change to the worker's queue, as EventBridge does."""
        arns = {name: task[name] for name in ("taskArn", "clusterArn", "taskDefinitionArn")}
        event = {
            "id": str(uuid4()),
            "detail-type": "ECS Task State Change",
            "source": "aws.ecs",
            "time": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
            "detail": {**arns, "lastStatus": status, "desiredStatus": status, **detail},
        }
        queue = self.sqs.get_queue_url(QueueName=EVENTS)["QueueUrl"]
        self.sqs.send_message(QueueUrl=queue, MessageBody=json.dumps(event))

    def _options(self) -> Any:
        return {
            "endpoint_url": self.url,
            "region_name": REGION,
            "aws_access_key_id": "owner",
            "aws_secret_access_key": "owner",
        }
