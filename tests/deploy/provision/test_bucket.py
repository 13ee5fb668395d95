"""An existing bucket: missing settings are listed, existing ones are kept."""

import json
import re
from collections.abc import Iterator
from secrets import token_hex
from types import SimpleNamespace
from typing import Any

import boto3
import pytest

from deploy.changes import ProvisionFailed
from deploy.provision.bucket import Bucket, notification
from deploy.provision.bucket_settings import missing_settings

PIPES, OTHER = "arn:aws:sqs:us-east-1:123456789012:pipes", "arn:aws:sqs:us-east-1:123456789012:other"
OWNER = "123456789012"
PREFIXES = ["lifecycle for tables/", "lifecycle for reports/"]
RULES = [*PREFIXES, "lifecycle for old versions", "lifecycle for incomplete uploads"]
ALL = [
    "public access blocked",
    "bucket owner owns all objects",
    "requests without TLS refused",
    "versioning",
    *RULES,
]


@pytest.fixture
def bucket(aws: str) -> Iterator[Bucket]:
    """A bucket with nothing configured."""
    options = {"aws_access_key_id": "o", "aws_secret_access_key": "o", "region_name": "us-east-1"}
    s3: Any = boto3.client("s3", endpoint_url=aws, **options)  # type: ignore[call-overload]
    sqs: Any = boto3.client("sqs", endpoint_url=aws, **options)  # type: ignore[call-overload]
    for arn in (PIPES, OTHER):
        sqs.create_queue(QueueName=arn.rpartition(":")[2])
    found = Bucket(s3, f"bucket-{token_hex(4)}", OWNER)
    s3.create_bucket(Bucket=found.name)
    yield found
    for keys in found._versions(""):  # noqa: SLF001 - the bucket may hold other files than the lake's
        s3.delete_objects(Bucket=found.name, Delete={"Objects": keys})
    found.delete()


def test_each_missing_setting_is_listed(bucket: Bucket) -> None:
    assert lacks(bucket) == ALL
    bucket.s3.put_bucket_versioning(Bucket=bucket.name, VersioningConfiguration={"Status": "Enabled"})
    block = dict.fromkeys(
        ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), True
    )
    bucket.s3.put_public_access_block(Bucket=bucket.name, PublicAccessBlockConfiguration=block)
    owned = {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
    bucket.s3.put_bucket_ownership_controls(Bucket=bucket.name, OwnershipControls=owned)
    policy = {"Statement": [{"Condition": {"Bool": {"aws:SecureTransport": "false"}}}]}
    bucket.s3.put_bucket_policy(Bucket=bucket.name, Policy=json.dumps(policy))
    assert lacks(bucket) == RULES


RULE = {"ID": "a", "Status": "Enabled", "Filter": {"Prefix": "tables/"}, "Expiration": {"Days": 9}}
EVERYTHING = {
    "Filter": {"Prefix": ""},
    "NoncurrentVersionExpiration": {"NoncurrentDays": 9},
    "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 9},
}
RULED: dict[str, tuple[dict[str, Any], list[str]]] = {
    "one prefix": ({}, RULES[1:]),
    "everything": (EVERYTHING, []),
    "off": ({"Status": "Disabled"}, RULES),
    "only delete markers": (EVERYTHING | {"Expiration": {"ExpiredObjectDeleteMarker": True}}, PREFIXES),
    "only tagged files": ({"Filter": {"Tag": {"Key": "a", "Value": "b"}}}, RULES),
    "only large files": ({"Filter": {"And": {"Prefix": "", "ObjectSizeGreaterThan": 9}}}, RULES),
}


@pytest.mark.parametrize(("rule", "missing"), RULED.values(), ids=RULED)
def test_only_a_lifecycle_rule_for_all_files_counts(rule: dict[str, Any], missing: list[str]) -> None:
    responses = {"get_bucket_lifecycle_configuration": {"Rules": [RULE | rule]}}
    found = missing_settings(lambda get: responses.get(get, {}), "")
    assert [one for one in found if one in RULES] == missing
    assert "lifecycle for music/tables/" in missing_settings(lambda _: {}, "music/")


def test_a_kms_key_that_the_roles_may_not_use_is_listed() -> None:
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}}
    responses = {"get_bucket_encryption": {"ServerSideEncryptionConfiguration": {"Rules": [rule]}}}
    found = missing_settings(lambda get: responses.get(get, {}), "")
    assert found[0] == "rights of the roles on its KMS key (docs/by-hand.md)"


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


def test_a_notification_of_the_same_queue_for_other_files_does_not_count(bucket: Bucket) -> None:
    other = notification(PIPES, "of-another-pipeline/")
    bucket.s3.put_bucket_notification_configuration(
        Bucket=bucket.name, NotificationConfiguration={"QueueConfigurations": [other]}
    )
    with pytest.raises(ProvisionFailed, match="already has notifications"):
        bucket.must_notify(PIPES, "")


def test_only_our_notification_is_removed(bucket: Bucket) -> None:
    other = {"Id": "other", "QueueArn": OTHER, "Events": ["s3:ObjectRemoved:*"]}
    both = {"QueueConfigurations": [other, notification(PIPES, "")]}
    bucket.s3.put_bucket_notification_configuration(Bucket=bucket.name, NotificationConfiguration=both)
    bucket.stop_notifying("")
    assert configured(bucket)["QueueConfigurations"] == [other]


def test_every_version_of_the_lakes_files_is_deleted_and_no_other_file(bucket: Bucket) -> None:
    bucket.s3.put_bucket_versioning(Bucket=bucket.name, VersioningConfiguration={"Status": "Enabled"})
    for key in ("music/raw/a", "music/raw/a", "music/runs/b", "music/payroll", "raw/a", "c"):
        bucket.s3.put_object(Bucket=bucket.name, Key=key, Body=b"1")
    bucket.s3.delete_object(Bucket=bucket.name, Key="music/raw/a")
    assert bucket.others("music/") == ["raw/", "c", "music/payroll"]
    bucket.delete_lake("music/")
    assert not bucket.has_lake("music/")
    listed = bucket.s3.list_object_versions(Bucket=bucket.name)
    assert [one["Key"] for one in listed["Versions"]] == ["c", "music/payroll", "raw/a"]
    assert "DeleteMarkers" not in listed


def test_a_bucket_of_the_stack_has_its_tag(bucket: Bucket) -> None:
    assert not bucket.is_ours()
    tags = {"TagSet": [{"Key": "project", "Value": "spotify-playlist-pipeline"}]}
    bucket.s3.put_bucket_tagging(Bucket=bucket.name, Tagging=tags)
    assert bucket.is_ours()


def test_each_request_names_the_owner_of_the_bucket() -> None:
    """AWS then refuses a bucket of the same name in somebody else's account."""
    sent: list[dict[str, str]] = []
    s3: Any = SimpleNamespace(head_bucket=lambda **request: sent.append(request))
    assert Bucket(s3, "lake", OWNER).exists()
    assert sent == [{"Bucket": "lake", "ExpectedBucketOwner": OWNER}]


def lacks(bucket: Bucket) -> list[str]:
    """Missing settings; moto encrypts some buckets by default, as S3 does."""
    return [one for one in bucket.not_configured("") if one != "encryption"]


def configured(bucket: Bucket) -> Any:
    found = bucket.s3.get_bucket_notification_configuration(Bucket=bucket.name)
    return {name: value for name, value in found.items() if name != "ResponseMetadata"}
