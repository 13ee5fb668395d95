"""Tables as CSV files, and the manifest of files and row counts."""

import csv
import gzip
import hashlib
import io
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import polars as pl
import pytest

from pipeline.columns import TABLES, dtypes
from pipeline.lake.layout import table_key
from pipeline.lake.store import Lake
from pipeline.records import File, Manifest
from tests.builders import (
    DAY,
    RUN,
    encode_csv,
    entry,
    song,
    tables_of,
    write_files,
)
from tests.pipeline.lake.conftest import GZIP_MTIME

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


def _lines(frame: pl.DataFrame) -> list[str]:
    return gzip.decompress(encode_csv(frame)).decode().split("\n")


def test_a_table_with_rows_has_one_file_and_an_empty_table_none(lake: Lake) -> None:
    files = write_files(lake, tables_of(entry(song())), DAY, RUN)
    assert [file.table for file in files] == [table for table in TABLES if table != "rejects"]
    assert list(lake.keys("tables/")) == sorted(table_key(file.table, DAY, RUN) for file in files)


def test_the_manifest_matches_the_files_in_the_lake(lake: Lake, s3: "S3Client") -> None:
    tables = tables_of(entry(song("a")), entry(song("b")), entry(None))
    files = write_files(lake, tables, DAY, RUN)
    for file in files:
        content = lake.read(file.key)
        assert (file.bytes, file.sha256) == (len(content), hashlib.sha256(content).hexdigest())
        found = list(csv.DictReader(io.StringIO(gzip.decompress(content).decode(), newline="")))
        assert (len(found), list(found[0])) == (file.rows, list(dtypes(file.table)))
        assert s3.head_object(Bucket=lake.bucket, Key=file.key)["ContentType"] == "application/gzip"
    assert Manifest(files, []).rows("playlist_songs") == 2
    assert Manifest(files, []).rows("rejects") == 1


def test_rows_are_summed_over_all_files_of_a_table() -> None:
    files = [
        File(table, DAY, f"key {number}", number, 1, "")
        for number, table in enumerate(["songs", "albums"] * 2)
    ]
    assert Manifest(files, []).rows("songs") == 0 + 2
    assert Manifest(files, []).rows("albums") == 1 + 3
    assert Manifest(files, []).rows("artists") == 0


def test_equal_tables_give_equal_bytes() -> None:
    first, again = (tables_of(entry(song("a")), entry(song("b"))) for _ in range(2))
    encoded = {table: encode_csv(first[table]) for table in TABLES}
    assert encoded == {table: encode_csv(again[table]) for table in TABLES}
    assert {content[GZIP_MTIME] for content in encoded.values()} == {bytes(4)}


TEXTS = {
    "null": (None, ""),
    "empty": ("", '""'),
    "plain": ("a b", "a b"),
    "blanks at both ends": (" a ", " a "),
    "comma": ("a,b", '"a,b"'),
    "quote": ('a"b', '"a""b"'),
    r"\N": (r"\N", r"\N"),
    "the word NULL": ("NULL", "NULL"),
    "formula": ("=1+1", "=1+1"),
    "emoji": ("🫖", "🫖"),
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_text_is_quoted_if_necessary_and_null_is_an_empty_field(text: tuple[str | None, str]) -> None:
    value, field = text
    assert _lines(pl.DataFrame({"a": [value], "b": [1]}, schema={"a": pl.String, "b": pl.Int64})) == [
        "a,b",
        f"{field},1",
        "",
    ]


def test_times_are_utc_with_milliseconds_and_dates_iso() -> None:
    moment = datetime(2025, 6, 1, 12, 0, 0, 250_000, tzinfo=UTC)
    frame = pl.DataFrame(
        {"at": [moment, None], "day": [DAY, None], "flag": [True, None]},
        schema={"at": pl.Datetime("ms", "UTC"), "day": pl.Date, "flag": pl.Boolean},
    )
    assert _lines(frame) == ["at,day,flag", "2025-06-01T12:00:00.250Z,2026-11-21,true", ",,", ""]
