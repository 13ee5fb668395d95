"""Fixtures: a simulated S3 (moto) per test, within the process."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import boto3
import pytest
from moto import mock_aws

from pipeline.lake.store import Lake

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

BUCKET = "the-lake"
SESSION = boto3.Session(aws_access_key_id="test", aws_secret_access_key="test", region_name="us-east-1")
"""Shared by all tests: loading boto3's S3 model takes far longer than a test."""
GZIP_MTIME = slice(4, 8)
"""Time in the header of a gzip file. It must be 0, because a repeated write has to send equal bytes."""


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator["S3Client"]:
    """A client of S3 with one empty bucket."""
    for name in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    with mock_aws():
        client = SESSION.client("s3")
        client.create_bucket(Bucket=BUCKET)
        yield client


@pytest.fixture
def lake(s3: "S3Client") -> Lake:
    """A lake without a folder: the entire bucket."""
    return Lake(s3, BUCKET)
