"""Traffic with S3: counts requests, and reads files up to a size limit."""

from typing import TYPE_CHECKING

from pipeline.usage import count_usage

if TYPE_CHECKING:
    from botocore.awsrequest import AWSPreparedRequest
    from botocore.response import StreamingBody
    from mypy_boto3_s3 import S3Client

MAX_FILE_BYTES = 64 * 1024 * 1024
"""Limit of a file that is read, as stored. The largest playlist that Spotify allows takes a quarter of it."""
CHUNK_BYTES = 1024 * 1024


class TooLarge(ValueError):
    """A file is larger than may be read into memory."""


def count_requests(client: "S3Client") -> None:
    """Counts each request that the client sends, including botocore's retries.

    Idempotent, because prefect-aws shares one client between all lakes with the same credentials.
    """
    client.meta.events.register("before-send.s3", _count, unique_id="usage")


def _count(request: "AWSPreparedRequest", **_: object) -> None:
    count_usage(lake_requests=1, lake_bytes_written=int(request.headers.get("Content-Length", 0)))


def read_whole(body: "StreamingBody") -> bytes:
    """All bytes of a response. botocore verifies length and checksum at the final, empty read."""
    chunks: list[bytes] = []
    size = 0
    while chunk := body.read(CHUNK_BYTES):
        chunks.append(chunk)
        size += len(chunk)
        count_usage(lake_bytes_read=len(chunk))
        if size > MAX_FILE_BYTES:
            body.close()
            raise TooLarge(f"it is larger than {MAX_FILE_BYTES >> 20} MiB")
    return b"".join(chunks)
