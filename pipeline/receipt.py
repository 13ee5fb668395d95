"""What a run did: counts, files, hashes, timings. Written last: no receipt, no run."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

import msgspec
from msgspec.structs import replace

from pipeline.errors import Code
from pipeline.insights.changes_text import in_one_line
from pipeline.losses import losses
from pipeline.markdown import (
    ARTIFACT_BYTES,
    Markup,
    as_bounded_text,
    as_text,
    fitting,
    json_bytes,
    markdown_table,
    shortened,
)
from pipeline.records import DetailsLine, File, Loaded, Manifest, PlaylistChanges, PlaylistLine, Receipt

FAILURES_SHOWN = 10
"""Failed playlists that a message names; a run may have thousands."""
FAILURE_CHARACTERS = 400
REASONS_SHOWN = 5
"""Reject reasons in a cell; a playlist may have as many as entries."""
REASON_CHARACTERS = 100
FRAME_BYTES = 500
"""Headings, and the sentence about rows that are not shown."""


def playlist_lines(manifest: Manifest, loaded: Loaded, others: Sequence[PlaylistLine]) -> list[PlaylistLine]:
    """A line for every playlist and date that the run was asked for."""
    in_place = set(loaded.partitions)
    return [_after_load(line, loaded=line.partition in in_place) for line in manifest.partitions] + [*others]


def summary(
    lines: Sequence[PlaylistLine], details: Sequence[DetailsLine], changes: Sequence[PlaylistChanges] = ()
) -> tuple[str, str]:
    """Status and message of the run: failed if a playlist failed, with the first reasons."""
    counts = Counter(line.status for line in lines)
    counted = ", ".join(f"{number} {status}" for status, number in counts.items())
    reasons = failures(lines)
    more = ": see the receipt" if counts["failed"] > FAILURES_SHOWN else ""
    bare = [f"{line.missing} {line.kind} ({_short(line.reason)})" for line in details if line.missing]
    nulled = [f"{number} in {path}" for line in details for path, number in line.nulled.items()]
    message = ". ".join(
        [
            f"Playlists: {counted}",
            *([reasons + more] if reasons else []),
            *(["Without details: " + ", ".join(bare)] if bare else []),
            *(["Unusable values, null in the tables: " + ", ".join(nulled)] if nulled else []),
            *([lost] if (lost := losses(lines)) else []),
            *([changed] if (changed := in_one_line(changes)) else []),
        ]
    )
    if counts["failed"]:
        return "failed", f"{message} [{Code.PLAYLISTS_FAILED}]"
    return "completed", message


def failures(lines: Sequence[PlaylistLine]) -> str:
    """Why playlists failed: the first reasons, and how many more there are."""
    reasons = [line.reason for line in lines if line.status == "failed" and line.reason]
    shown, more = reasons[:FAILURES_SHOWN], len(reasons) - FAILURES_SHOWN
    return "; ".join([*map(_short, shown), *([f"and {more:,} more"] if more > 0 else [])])


def _short(reason: str) -> str:
    return shortened(reason, FAILURE_CHARACTERS)


def encode_receipt(receipt: Receipt) -> bytes:
    """One line of JSON."""
    return msgspec.json.encode(receipt) + b"\n"


def as_rows(receipt: Receipt) -> Iterator[dict[str, Any]]:
    """The playlists as rows of a table for people, those that failed first; texts are Markdown."""
    for line in sorted(receipt.playlists, key=lambda line: line.status != "failed"):
        yield {
            "playlist": line.playlist_id,
            "date": str(line.snapshot_date),
            "status": line.status,
            "total": line.total,
            "read": line.read,
            "songs": line.rows_by_table.get("playlist_songs", 0),
            "rejected": _counted(line.rejected),
            "unusable": _counted(line.nulled),
            "missing": _listed(line.missing_fields),
            "rows": sum(line.rows_by_table.values()),
            "loaded": line.rows_loaded,
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
    tail = [markdown_table(tables), f"Partitions replaced: {replaced}, deleted: {deleted}. {seconds}"]
    elsewhere = _elsewhere(key)
    rest = sum(map(json_bytes, [head, *tail, elsewhere])) + FRAME_BYTES
    return "\n\n".join([head, markdown_table(as_rows(receipt), limit - rest, elsewhere), *tail])


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
