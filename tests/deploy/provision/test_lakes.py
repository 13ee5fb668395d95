"""The lake in buckets of all kinds: which files `destroy` deletes, and which lake a later command finds."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from deploy.provision import command as commands
from deploy.provision.snowflake_account import SnowflakeAccount
from tests.deploy.provision.conftest import LAKE, THREE_LINES, Clouds, Command
from tests.deploy.provision.interruptions import Interruption, Killed, interrupted
from tests.deploy.provision.test_provision import NOTHING

pytestmark = pytest.mark.faults

SHARED = "company-data"
QUEUE, OTHER = "arn:aws:sqs:us-east-1:123456789012:sf-snowpipe", "arn:aws:sqs:us-east-1:123456789012:other"
OF_OTHERS = {"Id": "other", "QueueArn": OTHER, "Events": ["s3:ObjectRemoved:*"]}


@pytest.fixture(autouse=True)
def _without_preflight(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "run_preflight", lambda **_: 0)


def put(clouds: Clouds, bucket: str, *keys: str) -> None:
    s3 = clouds.client("s3")
    for key in keys:
        s3.put_object(Bucket=bucket, Key=key, Body=b"1")


def keys(clouds: Clouds, bucket: str) -> list[str]:
    listed: Any = clouds.client("s3").list_objects_v2(Bucket=bucket)
    return [one["Key"] for one in listed.get("Contents", [])]


def test_only_the_lake_is_deleted_from_a_shared_bucket_also_after_an_interruption(
    command: Command, clouds: Clouds, project_folder: Path
) -> None:
    clouds.client("s3").create_bucket(Bucket=SHARED)
    (project_folder / ".env").write_text(f"{THREE_LINES}LAKE_FOLDER=spotify/prod\n", encoding="utf-8")
    put(clouds, SHARED, "payroll/2026.csv", "raw/of-somebody")
    command("apply", "--bucket", SHARED)
    put(clouds, SHARED, "spotify/prod/raw/x", "spotify/prod/runs/y")
    with interrupted(Interruption(at="DeleteStack")), pytest.raises(Killed):
        command("destroy", "--yes", "--lake", SHARED)
    printed = command("destroy", "--yes", "--lake", SHARED)
    assert f"delete files of the lake in s3://{SHARED}/spotify/prod/" in printed
    assert f"keep bucket {SHARED} (it also contains payroll/, raw/)" in printed
    assert keys(clouds, SHARED) == ["payroll/2026.csv", "raw/of-somebody"]
    assert not (project_folder / ".env.deployed").exists()


def test_the_folder_of_a_lake_is_never_forgotten_or_guessed(
    command: Command, clouds: Clouds, project_folder: Path
) -> None:
    clouds.client("s3").create_bucket(Bucket=SHARED)
    variables = project_folder / ".env"
    variables.write_text(f"{THREE_LINES}LAKE_FOLDER=spotify\n", encoding="utf-8")
    put(clouds, SHARED, "raw/of-somebody", "spotify/raw/x")
    command("apply", "--bucket", SHARED)
    variables.write_text(THREE_LINES, encoding="utf-8")
    assert NOTHING in command("plan")
    clouds.client("s3").create_bucket(Bucket="other-data")
    put(clouds, "other-data", "raw/of-somebody")
    command("destroy", "--yes", "--bucket", "other-data", "--lake", "other-data", status=1)
    assert keys(clouds, "other-data") == ["raw/of-somebody"]
    command("destroy", "--yes")
    (project_folder / ".env.deployed").unlink()
    refused = command("destroy", "--yes", "--bucket", SHARED, "--lake", SHARED, status=1)
    assert "The folder of the lake in bucket company-data is not known" in refused
    variables.write_text(f"{THREE_LINES}LAKE_FOLDER=spotify\n", encoding="utf-8")
    command("destroy", "--yes", "--bucket", SHARED, "--lake", SHARED)
    assert keys(clouds, SHARED) == ["raw/of-somebody"]


def test_another_bucket_in_the_file_than_the_stacks_is_refused(
    command: Command, project_folder: Path
) -> None:
    command("apply")
    (project_folder / ".env").write_text(f"{THREE_LINES}LAKE_BUCKET=other-lake\n", encoding="utf-8")
    assert "LAKE_BUCKET is other-lake, but the lake of stack" in command("plan", status=1)


def test_a_kept_lake_is_found_by_later_commands(
    command: Command, clouds: Clouds, project_folder: Path
) -> None:
    clouds.client("s3").create_bucket(Bucket=SHARED)
    command("apply", "--bucket", SHARED)
    put(clouds, SHARED, "raw/x", "reports/y")
    assert f"--lake {SHARED} deletes the lake's files" in command("destroy", "--yes")
    remembered = (project_folder / ".env.deployed").read_text(encoding="utf-8")
    assert f"LAKE_BUCKET='{SHARED}'" in remembered
    assert "IMAGE_REPOSITORY" not in remembered
    assert f"keep bucket {SHARED}" in command("plan")
    command("destroy", "--yes", "--lake", SHARED)
    assert keys(clouds, SHARED) == []
    assert NOTHING in command("destroy", "--bucket", SHARED)


def test_the_stacks_own_bucket_is_deleted_unless_it_has_other_files(command: Command, clouds: Clouds) -> None:
    command("apply")
    put(clouds, LAKE, "raw/x", "of-somebody")
    command("destroy", "--yes")
    refused = command("apply", "--parameter", "RawDays=365", status=1)
    assert "--parameter RawDays: the bucket is not part of the stack" in refused
    assert "also contains of-somebody" in command("destroy", "--yes", "--lake", LAKE)
    assert keys(clouds, LAKE) == ["of-somebody"]
    clouds.client("s3").delete_object(Bucket=LAKE, Key="of-somebody")
    assert f"- delete bucket {LAKE}" in command("destroy", "--yes", "--lake", LAKE)
    assert clouds.client("s3").list_buckets()["Buckets"] == []


@pytest.fixture
def _pipes(clouds: Clouds, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pipes that read a queue of the account."""
    for arn in (QUEUE, OTHER):
        clouds.client("sqs").create_queue(QueueName=arn.rpartition(":")[2])
    monkeypatch.setattr(SnowflakeAccount, "notification_channel", lambda _: QUEUE)


