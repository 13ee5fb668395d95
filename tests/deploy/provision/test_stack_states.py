"""The stack in states that a person, another command or an interruption left: nothing of others is lost."""

import json
from contextlib import suppress
from typing import Any

import pytest
from moto.cloudformation.models import cloudformation_backends
from prefect.client.orchestration import get_client
from prefect.settings import PREFECT_API_URL, PREFECT_CLOUD_API_URL, temporary_settings

from deploy.changes import ProvisionFailed
from deploy.provision import command as commands
from deploy.provision.change_set import ChangeSet
from deploy.provision.watched_stack import WatchedStack
from sandbox.account_objects import ROLE_ARN, create_account_objects
from tests.deploy.aws import EVENTS
from tests.deploy.provision.conftest import LAKE, STACK, Clouds, Command
from tests.deploy.provision.interruptions import Interruption, interrupted
from tests.deploy.provision.test_provision import NOTHING, state

OTHER_TEMPLATE = json.dumps(
    {"Resources": {"Orders": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "orders"}}}}
)
CONTINUES = "Run the same command again: it continues where this one stopped."

pytestmark = pytest.mark.faults


@pytest.fixture(autouse=True)
def _without_preflight(monkeypatch: pytest.MonkeyPatch) -> None:
    """Skips preflight, which writes nothing."""
    monkeypatch.setattr(commands, "run_preflight", lambda **_: 0)


def stacks(clouds: Clouds) -> dict[str, str]:
    """States of the stacks that exist."""
    described = clouds.client("cloudformation").describe_stacks()["Stacks"]
    return {one["StackName"]: one["StackStatus"] for one in described}


def resource_types(clouds: Clouds) -> set[str]:
    """Types of the resources of our stack."""
    found = clouds.client("cloudformation").describe_stack_resources(StackName=STACK)["StackResources"]
    return {one["ResourceType"] for one in found}


def role_of_integration(clouds: Clouds) -> str:
    """The role that Snowflake assumes."""
    shown = {row[0]: row[2] for row in clouds.rows("DESC INTEGRATION spotify_lake")}
    return str(shown["STORAGE_AWS_ROLE_ARN"])


def test_ctrl_c_during_the_creation_keeps_the_stack(
    command: Command, clouds: Clouds, monkeypatch: pytest.MonkeyPatch
) -> None:
    """AWS finishes the creation, so that the next apply finds the stack, with the lake as part of it."""

    def ctrl_c(*_: object) -> None:
        raise KeyboardInterrupt

    requests = Interruption()
    with monkeypatch.context() as patched, interrupted(requests):
        patched.setattr(WatchedStack, "watch", ctrl_c)
        told = command("apply", status=130)
    assert requests.writes[-1] == "ExecuteChangeSet"
    assert told.splitlines()[-2:] == [
        "stopped: interrupted. What AWS has begun to change, it finishes by itself.",
        CONTINUES,
    ]
    assert stacks(clouds) == {STACK: "CREATE_COMPLETE"}
    command("apply")
    assert "AWS::S3::Bucket" in resource_types(clouds)
    assert NOTHING in command("plan")


def test_a_stack_that_fails_leaves_a_working_integration_as_it_is(
    command: Command, clouds: Clouds, monkeypatch: pytest.MonkeyPatch
) -> None:
    create_account_objects(clouds.snowflake, "s3://my-lake/tables/")
    assert role_of_integration(clouds) == ROLE_ARN

    def refuses(_: ChangeSet) -> None:
        raise ProvisionFailed("a resource failed")

    with monkeypatch.context() as patched:
        patched.setattr(ChangeSet, "execute", refuses)
        assert "a resource failed" in command("apply", status=1)
    assert role_of_integration(clouds) == ROLE_ARN
    command("apply")
    assert role_of_integration(clouds).endswith(f":role/{STACK}-snowflake")
    assert NOTHING in command("plan")


def test_names_that_are_taken_are_listed_before_anything_is_written(command: Command, clouds: Clouds) -> None:
    clouds.client("ecr").create_repository(repositoryName=STACK)
    clouds.client("logs").create_log_group(logGroupName=f"/ecs/{STACK}")
    clouds.client("logs").create_log_group(logGroupName=f"/ecs/{STACK}-2")
    clouds.client("ecs").create_cluster(clusterName=STACK)
    clouds.client("sqs").create_queue(QueueName=EVENTS)
    anybody = json.dumps({"Version": "2012-10-17", "Statement": []})
    for role in ("task", "starter"):  # the second is the name of a user of the stack
        clouds.client("iam").create_role(RoleName=f"{STACK}-{role}", AssumeRolePolicyDocument=anybody)
    before = state(clouds)
    for name in ("plan", "apply"):
        assert (
            f"AWS already has role {STACK}-task, image repository {STACK}, cluster {STACK}, log group "
            f"/ecs/{STACK}, queue {EVENTS}: stack {STACK} could not create its own. Nothing was changed."
        ) in command(name, status=1)
    assert state(clouds) == before
    with temporary_settings({PREFECT_CLOUD_API_URL: str(PREFECT_API_URL.value())}):
        clouds.client("iam").create_user(UserName=f"{STACK}-starter")
        assert f"user {STACK}-starter" in (told := command("plan", status=1))
        assert EVENTS not in told


