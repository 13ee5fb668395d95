"""Templates and blocks against the types that push pools are known to require.

Prefect Cloud's model is not published. Sources: PrefectHQ/prefect issues 20442 (`verify` is a boolean, null
is refused) and 15892 (values of `env` are strings), and the output of Prefect's own provisioner
(prefect/infrastructure/provisioners/ecs.py).
"""

import asyncio
from typing import Annotated, Any
from uuid import uuid4

import pytest
from prefect.client.schemas.objects import BlockDocument
from prefect.utilities.templating import apply_values, resolve_block_document_references
from prefect_aws import AwsCredentials
from prefect_aws.workers.ecs_worker import ECSJobConfiguration
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError

from blocks.environment import build
from blocks.key_pair import PrivateKey
from deploy.template import PoolType, push_problem, template

KEYS = {
    "ECS_AWS_ACCESS_KEY_ID": "AKIA",
    "ECS_AWS_SECRET_ACCESS_KEY": "secret",
    "AWS_DEFAULT_REGION": "eu-west-1",
}
VARIABLES = {
    "SPOTIFY_CLIENT_ID": "id",
    "SPOTIFY_CLIENT_SECRET": "secret",
    "LAKE_BUCKET": "bucket",
    "SNOWFLAKE_ACCOUNT": "account",
    "SNOWFLAKE_USER": "user",
}
JOB_VARIABLES = {
    "image": "image:1",
    "task_role_arn": "arn:aws:iam::123456789012:role/run",
    "execution_role_arn": "arn:aws:iam::123456789012:role/start",
}
Text = Annotated[str, Field(min_length=1)]


class Strict(BaseModel):
    """No conversion: values must have the declared type."""

    model_config = ConfigDict(strict=True, protected_namespaces=())


class PushClientParameters(Strict):
    """Null is allowed where Prefect's model then allowed it: only `verify` was refused."""

    use_ssl: bool = True
    verify: bool = True
    verify_cert_path: str | None = None
    api_version: str | None = None
    endpoint_url: str | None = None
    config: dict[str, Any] | None = None


class PushCredentials(Strict):
    """Keys and region are required, because Prefect Cloud has no AWS role."""

    aws_access_key_id: Text
    aws_secret_access_key: Text
    region_name: Text
    aws_session_token: str | None = None
    aws_client_parameters: PushClientParameters = PushClientParameters()


class PushJob(Strict):
    """The job configuration of a push pool, with the fields that our template fills in."""

    env: dict[str, str]
    labels: dict[str, str]
    aws_credentials: PushCredentials
    configure_cloudwatch_logs: bool
    cloudwatch_logs_options: dict[str, str]
    match_latest_revision_in_family: bool
    network_configuration: dict[str, Any]
    task_definition: dict[str, Any]
    task_run_request: dict[str, Any]
    execution_role_arn: Text
    name: Text = "name"
    command: Text = "command"
    cluster: Text = "cluster"
    vpc_id: Text = "vpc"
    prefect_api_key_secret_arn: Text = "arn"


def stored(**variables: str) -> dict[str, Any]:
    """Data of the block that starts tasks, as registration saves it."""
    block = build(VARIABLES | variables, PrivateKey.of("pem"))["aws-ecs"]
    return dict(block.model_dump(mode="json", context={"include_secrets": True}))


def block_with_defaults() -> dict[str, Any]:
    """Data of a block created with keys and region only, which Prefect Cloud refused."""
    secret = SecretStr("secret")
    made = AwsCredentials(aws_access_key_id="AKIA", aws_secret_access_key=secret, region_name="eu-west-1")
    return dict(made.model_dump(mode="json", context={"include_secrets": True}))


