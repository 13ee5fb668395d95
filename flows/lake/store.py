"""One bucket, or a folder of it: keys are written once, and read back whole."""

import base64
import hashlib
from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, NamedTuple, ParamSpec, TypeVar

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionError,  # noqa: A004 - botocore's own
    FlexibleChecksumError,
    HTTPClientError,
    IncompleteReadError,
)

from flows.errors import Code, ConfigurationError, LakeConflict, Transient

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

P = ParamSpec("P")
T = TypeVar("T")

ALREADY_THERE = "PreconditionFailed"
MISSING = ("NoSuchKey", "404")
PASSING = ("ConditionalRequestConflict", "OperationAborted", "RequestTimeout")
"""Refusals below 500 that S3 asks to try again."""
DENIED = (
    "access is denied: grant the role s3:ListBucket on the bucket and s3:GetObject, s3:PutObject on its keys"
)
MISCONFIGURED = {
    "NoSuchBucket": (
        "the bucket does not exist: create it, or correct `bucket_name` of the lake block",
        Code.LAKE_BUCKET,
    ),
    "AccessDenied": (DENIED, Code.LAKE_DENIED),
    "403": (DENIED, Code.LAKE_DENIED),  # a HEAD has no body that says more
    "InvalidAccessKeyId": (
        "AWS does not know the access key: correct the aws block",
        Code.LAKE_CREDENTIALS,
    ),
    "SignatureDoesNotMatch": (
        "the secret key does not fit the access key: correct the aws block",
        Code.LAKE_CREDENTIALS,
    ),
    "ExpiredToken": ("the AWS session token is over: renew the aws block", Code.LAKE_CREDENTIALS),
}


UNANSWERED = (ConnectionError, HTTPClientError, IncompleteReadError, FlexibleChecksumError)
"""What the network does to a request; botocore's other errors are about settings."""


class NoSuchKey(ConfigurationError):
    """There is no such key, or no longer."""


class Written(NamedTuple):
    """A key that holds exactly these bytes."""

    key: str
    bytes: int
    sha256: str


class Lake:
    """The keys below `folder` of a bucket. Retries are botocore's own; keys are relative to the folder."""

    def __init__(self, client: "S3Client", bucket: str, folder: str = "") -> None:
        self._client = client
        self.bucket = bucket
        self.folder = folder.strip("/")

    @property
    def url(self) -> str:
        """Where the keys lie, as `s3://bucket/folder/`."""
        return f"s3://{self.bucket}/{self._full('')}"

    def write(self, key: str, body: bytes, content_type: str) -> Written:
        """Writes a new key with its SHA-256.

        A key that holds the same bytes already is one's own lost answer; anything else there raises
        LakeConflict.
        """
        digest = hashlib.sha256(body)
        checksum = base64.b64encode(digest.digest()).decode()
        try:
            self._client.put_object(
                Bucket=self.bucket,
                Key=self._full(key),
                Body=body,
                ContentType=content_type,
                ChecksumAlgorithm="SHA256",
                ChecksumSHA256=checksum,
                IfNoneMatch="*",
            )
        except ClientError as error:
            if _code(error) != ALREADY_THERE:
                raise self._explained(error, key) from error
            self._expect(key, len(body), checksum)
        except BotoCoreError as error:
            raise self._explained(error, key) from error
        return Written(key, len(body), digest.hexdigest())

    def read(self, key: str) -> bytes:
        """The bytes of a key; raises NoSuchKey where there is none."""
        get = self._client.get_object
        answer = self._call(key, partial(get, Bucket=self.bucket, Key=self._full(key)))
        return self._call(key, answer["Body"].read)

    def exists(self, key: str) -> bool:
        """Whether there is such a key."""
        try:
            self._call(key, partial(self._client.head_object, Bucket=self.bucket, Key=self._full(key)))
        except NoSuchKey:
            return False
        return True

    def keys(self, prefix: str) -> Iterator[str]:
        """All keys that start with the prefix, in order."""
        pages = self._client.get_paginator("list_objects_v2").paginate(
            Bucket=self.bucket, Prefix=self._full(prefix)
        )
        listed = self._call(
            prefix, lambda: [item["Key"] for page in pages for item in page.get("Contents", [])]
        )
        return (key.removeprefix(self._full("")) for key in listed)

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

    def _call(self, key: str, request: Callable[[], T]) -> T:
        try:
            return request()
        except (ClientError, BotoCoreError) as error:
            raise self._explained(error, key) from error

    def _explained(self, error: ClientError | BotoCoreError, key: str) -> ConfigurationError | Transient:
        where = f"lake {self.url}{key}"
        if isinstance(error, ClientError):
            code = _code(error)
            if code in MISSING:
                return NoSuchKey(f"{self.url}{key} is gone: put the file back", Code.LAKE_KEY_MISSING)
            if code in MISCONFIGURED:
                advice, kind = MISCONFIGURED[code]
                return ConfigurationError(f"{where}: {advice}", kind)
            status = error.response["ResponseMetadata"]["HTTPStatusCode"]
            if status < 500 and code not in PASSING:  # noqa: PLR2004 - HTTP: the client's fault
                return ConfigurationError(
                    f"{where}: {error}. Correct the lake block or the bucket's policy", Code.LAKE_SETTINGS
                )
        elif not isinstance(error, UNANSWERED):
            return ConfigurationError(
                f"{where}: {error}. Correct the lake block and its credentials", Code.LAKE_SETTINGS
            )
        return Transient(f"{where}: {error}. S3 did not do it: run again", Code.LAKE_UNAVAILABLE)

    def _full(self, key: str) -> str:
        return f"{self.folder}/{key}" if self.folder else key


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))
