"""Keys that are stored in blocks only: key pair of the Snowflake user, access key of the starter."""

from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any

import boto3
import pytest

from blocks.key_pair import KeyPair, fingerprint, public_key_of
from deploy.changes import ProvisionFailed
from deploy.provision import starter_key
from deploy.provision.aws_login import AwsLogin
from deploy.provision.user_key import key_changes, register_key

TAKEN = "Service role name AWSServiceRoleForECS has been taken in this account"
PAIR, OTHER = KeyPair.new(), "SHA256:other"
OURS = fingerprint(PAIR.public)
SLOTS: dict[str, tuple[dict[str, str], str | None]] = {
    "none": ({"RSA_PUBLIC_KEY_FP": "null", "RSA_PUBLIC_KEY_2_FP": "null"}, "RSA_PUBLIC_KEY"),
    "another": ({"RSA_PUBLIC_KEY_FP": OTHER, "RSA_PUBLIC_KEY_2_FP": "null"}, "RSA_PUBLIC_KEY_2"),
    "ours": ({"RSA_PUBLIC_KEY_FP": OURS, "RSA_PUBLIC_KEY_2_FP": OTHER}, None),
    "ours second": ({"RSA_PUBLIC_KEY_FP": OTHER, "RSA_PUBLIC_KEY_2_FP": OURS}, None),
}


def account(shown: dict[str, str], sent: list[str]) -> Any:
    return SimpleNamespace(properties=lambda _: shown, echo=lambda _: None, rows=sent.append)


@pytest.mark.parametrize(("shown", "slot"), SLOTS.values(), ids=SLOTS)
def test_the_public_key_is_set_in_a_free_slot(shown: dict[str, str], slot: str | None) -> None:
    sent: list[str] = []
    register_key(account(shown, sent), PAIR.private)
    wanted = [f"ALTER USER SPOTIFY_PIPELINE SET {slot} = '{PAIR.public}'"] if slot else []
    assert sent == wanted
    assert len(key_changes(account(shown, []), PAIR.private)) == len(wanted)


def test_two_other_keys_are_not_replaced() -> None:
    sent: list[str] = []
    with pytest.raises(ProvisionFailed, match="already has two public keys"):
        register_key(
            account(dict.fromkeys(("RSA_PUBLIC_KEY_FP", "RSA_PUBLIC_KEY_2_FP"), OTHER), sent), PAIR.private
        )
    assert sent == []


def test_the_public_key_is_derived_from_the_private_key() -> None:
    assert public_key_of(PAIR.private) == PAIR.public


def test_the_starter_has_one_access_key_and_the_block_stores_it(
    aws: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A key that is in no block is deleted: a command was killed before it could write the block."""
    session: Any = boto3.Session("o", "o", region_name="us-east-1")
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws)
    iam = session.client("iam")
    iam.create_user(UserName="x-starter")
    lost = iam.create_access_key(UserName="x-starter")["AccessKey"]["AccessKeyId"]
    held: list[Any] = []
    monkeypatch.setattr(starter_key, "pool_type", lambda: "ecs:push")
    monkeypatch.setattr(starter_key, "find", lambda *_: held[0] if held else None)
    accounts: Any = SimpleNamespace(
        aws=AwsLogin(session, "123456789012", "arn:aws:iam::123456789012:user/o"),
        variables=SimpleNamespace(values={}),
        options=SimpleNamespace(stack="x"),
        echo=lambda _: None,
    )
    made = starter_key.write_starter_key(accounts, {"StarterUser": "x-starter"})
    there = [one["AccessKeyId"] for one in iam.list_access_keys(UserName="x-starter")["AccessKeyMetadata"]]
    assert there == [made["ECS_AWS_ACCESS_KEY_ID"]]
    assert there != [lost]
    secret = SimpleNamespace(get_secret_value=lambda: made["ECS_AWS_SECRET_ACCESS_KEY"])
    held.append(SimpleNamespace(aws_access_key_id=there[0], aws_secret_access_key=secret))
    assert starter_key.starter_changes(accounts, {"StarterUser": "x-starter"}) == []
    assert starter_key.write_starter_key(accounts, {"StarterUser": "x-starter"}) == made
    iam.delete_access_key(UserName="x-starter", AccessKeyId=there[0])
    iam.delete_user(UserName="x-starter")


class InvalidInput(Exception):
    """What IAM raises if the service-linked role exists, and for other reasons."""


@pytest.mark.parametrize(("refusal", "is_expected"), [(TAKEN, True), ("another reason", False)])
def test_the_role_of_ecs_may_be_created_by_aws_in_the_meantime(refusal: str, *, is_expected: bool) -> None:
    def refuse(**_: str) -> None:
        raise InvalidInput(refusal)

    exceptions = SimpleNamespace(InvalidInputException=InvalidInput)
    iam = SimpleNamespace(exceptions=exceptions, create_service_linked_role=refuse)
    session: Any = SimpleNamespace(client=lambda _: iam)
    login = AwsLogin(session, "123456789012", "arn:aws:iam::123456789012:user/o")
    with nullcontext() if is_expected else pytest.raises(InvalidInput):
        login.create_ecs_role()
