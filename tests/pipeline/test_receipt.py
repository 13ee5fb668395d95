"""The receipt: outcome of every requested playlist, as JSON, Markdown and table rows."""

import json
import re
import tracemalloc
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

import pytest
from msgspec.structs import replace

from pipeline.columns import TABLES
from pipeline.markdown import ARTIFACT_BYTES, LOG_BYTES, json_bytes
from pipeline.receipt import as_markdown, as_rows, as_table, encode_receipt, playlist_lines
from pipeline.records import DetailsLine, File, Kept, Loaded, Manifest, PlaylistLine, Receipt, Work
from pipeline.run_message import summary
from pipeline.usage import Usage
from tests.builders import DAY, FETCHED_AT, OTHER_PLAYLIST, PLAYLIST, RUN
from tests.pipeline.test_markdown import tokens

WHOLE = f"s3://lake/runs/dt={DAY}/{RUN}.json"
THIRD_PLAYLIST = "cPlaylist0000000000003"
COUNTS = dict.fromkeys(TABLES, 0) | {"playlists": 1, "playlist_songs": 47, "songs": 46, "rejects": 3}


def _partition(playlist: str, day: date = DAY) -> PlaylistLine:
    return PlaylistLine(
        playlist_id=playlist,
        snapshot_date=day,
        status="written",
        source_key=f"raw/{playlist}",
        source_fetched_at=FETCHED_AT,
        snapshot_id="AAAA/+8=",
        total=50,
        read=50,
        rejected={"null_item": 2, "episode": 1},
        nulled={"album.name": 1},
        missing_fields=["explicit"],
        rows_by_table=COUNTS,
        name="Party mix",
    )


def _line(status: str, reason: str | None = None) -> PlaylistLine:
    return PlaylistLine(THIRD_PLAYLIST, DAY, status, reason)


def _file(table: str, rows: int, size: int) -> File:
    return File(table, DAY, f"tables/{table}/dt={DAY}/{RUN}.csv.gz", rows, size, "ab" * 32)


def _receipt(lines: list[PlaylistLine], files: list[File] | None = None) -> Receipt:
    status, message = summary(lines, [])
    return Receipt(
        run_id=RUN,
        flow_run_id="00000000-0000-4000-8000-000000000000",
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
        report=None,
        changes=[],
        partitions_replaced=1,
        partitions_deleted=0,
        statements=["BEGIN", "COMMIT"],
        seconds={"keep_snapshots": 1.25, "load": 3.0},
        usage=Usage(12, 1_250_000, 1, 99_600, 15_500, 1034),
    )


def test_counts_of_a_loaded_playlist_add_up() -> None:
    (line,) = playlist_lines(Manifest([], [_partition(PLAYLIST)]), Loaded(partitions=[(PLAYLIST, DAY)]), [])
    assert line == PlaylistLine(
        playlist_id=PLAYLIST,
        snapshot_date=DAY,
        status="loaded",
        source_key=f"raw/{PLAYLIST}",
        source_fetched_at=FETCHED_AT,
        snapshot_id="AAAA/+8=",
        total=50,
        read=50,
        rejected={"null_item": 2, "episode": 1},
        nulled={"album.name": 1},
        missing_fields=["explicit"],
        rows_by_table=COUNTS,
        rows_loaded=97,
        name="Party mix",
    )
    assert line.total == line.read == line.rows_by_table["playlist_songs"] + sum(line.rejected.values())
    assert line.rows_loaded == sum(line.rows_by_table.values())


def test_a_superseded_partition_loads_no_rows() -> None:
    loaded = Loaded(partitions=[(PLAYLIST, DAY)], superseded=[(OTHER_PLAYLIST, DAY)])
    manifest = Manifest([], [_partition(PLAYLIST), _partition(OTHER_PLAYLIST)])
    lines = playlist_lines(manifest, loaded, [])
    assert [(line.status, line.total, line.rows_loaded) for line in lines] == [
        ("loaded", 50, 97),
        ("superseded", 50, 0),
    ]


