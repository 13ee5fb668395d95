"""The lake's bucket: its existence, configuration, notification and deletion."""

import json
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

from botocore.exceptions import ClientError

from deploy.automations import TAG
from deploy.changes import ProvisionFailed
from deploy.provision.bucket_settings import missing_settings
from pipeline.lake.layout import PREFIXES, SUFFIXES, TABLES_PREFIX

NOT_CONFIGURED = {
    "NoSuchLifecycleConfiguration",
    "NoSuchPublicAccessBlockConfiguration",
    "NoSuchTagSet",
    "OwnershipControlsNotFoundError",
    "ServerSideEncryptionConfigurationNotFoundError",
    "NoSuchBucketPolicy",
    "NoSuchBucket",
}


class Bucket:
    """An S3 bucket by name. AWS refuses each request if it does not belong to the account `owner`."""

    def __init__(self, s3: Any, name: str, owner: str) -> None:  # noqa: ANN401 - boto3's client
        self.s3, self.name = s3, name
        self._which = {"Bucket": name, "ExpectedBucketOwner": owner}

    def exists(self) -> bool:
        """Returns True if it exists; raises ProvisionFailed if access to it is refused."""
        try:
            self.s3.head_bucket(**self._which)
        except ClientError as error:
            status = error.response["ResponseMetadata"]["HTTPStatusCode"]
            if status == HTTPStatus.NOT_FOUND:
                return False
            raise ProvisionFailed(
                f"Bucket {self.name} belongs to another account or may not be read ({status}). Name another "
                "one with --bucket or LAKE_BUCKET in .env, or allow the login s3:ListBucket on it"
            ) from None
        return True

    def is_ours(self) -> bool:
        """Returns True if the stack created it, now or earlier: its tag stays after the stack is deleted."""
        tags = self._configured("get_bucket_tagging").get("TagSet", [])
        return {"Key": "project", "Value": TAG} in tags

    def region(self) -> str:
        """Region of the bucket."""
        return self.s3.get_bucket_location(**self._which).get("LocationConstraint") or "us-east-1"

    def not_configured(self, folder: str) -> list[str]:
        """Settings that the stack's own bucket has and this one lacks."""
        return missing_settings(self._configured, folder)

    # --- notification ---

    def must_notify(self, queue_arn: str, folder: str) -> bool:
        """Returns True if the notification is missing; raises if the bucket has other notifications."""
        ours, others = self.notifications(folder)
        if any(one["QueueArn"] == queue_arn for one in ours):
            return False
        if others:
            queues = [*others.get("QueueConfigurations", []), notification(queue_arn, folder)]
            raise ProvisionFailed(
                f"Bucket {self.name} already has notifications, and S3 replaces all of them at once. Check "
                "that no prefixes overlap, then set all of them:\n"
                f"aws s3api put-bucket-notification-configuration --bucket {self.name} "
                f"--notification-configuration '{json.dumps({**others, 'QueueConfigurations': queues})}'"
            )
        return True

    def notify(self, queue_arn: str, folder: str) -> None:
        """Notifies the queue of new files for Snowpipe."""
        self._put_notifications({"QueueConfigurations": [notification(queue_arn, folder)]})

    def stop_notifying(self, folder: str) -> None:
        """Removes our notification only."""
        self._put_notifications(self.notifications(folder)[1])

    def notifications(self, folder: str) -> tuple[list[dict[str, Any]], dict[str, Any]]:
        """Our queue notifications, by their filter and events, and the configuration without them."""
        others = self._configured("get_bucket_notification_configuration")
        others.pop("ResponseMetadata", None)
        queues = others.pop("QueueConfigurations", [])
        ours = [one for one in queues if _has_our_filter(one, folder)]
        rest = [one for one in queues if one not in ours]
        return ours, others | ({"QueueConfigurations": rest} if rest else {})

    def _put_notifications(self, configuration: dict[str, Any]) -> None:
        self.s3.put_bucket_notification_configuration(**self._which, NotificationConfiguration=configuration)

    # --- deletion ---

    def has_lake(self, folder: str) -> bool:
        """Returns True if there is any version of a file of the lake."""
        return any(any(self._versions(f"{folder}{prefix}")) for prefix in PREFIXES)

    def others(self, folder: str) -> list[str]:
        """Names at the root of the bucket, and next to the lake, that are not the lake's."""
        found, path = [], ""
        for part in folder.split("/")[:-1]:
            found += [name for name in self._names(path) if name != f"{path}{part}/"]
            path = f"{path}{part}/"
        return [*found, *(name for name in self._names(path) if name.removeprefix(path) not in PREFIXES)]

    def delete_lake(self, folder: str) -> None:
        """Deletes every version of every file of the lake, and no other file."""
        for prefix in PREFIXES:
            for keys in self._versions(f"{folder}{prefix}"):
                refused = self.s3.delete_objects(**self._which, Delete={"Objects": keys, "Quiet": True})
                if errors := refused.get("Errors"):
                    raise ProvisionFailed(
                        f"S3 refused to delete {len(errors)} files of bucket {self.name}, first "
                        f"{errors[0]['Key']} ({errors[0]['Code']}). Allow the login s3:DeleteObjectVersion"
                    )

    def delete(self) -> None:
        """Deletes the bucket, which has to be empty."""
        self.s3.delete_bucket(**self._which)

    def _names(self, path: str) -> list[str]:
        """The first 1,000 names directly below a path, like those that a file browser shows."""
        page = self.s3.list_object_versions(**self._which, Prefix=path, Delimiter="/")
        folders = [one["Prefix"] for one in page.get("CommonPrefixes", [])]
        return [*folders, *(one["Key"] for one in _versions_of(page))]

    def _versions(self, prefix: str) -> Iterator[list[dict[str, str]]]:
        pages = self.s3.get_paginator("list_object_versions").paginate(**self._which, Prefix=prefix)
        for page in pages:
            if listed := _versions_of(page):
                yield [{"Key": one["Key"], "VersionId": one["VersionId"]} for one in listed]

    def _configured(self, get: str) -> dict[str, Any]:
        try:
            return dict(getattr(self.s3, get)(**self._which))
        except ClientError as error:
            if error.response["Error"]["Code"] in NOT_CONFIGURED:
                return {}
            raise


def notification(queue_arn: str, folder: str) -> dict[str, Any]:
    """Configuration of the notification, the same as deploy/aws.yaml has for the bucket of the stack."""
    rules = [
        {"Name": "prefix", "Value": f"{folder}{TABLES_PREFIX}"},
        {"Name": "suffix", "Value": SUFFIXES["snowpipe"]},
    ]
    return {
        "Id": "snowpipe",
        "QueueArn": queue_arn,
        "Events": ["s3:ObjectCreated:*"],
        "Filter": {"Key": {"FilterRules": rules}},
    }


def _has_our_filter(one: dict[str, Any], folder: str) -> bool:
    """Returns True if it reports new files for Snowpipe below this folder."""
    wanted = notification("", folder)
    return one["Events"] == wanted["Events"] and _rules(one) == _rules(wanted)


def _rules(one: dict[str, Any]) -> set[tuple[str, str]]:
    rules = one.get("Filter", {}).get("Key", {}).get("FilterRules", [])
    return {(rule["Name"].lower(), rule["Value"]) for rule in rules}


def _versions_of(page: dict[str, Any]) -> list[dict[str, str]]:
    return [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
