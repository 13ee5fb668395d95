"""The lake's bucket: its existence, configuration, notification and deletion."""

import json
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

from botocore.exceptions import ClientError

from deploy.changes import ProvisionFailed
from pipeline.lake.layout import TABLES_PREFIX

SUFFIX = ".snowpipe.csv.gz"
NOT_CONFIGURED = {
    "NoSuchLifecycleConfiguration",
    "NoSuchPublicAccessBlockConfiguration",
    "ServerSideEncryptionConfigurationNotFoundError",
    "NoSuchBucket",
}
PREFIXES = ("raw/", "details/", TABLES_PREFIX, "reports/")
"""Prefixes that need a lifecycle rule, because they grow without limit."""


class Bucket:
    """An S3 bucket by name."""

    def __init__(self, s3: Any, name: str) -> None:  # noqa: ANN401 - boto3's client
        self.s3, self.name = s3, name

    def exists(self) -> bool:
        """Returns True if it exists; raises ProvisionFailed if access to it is refused."""
        try:
            self.s3.head_bucket(Bucket=self.name)
        except ClientError as error:
            status = error.response["ResponseMetadata"]["HTTPStatusCode"]
            if status == HTTPStatus.NOT_FOUND:
                return False
            raise ProvisionFailed(
                f"Bucket {self.name} belongs to another account or may not be read ({status}). Name another "
                "one with --bucket, or allow the login s3:ListBucket on it"
            ) from None
        return True

    def region(self) -> str:
        """Region of the bucket."""
        return self.s3.get_bucket_location(Bucket=self.name).get("LocationConstraint") or "us-east-1"

    def not_configured(self, folder: str) -> list[str]:
        """Settings that the stack's own bucket has and this one lacks."""
        block = self._configured("get_public_access_block").get("PublicAccessBlockConfiguration", {})
        rules = self._configured("get_bucket_lifecycle_configuration").get("Rules", [])
        ruled = [_prefix(rule) for rule in rules if rule.get("Status") == "Enabled" and "Expiration" in rule]
        found = {
            "encryption": bool(self._configured("get_bucket_encryption")),
            "public access blocked": len(block) > 0 and all(block.values()),
            "versioning": self._configured("get_bucket_versioning").get("Status") == "Enabled",
        }
        for prefix in PREFIXES:
            found[f"lifecycle for {folder}{prefix}"] = any(
                f"{folder}{prefix}".startswith(one) for one in ruled
            )
        return [setting for setting, is_configured in found.items() if not is_configured]

    def must_notify(self, queue_arn: str, folder: str) -> bool:
        """Returns True if the notification is missing; raises if the bucket has other notifications."""
        there = self._configured("get_bucket_notification_configuration")
        there.pop("ResponseMetadata", None)
        wanted = notification(queue_arn, folder)
        queues = there.get("QueueConfigurations", [])
        if any(one["QueueArn"] == queue_arn for one in queues):
            return False
        if there:
            merged = {**there, "QueueConfigurations": [*queues, wanted]}
            raise ProvisionFailed(
                f"Bucket {self.name} already has notifications, and S3 replaces all of them at once. Check "
                "that no prefixes overlap, then set all of them:\n"
                f"aws s3api put-bucket-notification-configuration --bucket {self.name} "
                f"--notification-configuration '{json.dumps(merged)}'"
            )
        return True

    def notify(self, queue_arn: str, folder: str) -> None:
        """Notifies the queue of new files for Snowpipe."""
        self.s3.put_bucket_notification_configuration(
            Bucket=self.name,
            NotificationConfiguration={"QueueConfigurations": [notification(queue_arn, folder)]},
        )

    def stop_notifying(self, queue_arn: str) -> None:
        """Removes the notification of this queue only."""
        there = self._configured("get_bucket_notification_configuration")
        there.pop("ResponseMetadata", None)
        queues = [one for one in there.get("QueueConfigurations", []) if one["QueueArn"] != queue_arn]
        self.s3.put_bucket_notification_configuration(
            Bucket=self.name, NotificationConfiguration={**there, "QueueConfigurations": queues}
        )

    def delete(self) -> None:
        """Deletes every version of every object, then the bucket."""
        for keys in self._versions():
            self.s3.delete_objects(Bucket=self.name, Delete={"Objects": keys, "Quiet": True})
        self.s3.delete_bucket(Bucket=self.name)

    def _versions(self) -> Iterator[list[dict[str, str]]]:
        for page in self.s3.get_paginator("list_object_versions").paginate(Bucket=self.name):
            listed = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
            if listed:
                yield [{"Key": one["Key"], "VersionId": one["VersionId"]} for one in listed]

    def _configured(self, get: str) -> dict[str, Any]:
        try:
            return dict(getattr(self.s3, get)(Bucket=self.name))
        except ClientError as error:
            if error.response["Error"]["Code"] in NOT_CONFIGURED:
                return {}
            raise


def notification(queue_arn: str, folder: str) -> dict[str, Any]:
    """Configuration of the notification, the same as deploy/aws.yaml has for the bucket of the stack."""
    rules = [
        {"Name": "prefix", "Value": f"{folder}{TABLES_PREFIX}"},
        {"Name": "suffix", "Value": SUFFIX},
    ]
    return {
        "Id": "snowpipe",
        "QueueArn": queue_arn,
        "Events": ["s3:ObjectCreated:*"],
        "Filter": {"Key": {"FilterRules": rules}},
    }


def _prefix(rule: dict[str, Any]) -> str:
    """Prefix of a lifecycle rule; S3 has three forms of it."""
    filtered = rule.get("Filter", {})
    return str(rule.get("Prefix") or filtered.get("Prefix") or filtered.get("And", {}).get("Prefix", ""))
