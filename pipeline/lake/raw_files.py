"""Files of kept answers: an envelope and the bodies, unchanged and in order, as gzipped JSON lines."""

import gzip
import zlib
from collections.abc import Iterator
from io import BytesIO
from threading import Lock
from typing import TypeVar

import msgspec
from msgspec import Struct

from pipeline.lake.store import CHUNK_BYTES, TooLarge

E = TypeVar("E", bound=Struct)

CONTENT_TYPE = "application/gzip"
MAX_DECODED_BYTES = 256 * 1024 * 1024
"""Of one file, decompressed. 10,000 entries, as many as a playlist can have, are 100 MB at most; a run has
2 GiB (deploy/base_job_template.json), of which a quarter is taken before it reads anything."""
MAX_BODY_BYTES = 16 * 1024 * 1024
"""Of one response, as many as the Spotify client reads: decoding may take fifteen times as much memory."""
LINE_BYTES = 64
"""What an object in memory costs besides its content: a file of nothing but line breaks is large, too."""

_ONE_AT_A_TIME = Lock()
"""So many threads, each with a file of the largest size, would take all memory."""


def encode_raw_file(envelope: Struct, bodies: list[bytes]) -> bytes:
    """The file's bytes. In JSON a raw line break is only layout, so a space may take its place."""
    file = BytesIO()
    with gzip.GzipFile(fileobj=file, mode="wb", compresslevel=6, mtime=0) as stream:
        for line in (msgspec.json.encode(envelope), *bodies):
            stream.write(line.replace(b"\r", b" ").replace(b"\n", b" "))
            stream.write(b"\n")
    return file.getvalue()


def decode_raw_file(file: bytes, kind: type[E]) -> tuple[E, list[bytes]]:
    """Envelope and bodies.

    Raises ValueError where the bytes are no such file, and TooLarge where they are more than
    MAX_DECODED_BYTES decompressed, before more than that is in memory.
    """
    try:
        with _ONE_AT_A_TIME:
            lines = list(_lines(file))
    except (OSError, EOFError, zlib.error) as error:
        raise ValueError(str(error)) from error
    if not lines:
        raise ValueError("it is empty")
    first, *bodies = lines
    try:
        return msgspec.json.decode(first, type=kind), bodies
    except RecursionError as error:
        raise ValueError("its envelope is nested too deeply") from error


def _lines(file: bytes) -> Iterator[bytes]:
    """Lines without their ends, decompressed bit by bit; several members of gzip are one file."""
    unfinished: list[bytes] = []
    size = length = 0
    with gzip.GzipFile(fileobj=BytesIO(file)) as stream:
        while chunk := stream.read(CHUNK_BYTES):
            first, *others = chunk.split(b"\n")
            size += len(chunk) + LINE_BYTES * len(others)
            if size > MAX_DECODED_BYTES:
                raise TooLarge(f"decompressed, it is larger than {MAX_DECODED_BYTES >> 20} MiB")
            unfinished.append(first)
            length += len(first)
            if max(length, max(map(len, others), default=0)) > MAX_BODY_BYTES:
                raise TooLarge(f"it holds a response that is larger than {MAX_BODY_BYTES >> 20} MiB")
            for line in others:
                yield b"".join(unfinished)
                unfinished, length = [line], len(line)
    if last := b"".join(unfinished):
        yield last
