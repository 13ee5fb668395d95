"""deploy/aws.yaml as data, and stacks of it in moto.

moto's CloudFormation ignores most properties of a bucket, secrets and queue policies: the tests check these
in the template instead.
"""

import json
from typing import Any

import yaml

from tests.deploy.image import ROOT
from tests.pipeline.lake.conftest import BUCKET, SESSION

TEMPLATE = ROOT / "deploy" / "aws.yaml"
NAME = "spotify"
FOLDER = "spotify/prod"
ACCOUNT = "123456789012"
SNOWFLAKE_USER = f"arn:aws:iam::{ACCOUNT}:user/snowflake"
EXTERNAL_ID = "an id that is hard to guess"
PARAMETERS = {
    "BucketName": BUCKET,
    "LakeFolder": f"{FOLDER}/",
    "SnowflakeUserArn": SNOWFLAKE_USER,
    "SnowflakeExternalId": EXTERNAL_ID,
}


class _Loader(yaml.SafeLoader):
    """YAML with the short forms of CloudFormation's functions."""


def _function(loader: _Loader, name: str, node: yaml.Node) -> Any:
    if isinstance(node, yaml.SequenceNode):
        value: Any = loader.construct_sequence(node, deep=True)
    else:
        value = node.value
    if name == "GetAtt":
        value = value.split(".")
    return {name if name == "Ref" else f"Fn::{name}": value}


_Loader.add_multi_constructor("!", _function)


def template() -> dict[str, Any]:
    """The template, with functions in their long form."""
    found: dict[str, Any] = yaml.load(TEMPLATE.read_text("utf-8"), _Loader)  # noqa: S506 - a safe loader
    return found


def properties(resource: str) -> dict[str, Any]:
    """Properties of a resource in the template."""
    found: dict[str, Any] = template()["Resources"][resource]["Properties"]
    return found


def actions(policy: str) -> list[str]:
    """All actions of a policy of the template."""
    statements = properties(policy)["PolicyDocument"]["Statement"]
    return [action for one in statements for action in one["Action"]]


def without(policy: str, action: str) -> dict[str, Any]:
    """The template without one action of a policy."""
    found = template()
    document = found["Resources"][policy]["Properties"]["PolicyDocument"]
    for one in document["Statement"]:
        one["Action"] = [name for name in one["Action"] if name != action]
    document["Statement"] = [one for one in document["Statement"] if one["Action"]]
    return found


def create_stack(body: dict[str, Any] | None = None, **parameters: str) -> dict[str, str]:
    """Creates the stack; returns its outputs."""
    cloudformation: Any = SESSION.client("cloudformation")
    cloudformation.create_stack(
        StackName=NAME,
        TemplateBody=json.dumps(body or template()),
        Capabilities=["CAPABILITY_NAMED_IAM"],
        Parameters=[
            {"ParameterKey": name, "ParameterValue": value}
            for name, value in (PARAMETERS | parameters).items()
        ],
    )
    stack = cloudformation.describe_stacks(StackName=NAME)["Stacks"][0]
    return {one["OutputKey"]: one["OutputValue"] for one in stack["Outputs"]}
