"""Files of kept answers: an envelope and the bodies, unchanged and in order, as gzipped JSON lines."""

from collections.abc import Iterable, Iterator
from io import BytesIO
from typing import Generic, TypeVar

import msgspec
from msgspec import Struct

from pipeline.lake.gzip_streams import GZIP_ERRORS, compressing, decompressing
from pipeline.lake.store import CHUNK_BYTES, TooLarge

E = TypeVar("E", bound=Struct)

CONTENT_TYPE = "application/gzip"
MAX_DECODED_BYTES = 256 * 1024 * 1024
"""Of one file, decompressed. 10,000 entries, as many as a playlist can have, are 100 MB at most."""
MAX_BODY_BYTES = 16 * 1024 * 1024
"""Of one response, as many as the Spotify client reads: decoding may take fifteen times as much memory."""
LINE_BYTES = 64
"""What a line costs besides its content: a file of nothing but line breaks takes long to read, too."""


class RawFile(Generic[E]):
    """A file in the making: each response is compressed as it comes, so that none stays in memory.

    In JSON a raw line break is only layout, so a space may take its place.
    """

    def __init__(self, envelope: E) -> None:
        self.envelope = envelope
        self._file = BytesIO()
        self._stream = compressing(self._file)
        self.add(msgspec.json.encode(envelope))

    @classmethod
    def of(cls, envelope: E, bodies: Iterable[bytes]) -> "RawFile[E]":
        """A file of responses that are there already."""
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
        """The file's bytes; nothing can be added any more."""
        self._stream.close()
        return self._file.getvalue()


def encode_raw_file(envelope: Struct, bodies: Iterable[bytes]) -> bytes:
    """The bytes of a file of responses that are there already."""
    return RawFile.of(envelope, bodies).content


def decode_raw_file(file: bytes, kind: type[E]) -> tuple[E, Iterator[bytes]]:
    """Envelope and bodies; each body is decompressed when it is asked for.

    Raises ValueError where the bytes are no such file, and TooLarge where they are more than
    MAX_DECODED_BYTES decompressed, before more than that is read. So does the iterator of the bodies: the
    whole file is sound only when it has ended.
    """
    lines = _lines(file)
    if (first := next(lines, None)) is None:
        raise ValueError("it is empty")
    try:
        return msgspec.json.decode(first, type=kind), lines
    except RecursionError as error:
        raise ValueError("its envelope is nested too deeply") from error


def _lines(file: bytes) -> Iterator[bytes]:
    """Lines without their ends; several members of gzip are one file."""
    try:
        with decompressing(BytesIO(file)) as stream:
            yield from _split(iter(lambda: stream.read(CHUNK_BYTES), b""))
    except GZIP_ERRORS as error:
        raise ValueError(str(error)) from error


def _split(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Lines of a text that comes in chunks, within the limits."""
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