def test_each_date_of_a_playlist_has_its_own_status() -> None:
    before = DAY - timedelta(1)
    manifest = Manifest([], [_partition(PLAYLIST, before), _partition(PLAYLIST)])
    lines = playlist_lines(manifest, Loaded(partitions=[(PLAYLIST, DAY)]), [])
    assert [(line.snapshot_date, line.status) for line in lines] == [(before, "superseded"), (DAY, "loaded")]


def test_every_requested_playlist_has_a_line() -> None:
    others = [_line("failed", "deleted"), _line("unchanged")]
    lines = playlist_lines(Manifest([], [_partition(PLAYLIST)]), Loaded(partitions=[(PLAYLIST, DAY)]), others)
    assert [line.status for line in lines] == ["loaded", "failed", "unchanged"]
    assert [(line.total, line.read, line.rows_loaded, line.rows_by_table) for line in lines[1:]] == [
        (0, 0, 0, {})
    ] * 2


def test_lines_are_sorted_by_date_and_name_and_carry_the_playlist_name_if_known() -> None:
    first, second = replace(_partition(OTHER_PLAYLIST), name="alpha"), _partition(PLAYLIST)
    gap = PlaylistLine(PLAYLIST, DAY - timedelta(1), "not kept", "nothing was kept")
    manifest = Manifest([], [second, first, _partition(PLAYLIST, DAY + timedelta(1))])
    lines = playlist_lines(manifest, Loaded(), [_line("failed", "deleted"), gap])
    assert [(line.name, (line.snapshot_date - DAY).days) for line in lines] == [
        ("Party mix", -1),
        ("alpha", 0),
        ("Party mix", 0),
        (None, 0),
        ("Party mix", 1),
    ]


def test_failed_playlists_of_a_step_do_not_include_unchanged_ones() -> None:
    failed = _line("failed", "deleted")
    work = Work([Kept("raw/key", PLAYLIST, DAY)], [_line("unchanged"), failed])
    assert work.failed == [failed]


class Case(NamedTuple):
    """Playlist lines of a run, and its expected status and message."""

    lines: list[PlaylistLine]
    status: str
    message: str
    details: list[DetailsLine] = []  # noqa: RUF012 - never changed


LOADED = PlaylistLine(PLAYLIST, DAY, "loaded")
OTHER_LOADED = PlaylistLine(OTHER_PLAYLIST, DAY, "loaded")
DAY_BEFORE = PlaylistLine(PLAYLIST, DAY - timedelta(1), "loaded")
SUMMARIES = {
    "loaded": Case([LOADED, OTHER_LOADED], "completed", "2 playlists loaded"),
    "unchanged": Case([_line("unchanged")], "completed", "1 playlist unchanged"),
    "several": Case(
        [LOADED, _line("superseded"), OTHER_LOADED], "completed", "2 playlists loaded, 1 superseded"
    ),
    "several dates": Case([DAY_BEFORE, LOADED], "completed", "1 playlist, 2 snapshots loaded"),
    "several dates, and others": Case(
        [
            DAY_BEFORE,
            LOADED,
            OTHER_LOADED,
            _line("superseded"),
            _line("not kept", "nothing"),
            _line("unchanged"),
        ],
        "completed",
        "2 playlists, 3 snapshots loaded, 1 unchanged, 1 superseded, gaps in 1 playlist",
    ),
    "thousands": Case(
        [PlaylistLine(str(number), DAY, "unchanged") for number in range(1200)],
        "completed",
        "1,200 playlists unchanged",
    ),
    "failed": Case(
        [_line("failed", "it was deleted")], "failed", "1 playlist failed. it was deleted [PLAYLISTS_FAILED]"
    ),
    "failed, among others": Case(
        [
            LOADED,
            _line("failed", "one was deleted"),
            PlaylistLine(OTHER_PLAYLIST, DAY, "failed", "one is private"),
        ],
        "failed",
        "1 playlist loaded, 2 failed. one was deleted; one is private [PLAYLISTS_FAILED]",
    ),
    "failed, no reason known": Case(
        [LOADED, _line("failed")], "failed", "1 playlist loaded, 1 failed [PLAYLISTS_FAILED]"
    ),
    "reason of an unchanged playlist": Case(
        [_line("unchanged", "no matter")], "completed", "1 playlist unchanged"
    ),
    "without some details": Case(
        [LOADED],
        "completed",
        "1 playlist loaded. Without details: 2 artists (quota)",
        [DetailsLine("artists", 9, 3, 4, reason="quota"), DetailsLine("albums", 9, 0, 9)],
    ),
    "unusable values in details": Case(
        [LOADED],
        "completed",
        "1 playlist loaded. Unusable values, null in the tables: 2 in albums.label",
        [DetailsLine("albums", 9, 0, 9, nulled={"albums.label": 2})],
    ),
}