def job_configuration(pool_type: PoolType, block: dict[str, Any], **variables: object) -> dict[str, Any]:
    """The job configuration of a run before validation, built as Prefect builds it."""
    document = BlockDocument(
        name="aws-ecs",
        data=block,
        block_schema_id=uuid4(),
        block_type_id=uuid4(),
        block_type_name="AWS Credentials",
    )
    made = template(pool_type, str(document.id))
    given = JOB_VARIABLES | variables
    defaults = ECSJobConfiguration._get_base_config_defaults(made["variables"]["properties"])  # noqa: SLF001 - as it is done

    class Api:
        async def read_block_document(self, block_document_id: str) -> BlockDocument:
            assert block_document_id == str(document.id)
            return document

    job = apply_values(made["job_configuration"], defaults | given)
    api: Any = Api()
    return dict(asyncio.run(resolve_block_document_references(job, client=api)))


def test_a_push_pool_accepts_template_and_block() -> None:
    job = PushJob.model_validate(job_configuration("ecs:push", stored(**KEYS)))
    assert job.aws_credentials.region_name == "eu-west-1"
    assert nulls(job.task_definition) == nulls(job.task_run_request) == []
    assert job.task_definition["taskRoleArn"] == JOB_VARIABLES["task_role_arn"]
    assert job.task_run_request["overrides"]["containerOverrides"][0]["environment"] == {}


REFUSED: dict[str, tuple[PoolType, dict[str, Any], dict[str, Any], tuple[str, ...]]] = {
    "null in env": ("ecs", stored(**KEYS), {}, ("env", "PREFECT_HOME")),
    "a number in env": ("ecs:push", stored(**KEYS), {"env": {"A": 1}}, ("env", "A")),
    "null for verify": (
        "ecs:push",
        block_with_defaults(),
        {},
        ("aws_credentials", "aws_client_parameters", "verify"),
    ),
    "no keys": (
        "ecs:push",
        stored(AWS_DEFAULT_REGION="eu-west-1"),
        {},
        ("aws_credentials", "aws_access_key_id"),
    ),
}


@pytest.mark.parametrize(("pool_type", "block", "given", "place"), REFUSED.values(), ids=REFUSED)
def test_the_model_refuses_what_prefect_cloud_refuses(
    pool_type: PoolType, block: dict[str, Any], given: dict[str, Any], place: tuple[str, ...]
) -> None:
    with pytest.raises(ValidationError) as caught:
        PushJob.model_validate(job_configuration(pool_type, block, **given))
    assert place in [error["loc"] for error in caught.value.errors()]


PROBLEMS = {
    "complete": (stored(**KEYS), ""),
    "as Prefect's provisioner writes it": ({"aws_access_key_id": "AKIA", "region_name": "eu-west-1"}, ""),
    "no keys, no region": (stored(), "set ECS_AWS_ACCESS_KEY_ID, AWS_DEFAULT_REGION, run"),
    "of an earlier release": (block_with_defaults(), "Prefect Cloud requires true or false for `verify`"),
}


@pytest.mark.parametrize(("block", "says"), PROBLEMS.values(), ids=PROBLEMS)
def test_an_unusable_block_is_reported_before_the_first_run(block: dict[str, Any], says: str) -> None:
    assert says in (push_problem(block) or "")
    assert bool(push_problem(block)) is bool(says)


def test_a_worker_accepts_its_template_and_a_block_without_keys() -> None:
    job = ECSJobConfiguration(**job_configuration("ecs", stored()))
    assert job.aws_credentials
    assert job.aws_credentials.aws_access_key_id is None
    assert job.env["PREFECT_HOME"] is None


def test_the_two_templates_differ_only_where_they_must() -> None:
    worker, push = template("ecs", "id"), template("ecs:push", "id")
    of_worker, of_push = (made["variables"]["properties"].pop("env") for made in (worker, push))
    assert set(of_worker["default"].values()) == {None}
    assert (of_push["default"], of_push["additionalProperties"]) == ({}, {"type": "string"})
    auth = "prefect_api_auth_string_secret_arn"
    del worker["variables"]["properties"][auth], worker["job_configuration"][auth]
    assert worker == push


def nulls(value: Any, path: str = "") -> list[str]:
    """Paths at which a document has null."""
    if isinstance(value, dict):
        return [found for key, inner in value.items() for found in nulls(inner, f"{path}.{key}")]
    if isinstance(value, list):
        return [found for inner in value for found in nulls(inner, f"{path}[]")]
    return [path] if value is None else []
