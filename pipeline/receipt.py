"""The receipt of a run: counts, files, hashes and timings, as JSON and for people.

It is written last: a run without a receipt did not finish.
"""

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
from pipeline.transform.entries import EXPECTED_REASONS
from pipeline.usage import Usage

REASONS_SHOWN = 6
"""Maximum number of reject reasons in a cell; each entry of a playlist may have a different one."""
REASON_CHARACTERS = 100
NAME_CHARACTERS = 80
"""Limit of a playlist's name in a cell."""
FRAME_BYTES = 500
"""Reserved for headings and for the sentence about rows that are not shown."""


def playlist_lines(manifest: Manifest, loaded: Loaded, others: Sequence[PlaylistLine]) -> list[PlaylistLine]:
    """One line for each playlist and date of the run, sorted by date, then name.

    `others`: playlists without tables: unchanged, not kept or failed.
    """
    in_place = set(loaded.partitions)
    lines = [_after_load(line, loaded=line.partition in in_place) for line in manifest.partitions]
    names = {line.playlist_id: line.name for line in lines}
    named = [line if line.name else replace(line, name=names.get(line.playlist_id)) for line in others]
    return sorted([*lines, *named], key=_sort_key)


def _sort_key(line: PlaylistLine) -> tuple[date, bool, str, str]:
    """By date, then by name; playlists without a known name come last."""
    return line.snapshot_date, line.name is None, (line.name or "").casefold(), line.playlist_id


def encode_receipt(receipt: Receipt) -> bytes:
    """One line of JSON."""
    return msgspec.json.encode(receipt) + b"\n"


def as_rows(receipt: Receipt) -> Iterator[dict[str, Any]]:
    """One table row for each playlist and date, failed ones first; texts are Markdown.

    Cells are blank if nothing was counted.
    """
    for line in sorted(receipt.playlists, key=lambda line: line.status != "failed"):
        counted = bool(line.rows_by_table)
        yield {
            "playlist": Markup(as_text(shortened(line.name or "", NAME_CHARACTERS))),
            "id": line.playlist_id,
            "date": str(line.snapshot_date),
            "status": line.status,
            "fetched": f"{line.source_fetched_at:%Y-%m-%d %H:%M}" if line.source_fetched_at else "",
            "total": line.total if counted else "",
            "read": line.read if counted else "",
            "songs": line.rows_by_table["playlist_songs"] if counted else "",
            "rejected": _counted(_unexpected_first(line.rejected)),
            "unusable": _counted(line.nulled),
            "missing": _listed(line.missing_fields),
            "rows": sum(line.rows_by_table.values()) if counted else "",
            "loaded": line.rows_loaded if counted else "",
        }


def as_table(receipt: Receipt, key: str) -> tuple[list[dict[str, Any]], str]:
    """Rows and description of the table artifact; `key`: lake key of the full receipt."""
    # An artifact holds its rows as JSON text, within the JSON of the request.
    rows, left = fitting(as_rows(receipt), lambda row: json_bytes(json.dumps(row)), ARTIFACT_BYTES)
    message = as_text(receipt.message)
    return rows, f"{message}\n\n{left:,} more rows are not shown{_elsewhere(key)}" if left else message


def as_markdown(receipt: Receipt, key: str, limit: int = ARTIFACT_BYTES) -> str:
    """The receipt as Markdown: playlists, tables, files and timings, in at most `limit` bytes.

    Playlists that do not fit are counted; `key`: lake key of the full receipt.
    """
    tables = [
        {"table": table, "files": files, "bytes": size, "rows": rows, "loaded": receipt.rows_by_table[table]}
        for table, (files, size, rows) in _by_table(receipt.files).items()
    ]
    seconds = ", ".join(f"{step} {duration:.1f} s" for step, duration in receipt.seconds.items())
    replaced, deleted = (
        "unknown" if count is None else count
        for count in (receipt.partitions_replaced, receipt.partitions_deleted)
    )
    message = as_bounded_text(receipt.message, limit // 2)
    head = f"**{receipt.flow} {receipt.run_id}**: {receipt.status}. {message}"
    tail = [
        markdown_table(tables),
        f"Partitions replaced: {replaced}, deleted: {deleted}. {seconds}",
        _used(receipt.usage),
        *([f"The report: {as_text(receipt.report)}"] if receipt.report else []),
        f"The full receipt: {as_text(key)}",
    ]
    elsewhere = _elsewhere(key)
    rest = sum(map(json_bytes, [head, *tail, elsewhere])) + FRAME_BYTES
    return "\n\n".join([head, markdown_table(as_rows(receipt), limit - rest, elsewhere), *tail])


def _used(usage: Usage) -> str:
    """The run's usage as one sentence."""
    read, got, put = map(_megabytes, (usage.spotify_bytes, usage.lake_bytes_read, usage.lake_bytes_written))
    return (
        f"Used: {plural(usage.spotify_requests, 'request')} to Spotify ({read} read), "
        f"{plural(usage.lake_requests, 'request')} to S3 ({put} written, {got} read), "
        f"{plural(usage.statements, 'statement')} in Snowflake"
    )


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.2f} MB"


def _elsewhere(key: str) -> str:
    return f": the full receipt is {as_text(key)}"


def _listed(fields: Sequence[str]) -> Markup:
    return Markup(", ".join(map(as_text, fields)))


def _counted(counts: Mapping[str, int]) -> Markup:
    """The first reasons or fields with their counts, as Markdown: reasons quote text from Spotify."""
    shown = [
        f"{count} {as_text(shortened(reason, REASON_CHARACTERS))}"
        for reason, count in islice(counts.items(), REASONS_SHOWN)
    ]
    more = len(counts) - len(shown)
    return Markup(", ".join(shown) + (f" and {more:,} more" if more else ""))


def _unexpected_first(rejected: Mapping[str, int]) -> dict[str, int]:
    """Rejects by reason; those that cause a warning come first, so that they are always listed."""
    return dict(sorted(rejected.items(), key=lambda one: one[0] in EXPECTED_REASONS))


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