@pytest.mark.parametrize("case", SUMMARIES.values(), ids=SUMMARIES)
def test_status_and_message_of_a_run_follow_from_its_playlists(case: Case) -> None:
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


def test_the_receipt_as_table_rows() -> None:
    lines = playlist_lines(Manifest([], [_partition(PLAYLIST)]), Loaded(partitions=[(PLAYLIST, DAY)]), [])
    assert [*as_rows(_receipt([*lines, _line("unchanged")]))] == [
        {
            "playlist": "Party mix",
            "id": PLAYLIST,
            "date": "2026-11-21",
            "status": "loaded",
            "fetched": "2026-11-21 06:00",
            "total": 50,
            "read": 50,
            "songs": 47,
            "rejected": "2 null_item, 1 episode",
            "unusable": "1 `album.name`",
            "missing": "explicit",
            "rows": 97,
            "loaded": 97,
        },
        {
            "playlist": "",
            "id": THIRD_PLAYLIST,
            "date": "2026-11-21",
            "status": "unchanged",
            "fetched": "",
            "total": "",
            "read": "",
            "songs": "",
            "rejected": "",
            "unusable": "",
            "missing": "",
            "rows": "",
            "loaded": "",
        },
    ]


def test_the_receipt_as_markdown() -> None:
    files = [_file("songs", 40, 1000), _file("songs", 6, 234), _file("playlists", 1, 99)]
    text = as_markdown(_receipt([LOADED], files), WHOLE)
    head, playlists, tables, tail, used, where = text.split("\n\n")
    assert head == f"**ingest-playlists {RUN}**: completed. 1 playlist loaded"
    assert playlists.split("\n")[2].split("|")[2:5] == [f" {PLAYLIST} ", " 2026-11-21 ", " loaded "]
    assert [line.replace(" ", "") for line in tables.split("\n")[2:]] == [
        "|songs|2|1234|46|46|",
        "|playlists|1|99|1|1|",
    ]
    assert tail == "Partitions replaced: 1, deleted: 0. keep_snapshots 1.2 s, load 3.0 s"
    assert used == (
        "Used: 12 requests to Spotify (1.25 MB read), 1 request to S3 (0.10 MB written, 0.02 MB read), "
        "1,034 statements in Snowflake"
    )
    assert where == f"The full receipt: `{WHOLE}`"


def test_the_receipt_names_the_report() -> None:
    key = f"reports/dt={DAY}/{RUN}.html"
    *_, report, _ = as_markdown(replace(_receipt([LOADED]), report=key), WHOLE).split("\n\n")
    assert report == f"The report: `{key}`"


def test_the_receipt_of_a_run_without_files_shows_no_rows() -> None:
    assert "(no rows)" in as_markdown(_receipt([_line("unchanged")]), WHOLE)


def test_thousands_of_failures_are_counted_and_the_first_are_named() -> None:
    lines = [
        PlaylistLine(str(number), DAY, "failed", f"playlist {number} was deleted") for number in range(5000)
    ]
    _, message = summary([LOADED, *lines], [])
    assert message.startswith(
        "1 playlist loaded, 5,000 failed. playlist 0 was deleted; playlist 1 was deleted; "
    )
    assert message.endswith("playlist 9 was deleted; and 4,990 more: see the receipt [PLAYLISTS_FAILED]")


