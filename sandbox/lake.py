"""The lake's bucket and its event notifications, which trigger the pipes of the warehouse."""

import json
from typing import TYPE_CHECKING

import requests

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

SUFFIX = ".snowpipe.csv.gz"


def create_lake(s3: "S3Client", bucket: str, snowflake: str) -> None:
    """Creates the bucket and its event notifications; idempotent. `snowflake`: URL of the stand-in."""
    s3.create_bucket(Bucket=bucket)
    response = requests.post(f"{snowflake}/sandbox/pipes/channel", timeout=30)
    response.raise_for_status()
    notify_pipes(s3, bucket, response.json()["notification_channel"])


def allow_public_reads(s3: "S3Client", bucket: str) -> None:
    """Allows reads without credentials, for curl and browsers; the server is reachable on loopback only."""
    resource = f"arn:aws:s3:::{bucket}/*"
    grant = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": resource}
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": [grant]}))


def notify_pipes(s3: "S3Client", bucket: str, channel: str) -> None:
    """Sends events of new Snowpipe files to `channel`, the notification_channel column of SHOW PIPES."""
    s3.put_bucket_notification_configuration(
        Bucket=bucket,
        NotificationConfiguration={
            "QueueConfigurations": [
                {
                    "QueueArn": channel,
                    "Events": ["s3:ObjectCreated:*"],
                    "Filter": {"Key": {"FilterRules": [{"Name": "suffix", "Value": SUFFIX}]}},
                }
            ]
        },
    )
