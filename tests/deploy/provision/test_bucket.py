"""An existing bucket: missing settings are listed, existing ones are kept."""

import json
import re
from collections.abc import Iterator
from secrets import token_hex
from typing import Any

import boto3
import pytest

from deploy.changes import ProvisionFailed
from deploy.provision.bucket import Bucket, notification

PIPES, OTHER = "arn:aws:sqs:us-east-1:123456789012:pipes", "arn:aws:sqs:us-east-1:123456789012:other"
ALL = ["encryption", "public access blocked", "versioning"]
PREFIXES = ["lifecycle for raw/", "lifecycle for details/", "lifecycle for tables/", "lifecycle for reports/"]


@pytest.fixture
def bucket(aws: str) -> Iterator[Bucket]:
    """A bucket with nothing configured."""
    options = {"aws_access_key_id": "o", "aws_secret_access_key": "o", "region_name": "us-east-1"}
    s3: Any = boto3.client("s3", endpoint_url=aws, **options)  # type: ignore[call-overload]
    sqs: Any = boto3.client("sqs", endpoint_url=aws, **options)  # type: ignore[call-overload]
    for arn in (PIPES, OTHER):
        sqs.create_queue(QueueName=arn.rpartition(":")[2])
    found = Bucket(s3, f"bucket-{token_hex(4)}")
    s3.create_bucket(Bucket=found.name)
    yield found
    found.delete()


def test_each_missing_setting_is_listed(bucket: Bucket) -> None:
    missing = bucket.not_configured("")
    assert set(missing) - {"encryption"} == {*ALL, *PREFIXES} - {"encryption"}
    bucket.s3.put_bucket_versioning(Bucket=bucket.name, VersioningConfiguration={"Status": "Enabled"})
    block = dict.fromkeys(
        ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), True
    )
    bucket.s3.put_public_access_block(Bucket=bucket.name, PublicAccessBlockConfiguration=block)
    rule = {"ID": "raw", "Status": "Enabled", "Filter": {"Prefix": "raw/"}, "Expiration": {"Days": 9}}
    off = rule | {"ID": "tables", "Status": "Disabled", "Filter": {"Prefix": "tables/"}}
    bucket.s3.put_bucket_lifecycle_configuration(
        Bucket=bucket.name, LifecycleConfiguration={"Rules": [rule, off]}
    )
    assert [one for one in bucket.not_configured("") if one != "encryption"] == PREFIXES[1:]
    assert "lifecycle for music/raw/" in bucket.not_configured("music/")


def test_an_existing_notification_is_not_configured_again(bucket: Bucket) -> None:
    assert bucket.must_notify(PIPES, "music/")
    bucket.notify(PIPES, "music/")
    assert not bucket.must_notify(PIPES, "music/")
    (there,) = configured(bucket)["QueueConfigurations"]
    assert there == notification(PIPES, "music/")


def test_other_notifications_are_kept_and_the_message_has_the_merged_configuration(bucket: Bucket) -> None:
    other = {"Id": "other", "QueueArn": OTHER, "Events": ["s3:ObjectRemoved:*"]}
    bucket.s3.put_bucket_notification_configuration(
        Bucket=bucket.name, NotificationConfiguration={"QueueConfigurations": [other]}
    )
    before = configured(bucket)
    with pytest.raises(ProvisionFailed) as refused:
        bucket.must_notify(PIPES, "")
    assert configured(bucket) == before
    merged = re.search(r"--notification-configuration '(.*)'$", str(refused.value))
    assert merged
    bucket.s3.put_bucket_notification_configuration(
        Bucket=bucket.name, NotificationConfiguration=json.loads(merged[1])
    )
    assert configured(bucket)["QueueConfigurations"] == [other, notification(PIPES, "")]
    assert not bucket.must_notify(PIPES, "")


def test_delete_removes_every_version_of_every_object(bucket: Bucket) -> None:
    bucket.s3.put_bucket_versioning(Bucket=bucket.name, VersioningConfiguration={"Status": "Enabled"})
    for body in (b"1", b"2"):
        bucket.s3.put_object(Bucket=bucket.name, Key="raw/a", Body=body)
    bucket.s3.delete_object(Bucket=bucket.name, Key="raw/a")
    bucket.delete()
    assert not bucket.exists()
    bucket.s3.create_bucket(Bucket=bucket.name)  # the fixture deletes it


def configured(bucket: Bucket) -> Any:
    found = bucket.s3.get_bucket_notification_configuration(Bucket=bucket.name)
    return {name: value for name, value in found.items() if name != "ResponseMetadata"}
