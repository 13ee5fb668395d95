"""Tables as partitioned CSV files: gzipped, one per table, date and run."""

import gzip
from datetime import date
from io import BytesIO

import polars as pl

from pipeline.lake.layout import LoadMode, table_key
from pipeline.lake.raw_files import CONTENT_TYPE
from pipeline.lake.store import Lake
from pipeline.records import File
from pipeline.transform.tables import Tables


def write_files(
    lake: Lake, tables: Tables, snapshot_date: date, run_id: str, load: LoadMode = "copy"
) -> list[File]:
    """Writes one file per table with rows; a table without rows has none."""
    files = []
    for table, frame in tables.items():
        if frame.is_empty():
            continue
        key = table_key(table, snapshot_date, run_id, load)
        written = lake.write(key, encode_csv(frame), CONTENT_TYPE)
        files.append(File(table, snapshot_date, written.key, frame.height, written.bytes, written.sha256))
    return files


def encode_csv(frame: pl.DataFrame) -> bytes:
    """Gzipped CSV with a header: null is nothing, the empty string is `""`, times are UTC."""
    text = BytesIO()
    frame.write_csv(text, quote_style="necessary", datetime_format="%Y-%m-%dT%H:%M:%S%.3fZ")
    return gzip.compress(text.getbuffer(), compresslevel=6, mtime=0)
