"""The bucket of the lake, or a folder of it: keys are written once and never overwritten."""

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
from pipeline.lake.s3_errors import (
    MAX_CLOCK_AHEAD,
    S3_ERRORS,
    FailedRequest,
    explained,
    none_if_exists,
    skewed,
)
from pipeline.lake.s3_traffic import MAX_FILE_BYTES, count_requests, read_whole
from pipeline.threads import within

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

T = TypeVar("T")

NO_ETAG = '"preflight"'
"""An ETag that no object has: the ETags of S3 are hexadecimal."""

CLIENT_CONFIG: dict[str, Any] = {"connect_timeout": 10, "read_timeout": 15}
"""Seconds without a response after which botocore retries a request; a block may override them."""
REQUEST_DEADLINE_S = 60.0
"""Total time of a request, including botocore's retries and slow responses."""
SLOWEST_BYTES_PER_S = 256 * 1024
"""Transfer rate by which the deadline of a large body is extended."""


class Written(NamedTuple):
    """A key that holds exactly these bytes."""

    key: str
    bytes: int
    sha256: str


class Lake:
    """The keys below `folder` of a bucket; keys are relative to the folder. Thread-safe.

    botocore retries failed requests within the deadline; a request that still fails raises Transient.
    `clock_ahead`: lower bound of how far the local clock is ahead of S3's, from the last response.
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
        """URL of the lake, `s3://bucket/folder/`."""
        return f"s3://{self.bucket}/{self._full('')}"

    def link(self, key: str) -> str | None:
        """Browser link to a key; None if the store has none."""
        return browser_link(self._client.meta.endpoint_url, self.bucket, self._full(key))

    def write(self, key: str, body: bytes, content_type: str) -> Written:
        """Writes a new key with its SHA-256. Raises LakeConflict if the key exists with other content.

        If it exists with the same content, our earlier PUT succeeded and its response was lost.
        """
        return self._put(key, body, len(body), hashlib.sha256(body).digest(), content_type)

    def write_file(self, key: str, file: IO[bytes], digest: bytes, content_type: str) -> Written:
        """Like `write`, for a file with a known SHA-256; botocore rewinds the file when it retries."""
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
        if self._call(key, partial(none_if_exists, put), _deadline(size)) is None:
            self._refuse_other_content(key, size, checksum)
        return Written(key, size, digest.hex())

    def check_write_permission(self, key: str) -> None:
        """Raises if the credentials may not write a key. Writes nothing: no object meets the condition.

        S3 checks permissions before conditions, so 404 or 412 means that the key may be written.
        Source: Amazon S3 user guide, conditional writes.
        """
        put = partial(self._client.put_object, Bucket=self.bucket, Key=self._full(key), IfMatch=NO_ETAG)
        try:
            written = self._call(key, partial(none_if_exists, put))
        except LakeKeyMissing:
            return
        if written is not None:
            message = (
                f"the store ignores conditions of writes, so files could be overwritten, and {self.url}{key} "
                "was written: delete it. Use Amazon S3, or a store that supports conditional writes"
            )
            raise ConfigurationError(message, Code.LAKE_NO_CONDITIONAL_WRITES)

    def read(self, key: str) -> bytes:
        """The content of a key. Raises LakeKeyMissing, or TooLarge if it exceeds MAX_FILE_BYTES."""
        get = partial(self._client.get_object, Bucket=self.bucket, Key=self._full(key))
        response = self._call(key, get)
        size = min(response.get("ContentLength", MAX_FILE_BYTES), MAX_FILE_BYTES)
        return self._call(key, partial(read_whole, response["Body"]), _deadline(size))

    def exists(self, key: str) -> bool:
        """True if the key exists."""
        try:
            self._call(key, partial(self._client.head_object, Bucket=self.bucket, Key=self._full(key)))
        except LakeKeyMissing:
            return False
        return True

    def keys(self, prefix: str) -> Iterator[str]:
        """All keys that start with the prefix, in order. They are requested by the thousand, on demand."""
        paginator = self._client.get_paginator("list_objects_v2")
        pages = iter(paginator.paginate(Bucket=self.bucket, Prefix=self._full(prefix)))
        while page := self._call(prefix, partial(next, pages, None)):
            for item in page.get("Contents", []):
                yield item["Key"].removeprefix(self._full(""))

    def check_clock(self) -> None:
        """Raises if the local clock is ahead of S3's by more than a minute: snapshots would be misdated."""
        if self.clock_ahead is not None and self.clock_ahead > MAX_CLOCK_AHEAD:
            raise skewed(self.clock_ahead)

    def _refuse_other_content(self, key: str, size: int, checksum: str) -> None:
        head = self._client.head_object
        found = self._call(
            key, partial(head, Bucket=self.bucket, Key=self._full(key), ChecksumMode="ENABLED")
        )
        if (found["ContentLength"], found.get("ChecksumSHA256")) != (size, checksum):
            message = (
                f"{self.url}{key} exists with other content. It was not overwritten. Run again for a new key"
            )
            raise LakeConflict(message, Code.LAKE_CONFLICT)

    def _call(self, key: str, request: Callable[[], T], deadline_s: float | None = None) -> T:
        deadline_s = deadline_s or REQUEST_DEADLINE_S
        sent = self._now()
        try:
            response = within(deadline_s, request)
        except S3_ERRORS as error:
            if isinstance(error, ClientError):
                self._compare_clocks(sent, error.response)
            failed = FailedRequest(f"{self.url}{key}", deadline_s, self.clock_ahead)
            raise explained(error, failed) from None  # a traceback would contain the text of S3's error
        self._compare_clocks(sent, response)
        return response

    def _compare_clocks(self, sent: datetime, response: object) -> None:
        """Compares the time of sending with the Date: a slow response must not look like a fast clock."""
        metadata: Any = response.get("ResponseMetadata") if isinstance(response, dict) else None
        date = (metadata or {}).get("HTTPHeaders", {}).get("date")
        try:
            self.clock_ahead = sent - parsedate_to_datetime(date) if date else self.clock_ahead
        except (ValueError, TypeError):
            return  # a proxy may send an invalid date

    def _full(self, key: str) -> str:
        return f"{self.folder}/{key}" if self.folder else key


def _deadline(size: int) -> float:
    return REQUEST_DEADLINE_S + size / SLOWEST_BYTES_PER_S