def test_a_stack_of_somebody_else_is_not_touched(command: Command, clouds: Clouds) -> None:
    cloudformation = clouds.client("cloudformation")
    cloudformation.create_stack(StackName="shop", TemplateBody=OTHER_TEMPLATE)
    before = state(clouds)
    for name in ("plan", "apply", "destroy"):
        options = ("--yes",) if name == "destroy" else ()
        assert "Stack shop exists already, with another template. Nothing was changed." in command(
            name, "--stack", "shop", *options, status=1
        )
    assert state(clouds) == before
    assert cloudformation.get_template(StackName="shop")["TemplateBody"] == json.loads(OTHER_TEMPLATE)
    cloudformation.delete_stack(StackName="shop")


def test_a_change_set_that_a_colleague_reviews_is_not_deleted(command: Command, clouds: Clouds) -> None:
    cloudformation = clouds.client("cloudformation")
    cloudformation.create_change_set(
        StackName=STACK, ChangeSetName="for-review", ChangeSetType="CREATE", TemplateBody=OTHER_TEMPLATE
    )
    before = state(clouds)
    for name in ("plan", "apply", "destroy"):
        options = ("--yes",) if name == "destroy" else ()
        assert "with the change set for-review of somebody else" in command(name, *options, status=1)
    assert state(clouds) == before
    cloudformation.delete_stack(StackName=STACK)


def test_a_plan_beside_the_first_apply_does_not_delete_its_stack(
    command: Command, clouds: Clouds, monkeypatch: pytest.MonkeyPatch
) -> None:
    execute = ChangeSet.execute

    def execute_after_a_plan(change_set: ChangeSet) -> None:
        with monkeypatch.context() as patched:
            patched.setattr(ChangeSet, "execute", execute)
            commands.app(["plan"], result_action="return_value")
        assert stacks(clouds) == {STACK: "REVIEW_IN_PROGRESS"}
        execute(change_set)

    monkeypatch.setattr(ChangeSet, "execute", execute_after_a_plan)
    command("apply")
    assert stacks(clouds) == {STACK: "CREATE_COMPLETE"}


def test_an_update_that_aws_cannot_undo_stops_every_command_before_it_writes(
    command: Command, clouds: Clouds
) -> None:
    command("apply")
    (stack,) = cloudformation_backends["123456789012"]["us-east-1"].stacks.values()
    stack.status = "UPDATE_ROLLBACK_FAILED"
    before = state(clouds)
    for name in ("plan", "apply"):
        told = command(name, status=1)
        assert f"`aws cloudformation continue-update-rollback --stack-name {STACK}`" in told
    assert state(clouds) == before


def test_an_output_that_an_upgrade_adds_is_unknown_to_the_plan(command: Command) -> None:
    command("apply")
    (stack,) = cloudformation_backends["123456789012"]["us-east-1"].stacks.values()
    outputs: Any = stack.output_map
    outputs._output_json_map.pop("LogGroup")  # noqa: SLF001 - moto has no other way
    with suppress(KeyError):
        outputs._parsed_outputs.pop("LogGroup")  # noqa: SLF001 - likewise
    assert "~ change work pool spotify" in command("plan")


def test_a_starter_that_is_no_longer_needed_loses_its_access_key(command: Command, clouds: Clouds) -> None:
    """IAM does not delete a user with keys: an update would leave the user and a valid key behind."""
    iam = clouds.client("iam")
    with temporary_settings({PREFECT_CLOUD_API_URL: str(PREFECT_API_URL.value())}):
        command("apply")
    with get_client(sync_client=True) as client:
        client.delete_work_pool("spotify")  # the own server is another one and has no pool yet
    (key,) = iam.list_access_keys(UserName=f"{STACK}-starter")["AccessKeyMetadata"]
    assert f"- delete access key {key['AccessKeyId']} (of {STACK}-starter)" in command("plan")
    # moto loses outputs with an update of parameters, so this apply stops after the stack; it keeps the user.
    assert "has no output LogGroup" in command("apply", status=1)
    assert iam.list_access_keys(UserName=f"{STACK}-starter")["AccessKeyMetadata"] == []


def test_destroy_stops_running_tasks_before_it_deletes_the_cluster(command: Command, clouds: Clouds) -> None:
    command("apply")
    ecs, ec2 = clouds.client("ecs"), clouds.client("ec2")
    container = {"name": "prefect", "image": "image:1", "memory": 512}
    ecs.register_task_definition(family="run", containerDefinitions=[container])
    subnet = ec2.describe_subnets()["Subnets"][0]["SubnetId"]
    (task,) = ecs.run_task(
        cluster=STACK,
        taskDefinition="run",
        launchType="FARGATE",
        networkConfiguration={"awsvpcConfiguration": {"subnets": [subnet]}},
    )["tasks"]
    lines = command("destroy", "--yes").splitlines()
    stopped = f"- delete running task {task['taskArn']}"
    assert f"  {stopped}" in lines
    assert lines.index(stopped) < lines.index(f"{STACK} DELETE_COMPLETE")
    assert clouds.client("s3").list_buckets()["Buckets"][0]["Name"] == LAKE