def queues(clouds: Clouds, bucket: str) -> list[str]:
    found = clouds.client("s3").get_bucket_notification_configuration(Bucket=bucket)
    return [one["QueueArn"] for one in found.get("QueueConfigurations", [])]


@pytest.mark.usefixtures("_pipes")
def test_destroy_removes_the_notification_of_a_kept_bucket(command: Command, clouds: Clouds) -> None:
    clouds.client("s3").create_bucket(Bucket=SHARED)
    command("apply", "--bucket", SHARED, "--snowpipe")
    assert queues(clouds, SHARED) == [QUEUE]
    assert NOTHING in command("plan", "--snowpipe")
    assert f"delete notification of bucket {SHARED}" in command("destroy", "--yes")
    assert queues(clouds, SHARED) == []


@pytest.mark.usefixtures("_pipes")
def test_the_stack_does_not_replace_notifications_that_a_person_has_merged(
    command: Command, clouds: Clouds
) -> None:
    command("apply")
    s3 = clouds.client("s3")
    s3.put_bucket_notification_configuration(
        Bucket=LAKE, NotificationConfiguration={"QueueConfigurations": [OF_OTHERS]}
    )
    refused = command("apply", "--snowpipe", status=1)
    merged = re.search(r"--notification-configuration '(.*)'$", refused, re.MULTILINE)
    assert merged
    s3.put_bucket_notification_configuration(Bucket=LAKE, NotificationConfiguration=json.loads(merged[1]))
    assert NOTHING in command("plan", "--snowpipe")
    command("destroy", "--yes")
    assert queues(clouds, LAKE) == [OTHER]


def test_the_region_is_checked_before_there_are_pipes(
    command: Command, clouds: Clouds, monkeypatch: pytest.MonkeyPatch
) -> None:
    clouds.client("s3").create_bucket(Bucket=SHARED)
    command("plan", "--bucket", SHARED, "--snowpipe")
    monkeypatch.setattr(SnowflakeAccount, "region", lambda _: "eu-west-1")
    refused = command("apply", "--bucket", SHARED, "--snowpipe", status=1)
    assert "is in us-east-1 and Snowflake's queue in eu-west-1" in refused
