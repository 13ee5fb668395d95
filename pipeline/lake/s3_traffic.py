"""What passes between a run and S3: requests are counted, and files read whole."""

from typing import TYPE_CHECKING

from pipeline.usage import count_usage

if TYPE_CHECKING:
    from botocore.awsrequest import AWSPreparedRequest
    from botocore.response import StreamingBody
    from mypy_boto3_s3 import S3Client

MAX_FILE_BYTES = 64 * 1024 * 1024
"""Of a file that is read, in the lake: the largest playlist that Spotify allows is a quarter of it."""
CHUNK_BYTES = 1024 * 1024


class TooLarge(ValueError):
    """A file is larger than may be read into memory."""


def count_requests(client: "S3Client") -> None:
    """Counts each request that the client sends, what botocore repeats included.

    May be repeated: prefect-aws gives one client to all lakes with the same credentials.
    """
    client.meta.events.register("before-send.s3", _count, unique_id="usage")


def _count(request: "AWSPreparedRequest", **_: object) -> None:
    count_usage(lake_requests=1, lake_bytes_written=int(request.headers.get("Content-Length", 0)))


def read_whole(body: "StreamingBody") -> bytes:
    """All bytes of a response; the empty read at its end is the one that compares length and checksum."""
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
