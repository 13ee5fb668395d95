"""What a run did: counts, files, hashes, timings. Written last: no receipt, no run."""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from itertools import islice
from typing import Any

import msgspec
from msgspec.structs import replace

from pipeline.markdown import (
    ARTIFACT_BYTES,
    Markup,
    as_bounded_text,
    as_text,
    fitting,
    json_bytes,
    markdown_table,
    plural,
    shortened,
)
from pipeline.records import (
    File,
    Loaded,
    Manifest,
    PlaylistLine,
    Receipt,
)
from pipeline.usage import Usage

REASONS_SHOWN = 5
"""Reject reasons in a cell; a playlist may have as many as entries."""
REASON_CHARACTERS = 100
NAME_CHARACTERS = 80
"""Of a playlist's name in a cell."""
FRAME_BYTES = 500
"""Headings, and the sentence about rows that are not shown."""


def playlist_lines(manifest: Manifest, loaded: Loaded, others: Sequence[PlaylistLine]) -> list[PlaylistLine]:
    """A line for every playlist and date that the run was asked for, by date and playlist."""
    in_place = set(loaded.partitions)
    lines = [_after_load(line, loaded=line.partition in in_place) for line in manifest.partitions]
    names = {line.playlist_id: line.name for line in lines}
    named = [line if line.name else replace(line, name=names.get(line.playlist_id)) for line in others]
    return sorted([*lines, *named], key=_place)


def _place(line: PlaylistLine) -> tuple[date, bool, str, str]:
    """By date, then by name; playlists whose names are not known come last."""
    return line.snapshot_date, line.name is None, (line.name or "").casefold(), line.playlist_id


def encode_receipt(receipt: Receipt) -> bytes:
    """One line of JSON."""
    return msgspec.json.encode(receipt) + b"\n"


def as_rows(receipt: Receipt) -> Iterator[dict[str, Any]]:
    """The playlists as rows of a table for people, those that failed first; texts are Markdown.

    Cells are blank where nothing was counted.
    """
    for line in sorted(receipt.playlists, key=lambda line: line.status != "failed"):
        counted = bool(line.rows_by_table)
        yield {
            "playlist": Markup(as_text(shortened(line.name or "", NAME_CHARACTERS))),
            "id": line.playlist_id,
            "date": str(line.snapshot_date),
            "status": line.status,
            "total": line.total if counted else "",
            "read": line.read if counted else "",
            "songs": line.rows_by_table["playlist_songs"] if counted else "",
            "rejected": _counted(line.rejected),
            "unusable": _counted(line.nulled),
            "missing": _listed(line.missing_fields),
            "rows": sum(line.rows_by_table.values()) if counted else "",
            "loaded": line.rows_loaded if counted else "",
        }


def as_table(receipt: Receipt, key: str) -> tuple[list[dict[str, Any]], str]:
    """Rows and description of the table artifact; `key` is where the whole receipt is."""
    # An artifact holds its rows as JSON text, within the JSON of the request.
    rows, left = fitting(as_rows(receipt), lambda row: json_bytes(json.dumps(row)), ARTIFACT_BYTES)
    message = as_text(receipt.message)
    return rows, f"{message}\n\n{left:,} more rows are not shown{_elsewhere(key)}" if left else message


def as_markdown(receipt: Receipt, key: str, limit: int = ARTIFACT_BYTES) -> str:
    """The receipt for people: playlists, tables, files and timings, in at most `limit` bytes.

    Playlists that do not fit are counted; `key` is where the whole receipt is.
    """
    tables = [
        {"table": table, "files": files, "bytes": size, "rows": rows, "loaded": receipt.rows_by_table[table]}
        for table, (files, size, rows) in _by_table(receipt.files).items()
    ]
    seconds = ", ".join(f"{step} {duration:.1f} s" for step, duration in receipt.seconds.items())
    replaced, deleted = (
        "not known" if count is None else count
        for count in (receipt.partitions_replaced, receipt.partitions_deleted)
    )
    message = as_bounded_text(receipt.message, limit // 2)
    head = f"**{receipt.flow} {receipt.run_id}**: {receipt.status}. {message}"
    tail = [
        markdown_table(tables),
        f"Partitions replaced: {replaced}, deleted: {deleted}. {seconds}",
        _used(receipt.usage),
        *([f"The report: {as_text(receipt.report)}"] if receipt.report else []),
        f"The whole receipt: {as_text(key)}",
    ]
    elsewhere = _elsewhere(key)
    rest = sum(map(json_bytes, [head, *tail, elsewhere])) + FRAME_BYTES
    return "\n\n".join([head, markdown_table(as_rows(receipt), limit - rest, elsewhere), *tail])


def _used(usage: Usage) -> str:
    """One sentence about what the run used."""
    read, got, put = map(_megabytes, (usage.spotify_bytes, usage.lake_bytes_read, usage.lake_bytes_written))
    return (
        f"Used: {plural(usage.spotify_requests, 'request')} to Spotify ({read} read), "
        f"{plural(usage.lake_requests, 'request')} to S3 ({put} written, {got} read), "
        f"{plural(usage.statements, 'statement')} in Snowflake"
    )


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.2f} MB"


def _elsewhere(key: str) -> str:
    return f": the whole receipt is {as_text(key)}"


def _listed(fields: Sequence[str]) -> Markup:
    return Markup(", ".join(map(as_text, fields)))


def _counted(counts: Mapping[str, int]) -> Markup:
    """The first reasons or fields with their numbers; reasons quote what Spotify sent."""
    shown = [
        f"{count} {as_text(shortened(reason, REASON_CHARACTERS))}"
        for reason, count in islice(counts.items(), REASONS_SHOWN)
    ]
    more = len(counts) - len(shown)
    return Markup(", ".join(shown) + (f" and {more:,} more" if more else ""))


def _by_table(files: Sequence[File]) -> dict[str, tuple[int, int, int]]:
    """Files, bytes and rows of each table."""
    totals: dict[str, tuple[int, int, int]] = {}
    for file in files:
        count, size, rows = totals.get(file.table, (0, 0, 0))
        totals[file.table] = (count + 1, size + file.bytes, rows + file.rows)
    return totals


def _after_load(line: PlaylistLine, *, loaded: bool) -> PlaylistLine:
    if loaded:
        return replace(line, status="loaded", rows_loaded=sum(line.rows_by_table.values()))
    return replace(line, status="superseded")
