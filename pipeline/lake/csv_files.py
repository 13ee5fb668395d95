"""Tables as partitioned CSV files, and the manifest that a load must match."""

import gzip
from collections import Counter, defaultdict
from datetime import date, datetime
from io import BytesIO

import polars as pl
from msgspec import Struct

from pipeline.columns import TABLES
from pipeline.lake.layout import LoadMode, table_key
from pipeline.lake.raw_files import CONTENT_TYPE
from pipeline.lake.store import Lake
from pipeline.transform.tables import Tables


class File(Struct, frozen=True):
    """One CSV file of one table and date."""

    table: str
    snapshot_date: date
    key: str
    rows: int
    bytes: int
    sha256: str


class Partition(Struct, frozen=True):
    """What one kept snapshot became; item_count = playlist_songs + rejected."""

    playlist_id: str
    snapshot_date: date
    source_key: str
    source_fetched_at: datetime
    snapshot_id: str
    item_count: int
    rejected: int
    rejected_by_reason: dict[str, int]
    rows_by_table: dict[str, int]

    @property
    def key(self) -> tuple[str, date]:
        """What a load replaces as a whole: playlist and date."""
        return self.playlist_id, self.snapshot_date


class Manifest(Struct, frozen=True):
    """Everything that a run wrote, and what it must add up to in the warehouse."""

    files: list[File]
    partitions: list[Partition]

    def rows(self, table: str) -> int:
        """Rows of one table over all files."""
        return sum(file.rows for file in self.files if file.table == table)


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


def partitions(tables: Tables, source_keys: dict[str, str]) -> list[Partition]:
    """One entry per playlist of one date; `source_keys` are the kept snapshots by playlist id."""
    counts = {table: _rows_by_playlist(tables[table]) for table in TABLES}
    reasons = _reasons_by_playlist(tables["rejects"])
    return [
        Partition(
            playlist_id=row["playlist_id"],
            snapshot_date=row["snapshot_date"],
            source_key=source_keys[row["playlist_id"]],
            source_fetched_at=row["fetched_at"],
            snapshot_id=row["snapshot_id"],
            item_count=row["item_count"],
            rejected=counts["rejects"].get(row["playlist_id"], 0),
            rejected_by_reason=dict(reasons[row["playlist_id"]].most_common()),
            rows_by_table={table: counts[table].get(row["playlist_id"], 0) for table in TABLES},
        )
        for row in tables["playlists"].iter_rows(named=True)
    ]


def _rows_by_playlist(frame: pl.DataFrame) -> dict[str, int]:
    return dict(frame.group_by("playlist_id").len().iter_rows())


def _reasons_by_playlist(rejects: pl.DataFrame) -> defaultdict[str, Counter[str]]:
    reasons: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for playlist_id, reason in rejects.select("playlist_id", "reason").iter_rows():
        reasons[playlist_id][reason] += 1
    return reasons
