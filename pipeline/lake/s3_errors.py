"""Translates errors of S3 to errors of the pipeline. Of an S3 error response, only the code is quoted.

botocore's own errors may contain text from a server, such as the region of a redirect, so they are masked.
"""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import NamedTuple, TypeVar

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionError,  # noqa: A004 - botocore's own
    FlexibleChecksumError,
    HTTPClientError,
    IncompleteReadError,
    ParamValidationError,
)

from pipeline.errors import Code, ConfigurationError, LakeKeyMissing, Transient
from pipeline.masking import external_message
from pipeline.threads import Unfinished

T = TypeVar("T")

MAX_CLOCK_AHEAD = timedelta(minutes=1)

ALREADY_THERE = "PreconditionFailed"

RETRYABLE = ("ConditionalRequestConflict", "OperationAborted", "RequestTimeout")
"""Error codes with a status below 500 for which S3 recommends a retry."""
MISSING = ("NoSuchKey", "404")
NOT_IMPLEMENTED = ("NotImplemented", "501")
SKEWED = "RequestTimeTooSkewed"
DENIED = ("AccessDenied", "403")
"""A response to HEAD has no body, so its only code is the status 403."""
GRANTS = {
    "PutObject": "s3:PutObject on this key",
    "GetObject": "s3:GetObject on this key, and s3:ListBucket on the bucket",
    "HeadObject": "s3:GetObject on this key, and s3:ListBucket on the bucket",
    "ListObjectsV2": "s3:ListBucket on the bucket",
}
"""Permissions that operations need. Without s3:ListBucket, S3 denies access to a key that does not exist."""
MISCONFIGURED = {
    "NoSuchBucket": (
        "the bucket does not exist: create it, or correct `bucket_name` of the lake block",
        Code.LAKE_BUCKET,
    ),
    "InvalidAccessKeyId": (
        "the access key does not exist in AWS: correct the aws block",
        Code.LAKE_CREDENTIALS,
    ),
    "SignatureDoesNotMatch": (
        "the secret key does not match the access key: correct the aws block",
        Code.LAKE_CREDENTIALS,
    ),
    "ExpiredToken": (
        "the AWS session token has expired: renew it in the aws block",
        Code.LAKE_CREDENTIALS,
    ),
}
NETWORK_ERRORS = (ConnectionError, HTTPClientError, IncompleteReadError, FlexibleChecksumError)
"""Errors of botocore that a retry may resolve; its other errors are caused by settings."""

INVALID_NAME = "this is not a valid bucket name or key"
"""botocore's own message is a regular expression."""

S3Error = ClientError | BotoCoreError | Unfinished
S3_ERRORS = (ClientError, BotoCoreError, Unfinished)


class FailedRequest(NamedTuple):
    """A request that failed: URL of the key, deadline, and by how much the local clock is ahead of S3's."""

    url: str
    deadline_s: float
    clock_ahead: timedelta | None


def code_of(error: ClientError) -> str:
    """S3's error code if it can be quoted, otherwise `no code`."""
    found = str(error.response.get("Error", {}).get("Code", ""))
    return found if re.fullmatch(r"[A-Za-z0-9.]{1,64}", found) else "no code"


def none_if_exists(put: Callable[[], T]) -> T | None:
    """The response to a conditional PUT; None if its condition failed because of the key's current state."""
    try:
        return put()
    except ClientError as error:
        if code_of(error) == ALREADY_THERE:
            return None
        raise


def explained(error: S3Error, request: FailedRequest) -> ConfigurationError | Transient:
    """The error by what the run does next."""
    if isinstance(error, ClientError):
        return _refused(error, request)
    where = f"lake {request.url}"
    if isinstance(error, Unfinished):
        problem = f"no complete response from S3 within {request.deadline_s:g} s"
    elif isinstance(error, NETWORK_ERRORS):
        problem = external_message(error)
    else:
        problem = INVALID_NAME if isinstance(error, ParamValidationError) else external_message(error)
        return ConfigurationError(
            f"{where}: {problem}. Correct the lake block and its credentials", Code.LAKE_SETTINGS
        )
    return Transient(
        f"{where}: {problem}. The request failed after retries: run again", Code.LAKE_UNAVAILABLE
    )


def skewed(ahead: timedelta | None) -> ConfigurationError:
    """The error for a local clock that is wrong; `ahead`: None if the difference is unknown."""
    seconds = 0 if ahead is None else round(ahead.total_seconds())
    side = "ahead of" if seconds >= 0 else "behind"
    by = f"is {abs(seconds)} s {side} that of S3" if seconds else "differs from that of S3"
    message = (
        f"the clock of this machine {by}, so it cannot date snapshots. Set the clock (NTP) and run again"
    )
    return ConfigurationError(message, Code.CLOCK_SKEWED)


def _misconfigured(code: str, operation: str) -> tuple[str, Code] | None:
    if code in DENIED:
        grant = GRANTS.get(operation, f"the permission for {operation}")
        return f"access is denied ({operation}). Grant the role of the run {grant}", Code.LAKE_DENIED
    return MISCONFIGURED.get(code)


def _refused(error: ClientError, request: FailedRequest) -> ConfigurationError | Transient:
    where, code = f"lake {request.url}", code_of(error)
    status = error.response["ResponseMetadata"]["HTTPStatusCode"]
    if code in MISSING:
        return LakeKeyMissing(f"{request.url} does not exist. Restore the file", Code.LAKE_KEY_MISSING)
    if misconfigured := _misconfigured(code, error.operation_name):
        advice, kind = misconfigured
        return ConfigurationError(f"{where}: {advice}", kind)
    if code == SKEWED:
        return skewed(request.clock_ahead)
    refused = f"{where}: S3 refused {error.operation_name} ({code}, HTTP {status})"
    if code in NOT_IMPLEMENTED and error.operation_name == "PutObject":
        return ConfigurationError(
            f"{refused}: the store does not support conditional writes (If-None-Match), without which files "
            "could be overwritten. Use Amazon S3, or a store that supports them",
            Code.LAKE_NO_CONDITIONAL_WRITES,
        )
    if status < 500 and code not in RETRYABLE:  # noqa: PLR2004 - HTTP client errors
        return ConfigurationError(
            f"{refused}. Correct the lake block or the bucket's policy", Code.LAKE_SETTINGS
        )
    return Transient(f"{refused}. The request failed after retries: run again", Code.LAKE_UNAVAILABLE)
