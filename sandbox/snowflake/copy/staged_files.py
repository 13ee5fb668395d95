"""Downloads the files of a COPY from S3 to a local directory."""

import gzip
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

from botocore.exceptions import ClientError

from sandbox.snowflake import errors

THREADS = 8
GZIP_MAGIC = b"\x1f\x8b"


class StagedFile(NamedTuple):
    """A downloaded file; `size`: compressed bytes, `path`: decompressed local copy."""

    url: str
    etag: str
    size: int
    path: Path

    @property
    def key(self) -> str:
        """The key in the bucket."""
        return self.url.removeprefix("s3://").partition("/")[2]


def fetch(s3: Any, urls: list[str], compression: str, directory: Path) -> list[StagedFile]:
    """Downloads all files, in order; raises for the first missing file."""

    def one(numbered: tuple[int, str]) -> StagedFile:
        number, url = numbered
        path = directory / f"{number}.csv"
        body, etag = _get(s3, url)
        path.write_bytes(_plain(body, url, compression))
        return StagedFile(url, etag, len(body), path)

    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(one, enumerate(urls)))


def _get(s3: Any, url: str) -> tuple[bytes, str]:
    bucket, _, key = url.removeprefix("s3://").partition("/")
    try:
        response = s3.get_object(Bucket=bucket, Key=key)
    except ClientError as error:
        if error.response["Error"]["Code"] in {"NoSuchKey", "NoSuchBucket"}:
            raise errors.failure(91016, "22000", f"Remote file '{url}' was not found.") from error
        raise errors.failure(91003, "22000", f"Failure using stage area: {url}: {error}") from error
    return response["Body"].read(), response["ETag"].strip('"')


def _plain(body: bytes, url: str, compression: str) -> bytes:
    zipped = body.startswith(GZIP_MAGIC) if compression == "AUTO" else compression == "GZIP"
    try:
        return gzip.decompress(body) if zipped else body
    except (OSError, EOFError) as error:
        raise errors.failure(
            100016, "22000", f"Invalid data encountered during decompression for file: '{url}'"
        ) from error
