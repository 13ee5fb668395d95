"""The lake's bucket, and its notifications for the pipes of the warehouse."""

import json
from typing import TYPE_CHECKING

import requests

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

SUFFIX = ".snowpipe.csv.gz"


def create_lake(s3: "S3Client", bucket: str, snowflake: str) -> None:
    """Creates the bucket and wires it, as its owner does once; may be repeated."""
    s3.create_bucket(Bucket=bucket)
    answer = requests.post(f"{snowflake}/sandbox/pipes/channel", timeout=30)
    answer.raise_for_status()
    wire(s3, bucket, answer.json()["notification_channel"])


def let_everyone_read(s3: "S3Client", bucket: str) -> None:
    """Lets browsers and curl read its files: on loopback they are nobody's secret."""
    resource = f"arn:aws:s3:::{bucket}/*"
    grant = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": resource}
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": [grant]}))


def wire(s3: "S3Client", bucket: str, channel: str) -> None:
    """Notifies `channel`, the notification_channel of SHOW PIPES, of new files for pipes."""
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
