"""Decompression of raw files: bounded memory and size, whatever their content."""

import gzip
import tracemalloc
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from pipeline.errors import Code, PlaylistUnavailable
from pipeline.lake import raw_files, s3_traffic
from pipeline.lake.raw_files import MAX_DECODED_BYTES, decode_raw_file, encode_raw_file
from pipeline.lake.s3_traffic import TooLarge
from pipeline.lake.snapshot_files import read_snapshot, read_to_end
from pipeline.lake.store import Lake
from pipeline.records import Envelope
from tests.builders import PLAYLIST, RUN

MIB = 1024 * 1024
KEY = "raw/bomb.json.gz"
ENVELOPE = Envelope(RUN, PLAYLIST, "AAAA", datetime(2026, 11, 21, tzinfo=UTC), "both", 1, "1.2.3")


def decoded(file: bytes) -> tuple[Envelope, list[bytes]]:
    """Decodes a file and reads it to its end."""
    envelope, bodies = decode_raw_file(file, Envelope)
    return envelope, list(bodies)


def bomb(size: int, byte: bytes = b" ") -> bytes:
    """A decompression bomb: an envelope, then `size` equal bytes in gzip members of 16 MiB."""
    member = gzip.compress(byte * (16 * MIB), 1)
    return encode_raw_file(ENVELOPE, []) + member * (size // (16 * MIB))


@pytest.mark.parametrize(("byte", "limit"), [(b" ", 16), (b"\n", 256)], ids=["one line", "line breaks"])
def test_a_decompression_bomb_is_refused_in_bounded_memory(lake: Lake, byte: bytes, limit: int) -> None:
    file = bomb(3 * 1024 * MIB, byte)
    assert len(file) < 16 * MIB
    lake.write(KEY, file, "application/gzip")
    tracemalloc.start()
    with pytest.raises(
        PlaylistUnavailable, match=rf"s3://the-lake/{KEY} cannot be read.*{limit} MiB"
    ) as error:
        read_to_end(read_snapshot(lake, KEY).bodies)
    assert error.value.code == Code.LAKE_SNAPSHOT_TOO_LARGE
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 100 * MIB


def test_one_response_at_a_time_is_in_memory() -> None:
    """200 responses of 500 kB: 10,000 entries of 10 kB, 50 per response."""

    def bodies() -> Iterator[bytes]:
        return (b'{"items":["' + bytes([65 + number % 26]) * 500_000 + b'"]}' for number in range(200))

    assert 2 * 100 * MIB < MAX_DECODED_BYTES
    tracemalloc.start()
    file = encode_raw_file(ENVELOPE, bodies())
    _, read = decode_raw_file(file, Envelope)
    assert all(body == wanted for body, wanted in zip(read, bodies(), strict=True))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 10 * MIB


def test_a_response_above_the_size_limit_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(raw_files, "MAX_BODY_BYTES", 1000)
    for chunk in (7, 4096):
        monkeypatch.setattr(raw_files, "CHUNK_BYTES", chunk)
        bodies = [b"x" * 1000, b"[2]"]
        assert decoded(encode_raw_file(ENVELOPE, bodies))[1] == bodies
        with pytest.raises(TooLarge, match="a response that is larger"):
            decoded(encode_raw_file(ENVELOPE, [b"x" * 1001]))


def test_an_envelope_nested_too_deeply_is_refused(lake: Lake) -> None:
    deep = b'{"x":' + b"[" * 200_000 + b"]" * 200_000 + b"}\n{}\n"
    lake.write(KEY, gzip.compress(deep), "application/gzip")
    with pytest.raises(
        PlaylistUnavailable, match=rf"{KEY} is not a kept snapshot: .*nested too deeply"
    ) as error:
        read_snapshot(lake, KEY)
    assert error.value.code == Code.LAKE_SNAPSHOT_INVALID


def test_the_limit_of_the_decoded_size_is_exact(monkeypatch: pytest.MonkeyPatch) -> None:
    bodies = [b"[1]", b"[22]"]
    file = encode_raw_file(ENVELOPE, bodies)
    size = len(gzip.decompress(file)) + 3 * raw_files.LINE_BYTES
    monkeypatch.setattr(raw_files, "MAX_DECODED_BYTES", size)
    assert decoded(file)[1] == bodies
    monkeypatch.setattr(raw_files, "MAX_DECODED_BYTES", size - 1)
    with pytest.raises(TooLarge):
        decoded(file)


@pytest.mark.parametrize("chunk", [1, 2, 7, 64])
def test_lines_are_complete_wherever_a_chunk_ends(monkeypatch: pytest.MonkeyPatch, chunk: int) -> None:
    monkeypatch.setattr(raw_files, "CHUNK_BYTES", chunk)
    bodies = [b'{"a":1}', b"[]", b'{"b":"' + b"x" * 100 + b'"}']
    assert decoded(encode_raw_file(ENVELOPE, bodies)) == (ENVELOPE, bodies)


def test_several_gzip_members_are_one_file_and_a_truncated_file_is_refused() -> None:
    whole = encode_raw_file(ENVELOPE, [b"[1]"])
    assert decoded(whole + gzip.compress(b"[2]\n"))[1] == [b"[1]", b"[2]"]
    for damaged in (whole[:-3], whole + gzip.compress(b"[2]\n")[:-3], whole + b"more"):
        with pytest.raises(ValueError, match=r"."):
            decoded(damaged)


def test_a_compressed_file_above_the_size_limit_is_refused(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(s3_traffic, "MAX_FILE_BYTES", 2 * MIB)
    monkeypatch.setattr(s3_traffic, "CHUNK_BYTES", MIB)
    lake.write(KEY, b"x" * (2 * MIB), "text/plain")
    assert len(lake.read(KEY)) == 2 * MIB
    lake.write("raw/larger", b"x" * (2 * MIB + 1), "text/plain")
    with pytest.raises(PlaylistUnavailable, match=r"raw/larger cannot be read: it is larger than 2 MiB"):
        read_snapshot(lake, "raw/larger")
