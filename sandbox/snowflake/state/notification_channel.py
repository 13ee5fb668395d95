"""The notification channel between the bucket and the pipes: an SQS queue."""

import datetime as dt
import json
import secrets
import threading
from typing import Any
from urllib.parse import unquote_plus

from botocore.exceptions import BotoCoreError, ClientError

from sandbox.snowflake import errors
from sandbox.snowflake.state.pipe import Event

MAX_MESSAGES = 10
"""Maximum number of messages that SQS returns in one response."""


class Channel:
    """The account's queue, created at its first use; it is read only after the first pipe is created."""

    def __init__(self, sqs: Any) -> None:
        self.sqs = sqs
        self.queue_url: str | None = None
        self.arn = ""
        self.listening = False
        self.opening = threading.Lock()

    def open(self) -> str:
        """Creates the queue if necessary; returns its ARN."""
        with self.opening:
            if self.queue_url is None:
                try:
                    self._create_queue()
                except (BotoCoreError, ClientError) as error:
                    message = f"The stand-in's pipes need SQS at the endpoint of S3: {error}"
                    raise errors.failure(errors.NOT_EMULATED, "0A000", message) from error
        return self.arn

    def _create_queue(self) -> None:
        url = self.sqs.create_queue(QueueName=f"sf-snowpipe-{secrets.token_hex(8)}")["QueueUrl"]
        response = self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
        self.arn, self.queue_url = response["Attributes"]["QueueArn"], url

    def listen(self) -> None:
        """Starts to receive events; discards events of files that were written before the first pipe."""
        self.open()
        with self.opening:
            while not self.listening:
                self.listening = not self._messages()

    def events(self) -> list[Event]:
        """Returns the files in the next messages, at most MAX_MESSAGES messages."""
        if not self.listening:
            return []
        return [event for message in self._messages() for event in _events(message)]

    def waiting(self) -> int:
        """Returns the number of messages in the queue."""
        response = self.sqs.get_queue_attributes(
            QueueUrl=self.queue_url, AttributeNames=["ApproximateNumberOfMessages"]
        )
        return int(response["Attributes"]["ApproximateNumberOfMessages"])

    def _messages(self) -> list[str]:
        """Receives and deletes messages in one call: an error in a second call would lose the first ones."""
        received = self.sqs.receive_message(QueueUrl=self.queue_url, MaxNumberOfMessages=MAX_MESSAGES)
        messages = received.get("Messages", [])
        if messages:
            handles = [{"Id": str(n), "ReceiptHandle": m["ReceiptHandle"]} for n, m in enumerate(messages)]
            self.sqs.delete_message_batch(QueueUrl=self.queue_url, Entries=handles)
        return [message["Body"] for message in messages]


def _events(message: str) -> list[Event]:
    """Returns the files in a notification; an s3:TestEvent contains none."""
    now = dt.datetime.now(dt.UTC)
    objects = [
        (each["s3"]["bucket"]["name"], unquote_plus(each["s3"]["object"]["key"]))
        for each in json.loads(message).get("Records", [])
        if each["eventName"].startswith("ObjectCreated:")
    ]
    return [Event(f"s3://{bucket}/{key}", now) for bucket, key in objects]
