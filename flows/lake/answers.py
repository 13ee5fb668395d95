"""Files of kept answers: an envelope and the bodies, unchanged and in order, as gzipped JSON lines."""

import gzip
import zlib
from typing import TypeVar

import msgspec
from msgspec import Struct

Envelope = TypeVar("Envelope", bound=Struct)

CONTENT_TYPE = "application/gzip"


def encode_answers(envelope: Struct, bodies: list[bytes]) -> bytes:
    """The file's bytes. In JSON a raw line break is only layout, so a space may take its place."""
    lines = [msgspec.json.encode(envelope), *bodies]
    text = b"".join(line.replace(b"\r", b" ").replace(b"\n", b" ") + b"\n" for line in lines)
    return gzip.compress(text, compresslevel=6, mtime=0)


def decode_answers(file: bytes, kind: type[Envelope]) -> tuple[Envelope, list[bytes]]:
    """Envelope and bodies; raises ValueError where the bytes are no such file."""
    try:
        lines = gzip.decompress(file).splitlines()
    except (OSError, EOFError, zlib.error) as error:
        raise ValueError(str(error)) from error
    if not lines:
        raise ValueError("it is empty")
    first, *bodies = lines
    return msgspec.json.decode(first, type=kind), bodies
