"""The receipt: what became of every playlist, for people and for programs."""

import json
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

import pytest

from flows.lake.files import File, Manifest, Partition
from flows.lake.snapshots import Kept
from flows.receipt import (
    DetailsLine,
    PlaylistLine,
    Receipt,
    Work,
    as_markdown,
    as_rows,
    encode_receipt,
    markdown_table,
    playlist_lines,
    summary,
)
from flows.transform.schema import TABLES
from flows.warehouse.loaded import Loaded
from tests.builders import DAY, FETCHED_AT, OTHER_PLAYLIST, PLAYLIST, RUN

GONE = "cPlaylist0000000000003"
COUNTS = dict.fromkeys(TABLES, 0) | {"playlists": 1, "playlist_songs": 47, "songs": 46, "rejects": 3}


def _partition(playlist: str, day: date = DAY) -> Partition:
    return Partition(
        playlist_id=playlist,
        snapshot_date=day,
        source_key=f"raw/{playlist}",
        source_fetched_at=FETCHED_AT,
        snapshot_id="AAAA/+8=",
        item_count=50,
        rejected=3,
        rejected_by_reason={"null_item": 2, "episode": 1},
        rows_by_table=COUNTS,
    )


def _line(status: str, reason: str | None = None) -> PlaylistLine:
    return PlaylistLine(GONE, DAY, status, reason)


def _file(table: str, rows: int, size: int) -> File:
    return File(table, DAY, f"tables/{table}/dt={DAY}/{RUN}.csv.gz", rows, size, "ab" * 32)


def _receipt(lines: list[PlaylistLine], files: list[File] | None = None) -> Receipt:
    status, message = summary(lines, [])
    return Receipt(
        run_id=RUN,
        flow="ingest-playlists",
        status=status,
        message=message,
        snapshot_date=DAY,
        started_at=FETCHED_AT,
        finished_at=FETCHED_AT + timedelta(seconds=9),
        code_version="1.2.3",
        load="copy",
        refresh="snapshot",
        playlists=lines,
        rows_by_table=COUNTS,
        files=files or [],
        details=[],
        partitions_replaced=1,
        partitions_deleted=0,
        statements=["BEGIN", "COMMIT"],
        seconds={"keep_snapshots": 1.25, "load": 3.0},
    )


def test_the_line_of_a_loaded_playlist_adds_up() -> None:
    (line,) = playlist_lines(Manifest([], [_partition(PLAYLIST)]), Loaded(partitions=[(PLAYLIST, DAY)]), [])
    assert line == PlaylistLine(
        playlist_id=PLAYLIST,
        snapshot_date=DAY,
        status="loaded",
        source_key=f"raw/{PLAYLIST}",
        total=50,
        read=50,
        rejected={"null_item": 2, "episode": 1},
        rows_by_table=COUNTS,
        rows_loaded=97,
    )
    assert line.total == line.read == line.rows_by_table["playlist_songs"] + sum(line.rejected.values())
    assert line.rows_loaded == sum(line.rows_by_table.values())


def test_what_a_newer_snapshot_stands_for_is_superseded_and_loads_nothing() -> None:
    loaded = Loaded(partitions=[(PLAYLIST, DAY)], superseded=[(OTHER_PLAYLIST, DAY)])
    manifest = Manifest([], [_partition(PLAYLIST), _partition(OTHER_PLAYLIST)])
    lines = playlist_lines(manifest, loaded, [])
    assert [(line.status, line.total, line.rows_loaded) for line in lines] == [
        ("loaded", 50, 97),
        ("superseded", 50, 0),
    ]


def test_dates_of_one_playlist_are_told_apart() -> None:
    before = DAY - timedelta(1)
    manifest = Manifest([], [_partition(PLAYLIST, before), _partition(PLAYLIST)])
    lines = playlist_lines(manifest, Loaded(partitions=[(PLAYLIST, DAY)]), [])
    assert [(line.snapshot_date, line.status) for line in lines] == [(before, "superseded"), (DAY, "loaded")]


def test_every_playlist_that_was_asked_for_has_a_line() -> None:
    others = [_line("failed", "gone"), _line("unchanged")]
    lines = playlist_lines(Manifest([], [_partition(PLAYLIST)]), Loaded(partitions=[(PLAYLIST, DAY)]), others)
    assert [line.status for line in lines] == ["loaded", "failed", "unchanged"]
    assert [(line.total, line.read, line.rows_loaded, line.rows_by_table) for line in lines[1:]] == [
        (0, 0, 0, {})
    ] * 2


def test_only_failed_playlists_are_the_failed_ones_of_the_work() -> None:
    failed = _line("failed", "gone")
    work = Work([Kept("raw/key", PLAYLIST, DAY)], [_line("unchanged"), failed])
    assert work.failed == [failed]


class Case(NamedTuple):
    """Lines of playlists, and what the run says of them."""

    lines: list[PlaylistLine]
    status: str
    message: str
    details: list[DetailsLine] = []  # noqa: RUF012 - never changed


