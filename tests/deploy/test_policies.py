"""deploy/policies.py equals docs/by-hand.md; evaluation of policies."""

import json
from typing import Any

import pytest

from deploy import policies
from deploy.policies import Account, Document, document, grants, trusted_by_ecs, trusted_by_snowflake
from deploy.policy_evaluation import Decision, evaluate, evaluate_trust
from tests.policies import PAGE

TEXT = PAGE.read_text(encoding="utf-8")


def shown(after: str) -> Any:
    """The first JSON block of the page after a text."""
    return json.loads(TEXT.split(after)[1].split("```json")[1].split("```")[0])


def test_the_policies_equal_those_of_the_docs() -> None:
    trust = trusted_by_snowflake("STORAGE_AWS_IAM_USER_ARN", "STORAGE_AWS_EXTERNAL_ID")
    assert shown("**The lake**") == document(policies.TASK_ROLE)
    assert shown("Save as `read.json`") == document(policies.SNOWFLAKE_ROLE)
    assert shown("Save as `trust.json`") == {**trust, "Statement": [trust["Statement"][0]]}
    assert shown("Save as `ecs-trust.json`") == trusted_by_ecs("ACCOUNT-ID")
    assert "`AmazonECSTaskExecutionRolePolicy` and `logs:CreateLogGroup`" in TEXT
    assert "grant `secretsmanager:GetSecretValue` on it to the execution role" in TEXT


def test_the_folder_precedes_the_prefixes() -> None:
    found = grants(policies.TASK_ROLE, Account("b", "spotify/prod/", "aws-cn"))
    assert found[0].contexts[0] == {"s3:prefix": "spotify/prod/raw/"}
    assert found[1].resource == "arn:aws-cn:s3:::b/spotify/prod/raw/*"


def allow(action: Any = "s3:GetObject", resource: Any = "arn:aws:s3:::b/raw/*", **more: Any) -> Document:
    return {"Statement": {"Effect": "Allow", "Action": action, "Resource": resource, **more}}


def deny(**more: Any) -> Document:
    return {"Statement": [{"Effect": "Deny", "Action": "s3:*", "Resource": "*", **more}]}


INSECURE = {"Bool": {"aws:SecureTransport": "false"}}
POLICIES: dict[str, tuple[list[Document], Decision]] = {
    "exactly": ([allow()], "allowed"),
    "none": ([], "denied"),
    "another action": ([allow("s3:PutObject")], "denied"),
    "another resource": ([allow(resource="arn:aws:s3:::b/tables/*")], "denied"),
    "one key only": ([allow(resource="arn:aws:s3:::b/raw/x")], "denied"),
    "the whole bucket": ([allow(resource="arn:aws:s3:::b/*")], "allowed"),
    "everything": ([allow("*", "*")], "allowed"),
    "a pattern, in other case": ([allow(["S3:get*"])], "allowed"),
    "one character": ([allow("s3:GetObjec?")], "allowed"),
    "all actions except others": (
        [{"Statement": [{"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}]}],
        "allowed",
    ),
    "all resources except this": (
        [{"Statement": [{"Effect": "Allow", "Action": "s3:*", "NotResource": "arn:aws:s3:::b/*"}]}],
        "denied",
    ),
    "denied": ([allow(), deny()], "denied"),
    "denied without TLS": ([allow(), deny(Condition=INSECURE)], "allowed"),
    "denied under a condition": (
        [allow(), deny(Condition={"IpAddress": {"aws:SourceIp": "1.2.3.4/32"}})],
        "unknown",
    ),
    "allowed under a condition": (
        [allow(Condition={"IpAddress": {"aws:SourceIp": "1.2.3.4/32"}})],
        "unknown",
    ),
    "allowed under a tag": ([allow(Condition={"StringEquals": {"aws:PrincipalTag/x": "y"}})], "unknown"),
    "prefix": ([allow(Condition={"StringLike": {"s3:prefix": ["raw/*"]}})], "allowed"),
    "another prefix": ([allow(Condition={"StringLike": {"s3:prefix": "tables/*"}})], "denied"),
    "not that prefix": ([allow(Condition={"StringNotLike": {"S3:Prefix": "raw/*"}})], "denied"),
    "one unknown and one false": (
        [allow(Condition={"StringEquals": {"s3:prefix": "x"}, "Null": {"s3:prefix": "true"}})],
        "denied",
    ),
}


@pytest.mark.parametrize(("given", "decision"), POLICIES.values(), ids=POLICIES)
def test_a_policy_is_evaluated(given: list[Document], decision: Decision) -> None:
    assert evaluate(given, "s3:GetObject", "arn:aws:s3:::b/raw/*", {"s3:prefix": "raw/"}) == decision


USER = "arn:aws:iam::111111111111:user/x"
ID = {"StringEquals": {"sts:ExternalId": "id"}}
TRUSTS: dict[str, tuple[Any, Any, Decision]] = {
    "the user": ({"AWS": USER}, ID, "allowed"),
    "its account": ({"AWS": ["arn:aws:iam::111111111111:root"]}, ID, "allowed"),
    "its account's number": ({"AWS": "111111111111"}, ID, "allowed"),
    "everybody": ("*", ID, "allowed"),
    "another user": ({"AWS": f"{USER}y"}, ID, "denied"),
    "a service": ({"Service": "ec2.amazonaws.com"}, ID, "denied"),
    "another id": ({"AWS": USER}, {"StringEquals": {"sts:ExternalId": "other"}}, "denied"),
}


@pytest.mark.parametrize(("principal", "condition", "decision"), TRUSTS.values(), ids=TRUSTS)
def test_a_trust_policy_is_evaluated(principal: Any, condition: Any, decision: Decision) -> None:
    one = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": principal, "Condition": condition}
    assert evaluate_trust({"Statement": [one]}, ("AWS", USER), {"sts:ExternalId": "id"}) == decision
