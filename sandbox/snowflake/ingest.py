"""The channel between the bucket and the pipes: an SQS queue, and the thread that empties it."""

import contextlib
import datetime as dt
import json
import logging
import re
import secrets
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_plus

from botocore.exceptions import BotoCoreError, ClientError
from snowflake.connector.errors import ProgrammingError

from sandbox.snowflake import errors
from sandbox.snowflake.copy_into import check_bytes, run_load
from sandbox.snowflake.lake import fetch
from sandbox.snowflake.load import Load
from sandbox.snowflake.load_history import LOAD_FAILED, Entry, record
from sandbox.snowflake.locks import run_waiting
from sandbox.snowflake.pipes import Event, Pipe, Pipes
from sandbox.snowflake.tables import existing_table

if TYPE_CHECKING:
    from sandbox.snowflake.session import Session

log = logging.getLogger(__name__)

AT_ONCE = 10  # messages, the most that SQS gives
PAUSE = 0.05, 0.3  # seconds between looks at the queue: after a message, and when there was none for long
RECENT = 10.0  # seconds
RETRIED = {625, 91003}  # a lock, or a bucket that does not answer: later
LINE = re.compile(r"\n  File '[^']*', line (?P<line>\d+)")
COLUMN = re.compile(r'\n  Row \d+, column "[^"]*"\["(?P<column>.*)":\d+\]')


class Ingest:
    """Feeds the account's pipes. There is no queue before somebody asks for it, no thread before a pipe."""

    def __init__(self, pipes: Pipes, sqs: Any) -> None:
        self.pipes = pipes
        self.account = pipes.account
        self.sqs = sqs
        self.queue_url: str | None = None
        self.arn = ""
        self.thread: threading.Thread | None = None
        self.stopping = threading.Event()
        self.starting = threading.Lock()

    def channel(self) -> str:
        """Return the queue's ARN; every account has one of its own."""
        with self.starting:
            if self.queue_url is None:
                try:
                    self._create_queue()
                except (BotoCoreError, ClientError) as error:
                    message = f"The stand-in's pipes need SQS at the endpoint of S3: {error}"
                    raise errors.failure(errors.NOT_EMULATED, "0A000", message) from error
        return self.arn

    def _create_queue(self) -> None:
        url = self.sqs.create_queue(QueueName=f"sf-snowpipe-{secrets.token_hex(8)}")["QueueUrl"]
        asked = self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
        self.arn, self.queue_url = asked["Attributes"]["QueueArn"], url

    def start(self) -> None:
        """Listen from now on; what was put before the first pipe is not for pipes."""
        self.channel()
        with self.starting:
            if self.thread is None:
                while self._messages():
                    continue
                self.thread = threading.Thread(target=self._run, name="pipes", daemon=True)
                self.thread.start()

    def stop(self) -> None:
        """End the thread, after the file that it is loading."""
        self.stopping.set()
        if self.thread is not None:
            self.thread.join(10)

    def waiting(self) -> int:
        """Return the number of messages that were not received yet."""
        asked = self.sqs.get_queue_attributes(
            QueueUrl=self.queue_url, AttributeNames=["ApproximateNumberOfMessages"]
        )
        return int(asked["Attributes"]["ApproximateNumberOfMessages"])

    def _run(self) -> None:
        latest = time.monotonic()
        while not self.stopping.wait(PAUSE[time.monotonic() - latest > RECENT]):
            try:
                if self._look():
                    latest = time.monotonic()
            except (BotoCoreError, ClientError):  # S3 may be gone for a while
                continue
            except Exception:  # whatever it was, files must go on arriving
                log.exception("the pipes' thread goes on after")

    def _look(self) -> bool:
        """Receive what has arrived and load what is due; tell whether there was anything."""
        messages = self._messages()
        if messages:
            self.pipes.receive([event for message in messages for event in _events(message)])
        due = self.pipes.due()
        for pipe, event in due:
            if not self.stopping.is_set():
                self._load(pipe, event)
        return bool(messages or due)

    def _messages(self) -> list[str]:
        """Take a handful off the queue: what was taken must not get lost by an error of the next call."""
        received = self.sqs.receive_message(QueueUrl=self.queue_url, MaxNumberOfMessages=AT_ONCE)
        messages = received.get("Messages", [])
        if messages:
            handles = [{"Id": str(n), "ReceiptHandle": m["ReceiptHandle"]} for n, m in enumerate(messages)]
            self.sqs.delete_message_batch(QueueUrl=self.queue_url, Entries=handles)
        return [message["Body"] for message in messages]

    def _load(self, pipe: Pipe, event: Event) -> None:
        """Load one file in a transaction of its own; a bad one is skipped and noted."""
        session = self.account.open_session(pipe.name[0], pipe.name[1])
        try:
            _load_file(session, pipe, event)
            self.pipes.finish(pipe, event, loaded=True)
        except Exception as error:  # noqa: BLE001 - the thread must outlive whatever a file does
            known = errors.translate(error)
            if known.errno not in RETRIED:
                _note_failure(session, pipe, event, known)
                self.pipes.finish(pipe, event, loaded=False)
        finally:
            self.account.close_session(session)


def _events(message: str) -> list[Event]:
    """Return the files that a notification names; there is none in an s3:TestEvent."""
    now = dt.datetime.now(dt.UTC)
    objects = [
        (each["s3"]["bucket"]["name"], unquote_plus(each["s3"]["object"]["key"]))
        for each in json.loads(message).get("Records", [])
        if each["eventName"].startswith("ObjectCreated:")
    ]
    return [Event(f"s3://{bucket}/{key}", now) for bucket, key in objects]


def _load_file(session: "Session", pipe: Pipe, event: Event) -> None:
    definition = pipe.definition
    file_format = definition.csv_format(session)
    with tempfile.TemporaryDirectory() as directory:
        files = fetch(session.account.s3, [event.url], file_format.compression, Path(directory))
        check_bytes(files, file_format)
        table = existing_table(session, definition.table)
        columns = definition.columns(session)
        if definition.sources is None:
            load = Load(table, [column._replace(source="") for column in columns], file_format, files)
        else:
            lengths = file_format.lengths(files[0].path, event.url) | {definition.last_field}
            load = Load(table, columns, file_format, files, max(lengths), ragged=len(lengths) > 1)
        stage = definition.stage

        def run() -> None:
            run_load(session, load, stage, pipe=pipe.id, received_at=event.received_at)

        run_waiting(session, f"COPY INTO {table.sql}", run)


def _note_failure(session: "Session", pipe: Pipe, event: Event, error: ProgrammingError) -> None:
    message = str(error.raw_msg)
    line, column = LINE.search(message), COLUMN.search(message)
    number = int(line["line"]) if line else None
    entry = Entry(
        event.url,
        "",
        pipe.definition.stage.base,
        0,
        LOAD_FAILED,
        error=LINE.split(message)[0].strip(),
        line=number,
        column=column["column"] if column else None,
        pipe=pipe.id,
        received_at=event.received_at,
    )
    with contextlib.suppress(Exception), session.atomic() as connection:  # the table may be gone
        record(connection, existing_table(session, pipe.definition.table), [entry])
