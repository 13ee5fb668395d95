"""What a run did: counts, files, hashes, timings. Written last: no receipt, no run."""

from collections import Counter
from datetime import date, datetime
from typing import Any

import msgspec
from msgspec import Struct

from flows.errors import Code
from flows.lake.files import File, Manifest, Partition
from flows.lake.snapshots import Kept
from flows.warehouse.loaded import Loaded


class PlaylistLine(Struct, frozen=True):
    """One playlist and date: total → read → rejected by reason → rows per table → rows loaded."""

    playlist_id: str
    snapshot_date: date
    status: str
    reason: str | None = None
    source_key: str | None = None
    total: int = 0
    read: int = 0
    rejected: dict[str, int] = {}
    rows_by_table: dict[str, int] = {}
    rows_loaded: int = 0


class DetailsLine(Struct, frozen=True):
    """Whole artists or albums: how many a run wanted, had in the lake, and asked Spotify for."""

    kind: str
    wanted: int
    cached: int
    fetched: int
    reason: str = ""

    @property
    def missing(self) -> int:
        """How many stay null in the tables."""
        return self.wanted - self.cached - self.fetched


class Work(Struct, frozen=True):
    """What a run has to publish, and what became of the other playlists that it was asked for."""

    kept: list[Kept]
    others: list[PlaylistLine]
    details: list[DetailsLine] = []

    @property
    def failed(self) -> list[PlaylistLine]:
        """Playlists that could not be read."""
        return [line for line in self.others if line.status == "failed"]


class Receipt(Struct, frozen=True):
    """The receipt, one line of JSON in the lake."""

    run_id: str
    flow: str
    status: str
    message: str
    snapshot_date: date
    started_at: datetime
    finished_at: datetime
    code_version: str
    load: str
    refresh: str
    playlists: list[PlaylistLine]
    rows_by_table: dict[str, int]
    files: list[File]
    details: list[DetailsLine]
    partitions_replaced: int | None
    partitions_deleted: int | None
    statements: list[str]
    seconds: dict[str, float]


def playlist_lines(manifest: Manifest, loaded: Loaded, others: list[PlaylistLine]) -> list[PlaylistLine]:
    """A line for every playlist and date that the run was asked for."""
    in_place = set(loaded.partitions)
    return [_published(part, in_place) for part in manifest.partitions] + others


def summary(lines: list[PlaylistLine], details: list[DetailsLine]) -> tuple[str, str]:
    """Status and message of the run: failed where a playlist failed, with each reason."""
    counts = Counter(line.status for line in lines)
    counted = ", ".join(f"{number} {status}" for status, number in counts.items())
    reasons = [line.reason for line in lines if line.status == "failed" and line.reason]
    bare = [f"{line.missing} {line.kind} ({line.reason})" for line in details if line.missing]
    message = ". ".join(
        [
            f"Playlists: {counted}",
            *(["; ".join(reasons)] if reasons else []),
            *(["Without details: " + ", ".join(bare)] if bare else []),
        ]
    )
    if counts["failed"]:
        return "failed", f"{message} [{Code.PLAYLISTS_FAILED}]"
    return "completed", message


def encode_receipt(receipt: Receipt) -> bytes:
    """One line of JSON."""
    return msgspec.json.encode(receipt) + b"\n"


def as_rows(receipt: Receipt) -> list[dict[str, Any]]:
    """The playlists as rows of a table for people."""
    return [
        {
            "playlist": line.playlist_id,
            "date": str(line.snapshot_date),
            "status": line.status,
            "total": line.total,
            "read": line.read,
            "songs": line.rows_by_table.get("playlist_songs", 0),
            "rejected": ", ".join(f"{count} {reason}" for reason, count in line.rejected.items()),
            "rows": sum(line.rows_by_table.values()),
            "loaded": line.rows_loaded,
        }
        for line in receipt.playlists
    ]


def as_markdown(receipt: Receipt) -> str:
    """The receipt for people: playlists, tables, files and timings."""
    tables = [
        {"table": table, "files": files, "bytes": size, "rows": rows, "loaded": receipt.rows_by_table[table]}
        for table, (files, size, rows) in _by_table(receipt.files).items()
    ]
    seconds = ", ".join(f"{step} {duration:.1f} s" for step, duration in receipt.seconds.items())
    replaced, deleted = (
        "not known" if count is None else count
        for count in (receipt.partitions_replaced, receipt.partitions_deleted)
    )
    return "\n\n".join(
        [
            f"**{receipt.flow} {receipt.run_id}**: {receipt.status}. {receipt.message}",
            markdown_table(as_rows(receipt)),
            markdown_table(tables),
            f"Partitions replaced: {replaced}, deleted: {deleted}. {seconds}",
        ]
    )


def markdown_table(rows: list[dict[str, Any]]) -> str:
    """Rows as a Markdown table whose columns line up."""
    if not rows:
        return "(no rows)"
    lines = [
        list(rows[0]),
        *([_cell(value) for value in row.values()] for row in rows),
    ]
    widths = [max(len(line[column]) for line in lines) for column in range(len(rows[0]))]
    texts = ["| " + " | ".join(map(str.ljust, line, widths)) + " |" for line in lines]
    return "\n".join([texts[0], "|" + "|".join("-" * (width + 2) for width in widths) + "|", *texts[1:]])


def _cell(value: object) -> str:
    """Text that neither ends its cell nor its line."""
    return "" if value is None else " ".join(str(value).splitlines()).replace("|", "\\|")


def _by_table(files: list[File]) -> dict[str, tuple[int, int, int]]:
    """Files, bytes and rows of each table."""
    totals: dict[str, tuple[int, int, int]] = {}
    for file in files:
        count, size, rows = totals.get(file.table, (0, 0, 0))
        totals[file.table] = (count + 1, size + file.bytes, rows + file.rows)
    return totals


def _published(part: Partition, in_place: set[tuple[str, date]]) -> PlaylistLine:
    rows = sum(part.rows_by_table.values())
    loaded = part.key in in_place
    return PlaylistLine(
        playlist_id=part.playlist_id,
        snapshot_date=part.snapshot_date,
        status="loaded" if loaded else "superseded",
        source_key=part.source_key,
        total=part.item_count,
        read=part.rows_by_table["playlist_songs"] + part.rejected,
        rejected=part.rejected_by_reason,
        rows_by_table=part.rows_by_table,
        rows_loaded=rows if loaded else 0,
    )
