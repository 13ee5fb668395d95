"""An existing integration: which statements change it, and what is refused."""

from types import SimpleNamespace
from typing import Any

import pytest

from deploy.changes import ProvisionFailed
from deploy.provision.other_set_up import refuse_other_set_up
from deploy.provision.snowflake_account import SnowflakeAccount
from deploy.provision.snowflake_objects import SnowflakeLake, _integration_changes

ROLE, URL = "arn:aws:iam::1:role/x-snowflake", "s3://spotify-lake/tables/"
SHOWN = {
    "ENABLED": "true",
    "STORAGE_PROVIDER": "S3",
    "STORAGE_AWS_ROLE_ARN": ROLE,
    "STORAGE_ALLOWED_LOCATIONS": URL,
    "STORAGE_BLOCKED_LOCATIONS": "",
}
STACKS = {
    "dev": {"Description": "spotify-playlist-pipeline: the lake"},
    "foreign": {"Description": "another template"},
}
ALTERED: dict[str, tuple[dict[str, str], list[str]]] = {
    "equal": ({}, []),
    "everywhere": ({"STORAGE_ALLOWED_LOCATIONS": "*"}, []),
    "whole bucket": ({"STORAGE_ALLOWED_LOCATIONS": "s3://spotify-lake"}, []),
    "another bucket whose name starts the same": (
        {"STORAGE_ALLOWED_LOCATIONS": "s3://spotify"},
        [f"STORAGE_ALLOWED_LOCATIONS = ('s3://spotify', '{URL}')"],
    ),
    "off": ({"ENABLED": "false"}, ["ENABLED = TRUE"]),
    "another role": ({"STORAGE_AWS_ROLE_ARN": "by-hand"}, [f"STORAGE_AWS_ROLE_ARN = '{ROLE}'"]),
    "other blocked": ({"STORAGE_BLOCKED_LOCATIONS": "s3://spotify-lake/raw/"}, []),
}


@pytest.mark.parametrize(("shown", "wanted"), ALTERED.values(), ids=ALTERED)
def test_what_differs_is_altered(shown: dict[str, str], wanted: list[str]) -> None:
    account: Any = SimpleNamespace(properties=lambda _: SHOWN | shown)
    found = _integration_changes(account, SnowflakeLake(ROLE, URL))
    assert [one.partition(" SET ")[2] for one in found] == wanted


@pytest.mark.parametrize("blocked", ["s3://spotify-lake/", f"s3://other/,{URL}", f"{URL}a/"])
def test_a_blocked_location_is_refused(blocked: str) -> None:
    account: Any = SimpleNamespace(properties=lambda _: SHOWN | {"STORAGE_BLOCKED_LOCATIONS": blocked})
    with pytest.raises(ProvisionFailed, match="STORAGE_BLOCKED_LOCATIONS"):
        _integration_changes(account, SnowflakeLake(ROLE, URL))


def test_an_integration_of_another_provider_is_refused() -> None:
    account = SnowflakeAccount(None, lambda _: None)
    shown: Any = lambda _: {"STORAGE_PROVIDER": "AZURE"}  # noqa: E731 - one value
    account.properties = shown  # type: ignore[method-assign]
    with pytest.raises(ProvisionFailed, match="is for AZURE, not S3"):
        account.trust()


@pytest.mark.parametrize(
    ("role", "refused"),
    [
        ("dev-snowflake", True),
        ("x-snowflake", False),
        ("gone-snowflake", False),
        ("foreign-snowflake", False),
        ("by-hand", False),
    ],
)
def test_the_integration_of_another_stack_is_refused(role: str, *, refused: bool) -> None:
    accounts: Any = SimpleNamespace(
        snowflake=SimpleNamespace(integration_role=lambda: f"arn:aws:iam::1:role/{role}"),
        aws=SimpleNamespace(role_arn=lambda name: f"arn:aws:iam::1:role/{name}"),
        stack=SimpleNamespace(described=STACKS.get),
        options=SimpleNamespace(stack="x"),
    )
    if not refused:
        refuse_other_set_up(accounts)
        return
    with pytest.raises(ProvisionFailed, match="belongs to stack dev"):
        refuse_other_set_up(accounts)


@pytest.mark.parametrize("region", ["AWS_EU_WEST_1", "PUBLIC.AWS_EU_WEST_1"])
def test_the_region_of_the_account_is_compared_in_the_form_of_aws(region: str) -> None:
    account = SnowflakeAccount(None, lambda _: None)
    rows: Any = lambda _: [{"REGION": region}]  # noqa: E731 - one value
    account.rows = rows  # type: ignore[method-assign]
    assert account.region() == "eu-west-1"
