"""Files of kept responses: an envelope, then the bodies, unchanged and in order, as gzipped JSON lines."""

from collections.abc import Iterable, Iterator
from io import BytesIO
from typing import Generic, TypeVar

import msgspec
from msgspec import Struct

from pipeline.lake.gzip_streams import GZIP_ERRORS, compressing, decompressing
from pipeline.lake.s3_traffic import CHUNK_BYTES, TooLarge

E = TypeVar("E", bound=Struct)

CONTENT_TYPE = "application/gzip"
MAX_DECODED_BYTES = 256 * 1024 * 1024
"""Limit of one file, decompressed. A playlist has at most 10,000 entries, which take at most 100 MB."""
MAX_BODY_BYTES = 16 * 1024 * 1024
"""Limit of one response, as in the Spotify client: decoding may need fifteen times as much memory."""
LINE_BYTES = 64
"""Counted for each line in addition to its content, because reading millions of empty lines takes long."""


class RawFile(Generic[E]):
    """A file that is being written. Each response is compressed immediately, so none stays in memory.

    Line breaks in a response become spaces. This keeps the content: in JSON they occur only between tokens.
    """

    def __init__(self, envelope: E) -> None:
        self.envelope = envelope
        self._file = BytesIO()
        self._stream = compressing(self._file)
        self.add(msgspec.json.encode(envelope))

    @classmethod
    def of(cls, envelope: E, bodies: Iterable[bytes]) -> "RawFile[E]":
        """A file of responses that are already in memory."""
        file = cls(envelope)
        for body in bodies:
            file.add(body)
        return file

    def add(self, body: bytes) -> None:
        """Appends a response."""
        self._stream.write(body.replace(b"\r", b" ").replace(b"\n", b" "))
        self._stream.write(b"\n")

    @property
    def content(self) -> bytes:
        """Finishes the file and returns its bytes. Nothing can be added afterwards."""
        self._stream.close()
        return self._file.getvalue()


def encode_raw_file(envelope: Struct, bodies: Iterable[bytes]) -> bytes:
    """The bytes of a file of responses that are already in memory."""
    return RawFile.of(envelope, bodies).content


def decode_raw_file(file: bytes, kind: type[E]) -> tuple[E, Iterator[bytes]]:
    """The envelope, and an iterator that decompresses one body at a time.

    Raises ValueError if the file is not a raw file, and TooLarge, without reading further, if the file or a
    body exceeds its limit. The iterator raises them too: only its end proves that the file is intact.
    """
    lines = _lines(file)
    if (first := next(lines, None)) is None:
        raise ValueError("it is empty")
    try:
        return msgspec.json.decode(first, type=kind), lines
    except RecursionError as error:
        raise ValueError("its envelope is nested too deeply") from error


def _lines(file: bytes) -> Iterator[bytes]:
    """Lines without their line breaks."""
    try:
        with decompressing(BytesIO(file)) as stream:
            yield from _split(iter(lambda: stream.read(CHUNK_BYTES), b""))
    except GZIP_ERRORS as error:
        raise ValueError(str(error)) from error


def _split(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Splits chunks into lines, and enforces the limits."""
    unfinished: list[bytes] = []
    size = length = 0
    for chunk in chunks:
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
