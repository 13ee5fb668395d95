"""An S3 of its own for each test, within the process."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import boto3
import pytest
from moto import mock_aws

from pipeline.lake.store import Lake

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

BUCKET = "the-lake"
SESSION = boto3.Session(aws_access_key_id="test", aws_secret_access_key="test", region_name="us-east-1")
"""One for all tests: it reads the description of S3 once, which takes far longer than a test."""
MakeLake = Callable[[str], Lake]


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator["S3Client"]:
    """A client of an empty bucket."""
    for name in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    with mock_aws():
        client = SESSION.client("s3")
        client.create_bucket(Bucket=BUCKET)
        yield client


@pytest.fixture
def lake(s3: "S3Client") -> Lake:
    """The whole bucket."""
    return Lake(s3, BUCKET)