def test_a_long_reason_keeps_its_beginning_and_its_code() -> None:
    _, message = summary([_line("failed", "begins " + "x" * 10_000 + " [SPOTIFY_REFUSED]")], [])
    assert "begins x" in message
    assert message.endswith("x [SPOTIFY_REFUSED] [PLAYLISTS_FAILED]")
    assert len(message) < 500


def test_a_cell_lists_six_reasons_unexpected_ones_first_and_counts_the_rest() -> None:
    reasons = {"null_item": 20, "episode": 11}
    reasons |= {f"malformed: number {number}": 10 - number for number in range(6)}
    (row,) = as_rows(_receipt([PlaylistLine(PLAYLIST, DAY, "loaded", rejected=reasons)]))
    assert row["rejected"] == ", ".join(f"{10 - n} malformed: number {n}" for n in range(6)) + " and 2 more"


def test_failed_playlists_are_listed_first() -> None:
    receipt = _receipt([LOADED, _line("unchanged"), _line("failed", "deleted")])
    assert [row["status"] for row in as_rows(receipt)] == ["failed", "loaded", "unchanged"]


@pytest.mark.parametrize(
    "released", ["<img src=x onerror=alert(1)>", "[x](javascript:alert(1))", "`|<!--\n\x00\u202e"]
)
def test_text_from_spotify_is_always_shown_as_code(released: str) -> None:
    lines = [
        PlaylistLine(PLAYLIST, DAY, "loaded", rejected={released: 1}),
        _line("failed", f"Spotify refuses it ({released})"),
    ]
    rows, description = as_table(_receipt(lines), WHOLE)
    pages = [as_markdown(_receipt(lines), WHOLE), description, str(rows[1]["rejected"])]
    found = [tokens(page) for page in pages]
    words = max(re.findall(r"[\w()]+|\|", released), key=len)
    assert [sum(words in text for _, text in page) for page in found] == [2, 1, 1]
    for kind, text in (one for page in found for one in page):
        assert kind in {"text", "strong_open", "strong_close", "code_inline"}
        assert kind == "code_inline" or not re.search("[<|`]", text)
        assert text.isprintable()


MANY_PARTITIONS = 4000
LONG_WHEN_ESCAPED = "\U0001f600`|<b>\x00"
"""Text that grows most when escaped: as code, in a table cell, in JSON within JSON."""


def _many() -> Receipt:
    """4,000 partitions, one of them with 5,000 distinct reasons, and 50 long failures."""
    reasons = {f"{LONG_WHEN_ESCAPED * 40}{number}": 1 for number in range(5000)}
    lines = [
        PlaylistLine(f"p{n:021d}", DAY, "loaded", rejected={f"{LONG_WHEN_ESCAPED} {n}": n})
        for n in range(MANY_PARTITIONS)
    ]
    lines[0] = PlaylistLine(PLAYLIST, DAY, "loaded", rejected=reasons)
    return _receipt([*lines, *(_line("failed", LONG_WHEN_ESCAPED * 1000) for _ in range(50))])


def test_log_and_artifacts_of_a_large_receipt_are_bounded_and_name_its_key() -> None:
    receipt = _many()
    tracemalloc.start()
    try:
        log, page = as_markdown(receipt, WHOLE, LOG_BYTES), as_markdown(receipt, WHOLE)
        rows, description = as_table(receipt, WHOLE)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert json_bytes(log) <= LOG_BYTES
    assert json_bytes(page) <= ARTIFACT_BYTES
    assert json_bytes(json.dumps(rows)) <= ARTIFACT_BYTES * 1.01
    for shown in (log, description):
        assert f"more rows are not shown: the full receipt is `{WHOLE}`" in shown
    assert f"{MANY_PARTITIONS + 50 - len(rows):,} more rows" in description
    assert log.count("| loaded |") > 20
    encoded = encode_receipt(receipt)
    assert peak < 4 * len(encoded)
    whole = json.loads(encoded)
    assert len(whole["playlists"]) == MANY_PARTITIONS + 50
    assert len(whole["playlists"][0]["rejected"]) == 5000
