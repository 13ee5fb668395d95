"""The lake's bucket, and its notifications for the pipes of the warehouse."""

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