LOADED = PlaylistLine(PLAYLIST, DAY, "loaded")
SUMMARIES = {
    "loaded": Case([LOADED, LOADED], "completed", "Playlists: 2 loaded"),
    "unchanged": Case([_line("unchanged")], "completed", "Playlists: 1 unchanged"),
    "several": Case([LOADED, _line("superseded"), LOADED], "completed", "Playlists: 2 loaded, 1 superseded"),
    "failed": Case([_line("failed", "it is gone")], "failed", "Playlists: 1 failed. it is gone"),
    "failed, among others": Case(
        [LOADED, _line("failed", "one is gone"), _line("failed", "one is private")],
        "failed",
        "Playlists: 1 loaded, 2 failed. one is gone; one is private",
    ),
    "failed, nobody knows why": Case([LOADED, _line("failed")], "failed", "Playlists: 1 loaded, 1 failed"),
    "the reason of what did not fail": Case(
        [_line("unchanged", "no matter")], "completed", "Playlists: 1 unchanged"
    ),
    "without some details": Case(
        [LOADED],
        "completed",
        "Playlists: 1 loaded. Without details: 2 artists (quota)",
        [DetailsLine("artists", 9, 3, 4, "quota"), DetailsLine("albums", 9, 0, 9)],
    ),
}


@pytest.mark.parametrize("case", SUMMARIES.values(), ids=SUMMARIES)
def test_a_run_fails_where_a_playlist_failed_and_says_why(case: Case) -> None:
    assert summary(case.lines, case.details) == (case.status, case.message)


def test_the_receipt_is_one_line_of_json() -> None:
    line = PlaylistLine(PLAYLIST, DAY, "failed", 'line one\nline "two" 🫖', rejected={"null_item": 2})
    encoded = encode_receipt(_receipt([line], [_file("songs", 46, 1234)]))
    assert encoded.endswith(b"\n")
    assert encoded.count(b"\n") == 1
    receipt = json.loads(encoded)
    assert (receipt["run_id"], receipt["status"], receipt["snapshot_date"]) == (RUN, "failed", "2026-11-21")
    assert datetime.fromisoformat(receipt["started_at"]) == datetime(2026, 11, 21, 6, tzinfo=UTC)
    assert receipt["playlists"][0]["reason"] == 'line one\nline "two" 🫖'
    assert receipt["playlists"][0]["rejected"] == {"null_item": 2}
    assert receipt["files"][0]["sha256"] == "ab" * 32
    assert receipt["seconds"] == {"keep_snapshots": 1.25, "load": 3.0}


def test_the_rows_for_people() -> None:
    lines = playlist_lines(Manifest([], [_partition(PLAYLIST)]), Loaded(partitions=[(PLAYLIST, DAY)]), [])
    assert as_rows(_receipt([*lines, _line("unchanged")])) == [
        {
            "playlist": PLAYLIST,
            "date": "2026-11-21",
            "status": "loaded",
            "total": 50,
            "read": 50,
            "songs": 47,
            "rejected": "2 null_item, 1 episode",
            "rows": 97,
            "loaded": 97,
        },
        {
            "playlist": GONE,
            "date": "2026-11-21",
            "status": "unchanged",
            "total": 0,
            "read": 0,
            "songs": 0,
            "rejected": "",
            "rows": 0,
            "loaded": 0,
        },
    ]


def test_the_receipt_as_markdown() -> None:
    files = [_file("songs", 40, 1000), _file("songs", 6, 234), _file("playlists", 1, 99)]
    text = as_markdown(_receipt([LOADED], files))
    head, playlists, tables, tail = text.split("\n\n")
    assert head == f"**ingest-playlists {RUN}**: completed. Playlists: 1 loaded"
    assert playlists.split("\n")[2].startswith(f"| {PLAYLIST} | 2026-11-21 | loaded |")
    assert [line.replace(" ", "") for line in tables.split("\n")[2:]] == [
        "|songs|2|1234|46|46|",
        "|playlists|1|99|1|1|",
    ]
    assert tail == "Partitions replaced: 1, deleted: 0. keep_snapshots 1.2 s, load 3.0 s"


def test_a_run_without_files_says_so() -> None:
    assert "(no rows)" in as_markdown(_receipt([_line("unchanged")]))


def test_the_columns_of_a_markdown_table_line_up() -> None:
    assert markdown_table([{"a": 1, "long name": None}, {"a": "text", "long name": 2.5}]) == (
        "| a    | long name |\n"
        "|------|-----------|\n"
        "| 1    |           |\n"
        "| text | 2.5       |"
    )  # fmt: skip


def test_no_value_breaks_a_markdown_table() -> None:
    reason = "malformed: Expected `str | null`, got `int`\nor so"
    table = markdown_table([{"a": reason, "b": 1}])
    assert table.split("\n")[2] == r"| malformed: Expected `str \| null`, got `int` or so | 1 |"
    assert len({len(line) for line in table.split("\n")}) == 1
