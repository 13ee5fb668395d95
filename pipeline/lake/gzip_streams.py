"""Gzip streams with isal, which is ten times as fast as zlib, with the same format and similar sizes."""

from collections.abc import Callable
from gzip import GzipFile
from typing import IO, Protocol, cast

from isal import igzip, isal_zlib

_open: Callable[..., GzipFile] = igzip.IGzipFile  # isal has no type hints

GZIP_ERRORS: tuple[type[Exception], ...] = (OSError, EOFError, cast("type[Exception]", isal_zlib.error))
"""Errors that reading a damaged file raises."""


class Writable(Protocol):
    """Destination of the compressed bytes."""

    def write(self, data: bytes, /) -> int:
        """Takes the next bytes."""


def compressing(file: Writable) -> GzipFile:
    """A stream that compresses into the file. Its header has no name or time: same content, same bytes."""
    return _open(fileobj=file, mode="wb", mtime=0)


def decompressing(file: IO[bytes]) -> GzipFile:
    """A stream that decompresses a file with one or more gzip members."""
    return _open(fileobj=file, mode="rb")
