"""One bucket, or a folder of it: keys are written once, and read back whole."""

import base64
import hashlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import partial
from os import SEEK_END
from typing import IO, TYPE_CHECKING, Any, NamedTuple, TypeVar

from botocore.exceptions import ClientError

from pipeline.errors import Code, ConfigurationError, LakeConflict, LakeKeyMissing
from pipeline.lake.browser_link import browser_link
from pipeline.lake.s3_errors import MAX_CLOCK_AHEAD, S3_ERRORS, FailedRequest, explained, skewed, unless_there
from pipeline.lake.s3_traffic import MAX_FILE_BYTES, count_requests, read_whole
from pipeline.threads import within

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

T = TypeVar("T")

ALREADY_THERE = "PreconditionFailed"
NO_ETAG = '"preflight"'
"""No object has this ETag: those of S3 are hexadecimal."""

CLIENT_CONFIG: dict[str, Any] = {"connect_timeout": 10, "read_timeout": 15}
"""Seconds until botocore repeats a request that is not answered; a block may say otherwise."""
REQUEST_DEADLINE_S = 60.0
"""For a request in all, whatever botocore repeats and however slowly the response arrives."""
SLOWEST_BYTES_PER_S = 256 * 1024
"""Large bodies have this much more time."""


class Written(NamedTuple):
    """A key that holds exactly these bytes."""

    key: str
    bytes: int
    sha256: str


class Lake:
    """The keys below `folder` of a bucket, relative to the folder. Threads share it.

    botocore repeats what fails within the deadline of a request; what fails then is Transient.
    `clock_ahead` is how far the clock of this machine is ahead of S3's at least, as of the last response.
    """

    clock_ahead: timedelta | None = None

    def __init__(
        self,
        client: "S3Client",
        bucket: str,
        folder: str = "",
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        count_requests(client)
        self._client = client
        self._now = now
        self.bucket = bucket
        self.folder = folder.strip("/")

    @property
    def url(self) -> str:
        """Where the keys lie, as `s3://bucket/folder/`."""
        return f"s3://{self.bucket}/{self._full('')}"

    def link(self, key: str) -> str | None:
        """Where a browser shows a key; None if that is not known."""
        return browser_link(self._client.meta.endpoint_url, self.bucket, self._full(key))

    def write(self, key: str, body: bytes, content_type: str) -> Written:
        """Writes a new key with its SHA-256.

        Same bytes already there: our earlier PUT succeeded and its response was lost. Anything else there
        raises LakeConflict.
        """
        return self._put(key, body, len(body), hashlib.sha256(body).digest(), content_type)

    def write_file(self, key: str, file: IO[bytes], digest: bytes, content_type: str) -> Written:
        """The same for a file whose SHA-256 is known; botocore rewinds it where it repeats the request."""
        size = file.seek(0, SEEK_END)
        file.seek(0)
        return self._put(key, file, size, digest, content_type)

    def _put(self, key: str, body: bytes | IO[bytes], size: int, digest: bytes, content_type: str) -> Written:
        checksum = base64.b64encode(digest).decode()
        put = partial(
            self._client.put_object,
            Bucket=self.bucket,
            Key=self._full(key),
            Body=body,
            ContentType=content_type,
            ChecksumAlgorithm="SHA256",
            ChecksumSHA256=checksum,
            IfNoneMatch="*",
        )
        if self._call(key, partial(unless_there, put), _deadline(size)) is None:
            self._expect(key, size, checksum)
        return Written(key, size, digest.hex())

    def refuse_denied_write(self, key: str) -> None:
        """Raises if a key may not be written; writes nothing, by a condition that no object meets.

        S3 checks permissions before conditions: 404 or 412 means that the key may be written.
        Source: Amazon S3 user guide, conditional writes.
        """
        put = partial(self._client.put_object, Bucket=self.bucket, Key=self._full(key), IfMatch=NO_ETAG)
        try:
            written = self._call(key, partial(unless_there, put))
        except LakeKeyMissing:
            return
        if written is not None:
            message = (
                f"the store ignores conditions of writes, so files could be overwritten, and {self.url}{key} "
                "was written: delete it. Use Amazon S3, or a store with conditional writes"
            )
            raise ConfigurationError(message, Code.LAKE_NO_CONDITIONAL_WRITES)

    def read(self, key: str) -> bytes:
        """The bytes of a key; raises LakeKeyMissing where there is none, TooLarge above MAX_FILE_BYTES."""
        get = partial(self._client.get_object, Bucket=self.bucket, Key=self._full(key))
        answer = self._call(key, get)
        size = min(answer.get("ContentLength", MAX_FILE_BYTES), MAX_FILE_BYTES)
        return self._call(key, partial(read_whole, answer["Body"]), _deadline(size))

    def exists(self, key: str) -> bool:
        """Whether there is such a key."""
        try:
            self._call(key, partial(self._client.head_object, Bucket=self.bucket, Key=self._full(key)))
        except LakeKeyMissing:
            return False
        return True

    def keys(self, prefix: str) -> Iterator[str]:
        """All keys that start with the prefix, in order; asks for them by the thousand, as they are used."""
        paginator = self._client.get_paginator("list_objects_v2")
        pages = iter(paginator.paginate(Bucket=self.bucket, Prefix=self._full(prefix)))
        while page := self._call(prefix, partial(next, pages, None)):
            for item in page.get("Contents", []):
                yield item["Key"].removeprefix(self._full(""))

    def refuse_skewed_clock(self) -> None:
        """Raises where S3 has shown that the clock of this machine is ahead: what it dates would be false."""
        if self.clock_ahead is not None and self.clock_ahead > MAX_CLOCK_AHEAD:
            raise skewed(self.clock_ahead)

    def _expect(self, key: str, size: int, checksum: str) -> None:
        head = self._client.head_object
        found = self._call(
            key, partial(head, Bucket=self.bucket, Key=self._full(key), ChecksumMode="ENABLED")
        )
        if (found["ContentLength"], found.get("ChecksumSHA256")) != (size, checksum):
            message = (
                f"{self.url}{key} exists with other content. It is left as it is; run again for a new key"
            )
            raise LakeConflict(message, Code.LAKE_CONFLICT)

    def _call(self, key: str, request: Callable[[], T], deadline_s: float | None = None) -> T:
        deadline_s = deadline_s or REQUEST_DEADLINE_S
        sent = self._now()
        try:
            answer = within(deadline_s, request)
        except S3_ERRORS as error:
            if isinstance(error, ClientError):
                self._compare_clocks(sent, error.response)
            failed = FailedRequest(f"{self.url}{key}", deadline_s, self.clock_ahead)
            raise explained(error, failed) from None  # a traceback would show what S3 said
        self._compare_clocks(sent, answer)
        return answer

    def _compare_clocks(self, sent: datetime, answer: object) -> None:
        """A response is dated after its request was sent, so a slow one never makes our clock look ahead."""
        metadata: Any = answer.get("ResponseMetadata") if isinstance(answer, dict) else None
        date = (metadata or {}).get("HTTPHeaders", {}).get("date")
        try:
            self.clock_ahead = sent - parsedate_to_datetime(date) if date else self.clock_ahead
        except (ValueError, TypeError):
            return  # a proxy's own idea of a date

    def _full(self, key: str) -> str:
        return f"{self.folder}/{key}" if self.folder else key


def _deadline(size: int) -> float:
    return REQUEST_DEADLINE_S + size / SLOWEST_BYTES_PER_S
