"""Auto-ingest pipes: a new file in the bucket is loaded into the table."""

import gzip
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from tests.sandbox.snowflake.conftest import BUCKET, LANDING, Control, Songs, eventually


def test_new_file_is_loaded(songs: Songs) -> None:
    key = songs.send("dt=2026-11-20/a b+c", 'n,note\n1,x\n2,\n3,""\n')
    rows = [(1, "x", key, 1), (2, None, key, 2), (3, "", key, 3)]
    eventually(lambda: songs.run(f"SELECT * FROM {songs.name} ORDER BY n"), rows)
    columns = "file_name, status, row_count, row_parsed, first_error_message, error_count, pipe_name"
    assert songs.history(columns) == [(key, "Loaded", 3, 3, None, 0, f"{songs.name}_pipe".upper())]


def test_pipe_with_select_loads_columns_in_any_order(songs: Songs) -> None:
    songs.run(
        f"""CREATE OR REPLACE PIPE {songs.name}_pipe AUTO_INGEST = TRUE COMMENT = 'it''s' AS
        COPY INTO {songs.name} (file_row, file_name, n) FROM
        (SELECT METADATA$FILE_ROW_NUMBER, METADATA$FILENAME, f.$2 FROM @music.lists.lake/{songs.folder} f)
        FILE_FORMAT = (FORMAT_NAME = playlist_csv) ON_ERROR = SKIP_FILE"""
    )
    key = songs.send("a", "note,n\nx,7\n")
    eventually(lambda: songs.run(f"SELECT * FROM {songs.name}"), [(7, None, key, 1)])


def test_pipe_without_select_loads_columns_by_position(songs: Songs) -> None:
    songs.run(f"CREATE OR REPLACE TABLE {songs.name} (n INT, note VARCHAR)")
    songs.run(
        f"CREATE OR REPLACE PIPE {songs.name}_pipe AUTO_INGEST = TRUE AS COPY INTO {songs.name}"
        f" FROM @lake/{songs.folder} FILE_FORMAT = (FORMAT_NAME = 'playlist_csv')"
    )
    songs.send("ragged", "n,note\n1\n")
    songs.send("a", "n,note\n1,x\n")
    eventually(lambda: songs.run(f"SELECT * FROM {songs.name}"), [(1, "x")])
    columns = "status, first_error_line_number"
    eventually(lambda: songs.history(columns, "WHERE row_count = 0"), [("Load failed", 2)])


def test_file_names_are_relative_to_the_stage(songs: Songs) -> None:
    songs.run(
        f"CREATE STAGE {songs.name}_stage URL = 's3://{BUCKET}/tables' STORAGE_INTEGRATION = lake_reader"
    )
    songs.run(songs.pipe(location=f"@{songs.name}_stage/{songs.name}/"))
    key = songs.send("a", "n,note\n1,x\n")
    eventually(
        lambda: songs.history("file_name, stage_location"),
        [(key.removeprefix("tables/"), f"s3://{BUCKET}/tables/")],
    )
    assert songs.run(f"SELECT file_name FROM {songs.name}") == [(key,)]
    assert songs.status()["lastIngestedFilePath"] == key.removeprefix("tables/")


def test_each_pipe_loads_the_files_below_its_path(songs: Songs) -> None:
    other = songs._replace(name=f"{songs.name}_too")
    other.create()
    songs.run(songs.pipe("second"))
    songs.put(f"{songs.folder}copy.csv.gz", "n,note\n8,not for pipes\n")
    songs.send("a", "n,note\n1,x\n")
    other.send("b", "n,note\n2,y\n")
    eventually(songs.numbers, [1, 1])
    eventually(other.numbers, [2])


def test_pattern_is_matched_with_the_path_in_the_stage(songs: Songs) -> None:
    songs.run(songs.pipe().replace("'.*[.]snowpipe", f"'tables/{songs.name}/dt=[0-9]+/[a-z]+[.]snowpipe"))
    songs.send("a", "n,note\n1,x\n")
    songs.send("dt=2/a", "n,note\n2,x\n")
    eventually(songs.numbers, [2])


class Ragged(NamedTuple):
    """A file with records of different lengths, and the expected notes."""

    name: str
    text: str
    notes: list[str | None]


@pytest.mark.parametrize(
    "case",
    [
        Ragged("fewer fields", "n,note\n1,x\n2\n", ["x", None]),
        Ragged("more fields", "n,note\n1,x\n2,y,z\n", ["x", "y"]),
        Ragged("line breaks in values", 'n,note\n1,"x\n\ny"\n2,z,"\n"\n', ["x\n\ny", "z"]),
        Ragged("no records", "n,note\n", []),
        Ragged("no header", "", []),
        Ragged("200,000 characters", f'n,note\n1,"{"x," * 10**5}"\n', ["x," * 10**5]),
    ],
    ids=lambda case: case.name,
)
def test_pipe_with_select_loads_records_of_any_length(songs: Songs, case: Ragged) -> None:
    key = songs.send("a", case.text)
    eventually(songs.history, [(key, "Loaded", len(case.notes))])
    assert songs.run(f"SELECT note FROM {songs.name} ORDER BY n") == [(note,) for note in case.notes]


class Malformed(NamedTuple):
    """A file that is skipped, and the expected line, column and message of the first error."""

    name: str
    body: bytes
    line: int | None
    column: str | None
    words: str


@pytest.mark.parametrize(
    "case",
    [
        Malformed("bad number", b"n,note\n1,a\nx7,b\n", 3, "N", "value 'x7' is not recognized"),
        Malformed("null", b"n,note\n1,a\n,b\n", 3, "N", "NULL result in a non-nullable column"),
        Malformed("open quote", b'n,note\n1,a\n2,"b\n', 3, None, "unterminated quote"),
        Malformed("open quote, ragged", b'n,note\n1\n2,"b\n', 3, None, "unterminated quote"),
        Malformed("text after a quote", b'n,note\n1,"a"b\n', 2, None, "Malformed record"),
        Malformed("NUL", b"n,note\n1,a\0\n", None, None, "does not emulate NUL"),
        Malformed("not gzip", b"", None, None, "decompression for file"),
    ],
    ids=lambda case: case.name,
)
def test_malformed_file_is_skipped_and_recorded(songs: Songs, s3: Any, case: Malformed) -> None:
    bad = f"{songs.folder}bad.snowpipe.csv.gz"
    s3.put_object(Bucket=BUCKET, Key=bad, Body=gzip.compress(case.body) if case.body else b"n,note\n1,a\n")
    songs.send("good", "n,note\n5,fine\n")
    columns = "file_name, status, row_count, error_count, first_error_line_number, first_error_column_name"
    eventually(
        lambda: songs.history(columns, "WHERE status <> 'Loaded'"),
        [(bad, "Load failed", 0, 1, case.line, case.column)],
    )
    ((message,),) = songs.history("first_error_message", "WHERE status = 'Load failed'")
    assert case.words in message
    assert "\n" not in message
    eventually(songs.numbers, [5])


def test_file_deleted_before_the_load_is_recorded(songs: Songs, s3: Any, control: Control) -> None:
    control(paused=True)
    key = songs.send("a", "n,note\n1,x\n")
    eventually(lambda: songs.status()["pendingFileCount"], 1)
    s3.delete_object(Bucket=BUCKET, Key=key)
    control()
    not_found = f"Remote file 's3://{BUCKET}/{key}' was not found."
    eventually(lambda: songs.history("status, first_error_message"), [("Load failed", not_found)])


# ---- load metadata: kept for 14 days, by path, per CREATE PIPE


class Again(NamedTuple):
    """Statements before another file is written to the same key, and the expected numbers in the table."""

    name: str
    before: list[str]
    numbers: list[int]
    ahead_days: float = 0


@pytest.mark.parametrize(
    "case",
    [
        Again("nothing", [], [1]),
        Again("DELETE", ["DELETE FROM {name}"], []),
        Again("TRUNCATE keeps the load metadata", ["TRUNCATE TABLE {name}"], []),
        Again(
            "ALTER PIPE keeps the load metadata",
            ["ALTER PIPE {name}_pipe SET PIPE_EXECUTION_PAUSED = FALSE"],
            [1],
        ),
        Again("a replaced pipe has no load metadata", ["{pipe}"], [1, 2]),
        Again("a recreated pipe has no load metadata", ["DROP PIPE {name}_pipe", "{pipe}"], [1, 2]),
        Again("13.9 days later", [], [1], 13.9),
        Again("14 days later", [], [1, 2], 14),
    ],
    ids=lambda case: case.name,
)
def test_key_that_is_written_again_after(songs: Songs, control: Control, case: Again) -> None:
    songs.send("a", "n,note\n1,x\n")
    eventually(songs.numbers, [1])
    for statement in case.before:
        songs.run(statement.format(name=songs.name, pipe=songs.pipe()))
    control(ahead_days=case.ahead_days)
    songs.send("a", "n,note\n2,y\n")
    songs.settle()
    assert songs.numbers() == case.numbers


def test_failed_file_is_not_loaded_again(songs: Songs) -> None:
    key = songs.send("a", "n,note\nx,x\n")
    eventually(songs.history, [(key, "Load failed", 0)])
    songs.send("a", "n,note\n1,fixed\n")
    songs.settle()
    assert songs.numbers() == []


def test_duplicate_event_loads_the_file_once(songs: Songs, control: Control) -> None:
    control(twice=f"{songs.name}/a")
    key = songs.send("a", "n,note\n1,x\n")
    songs.settle()
    assert songs.numbers() == [1]
    assert control.shown()["repeated"] == [f"s3://{BUCKET}/{key}"]


# ---- pending files


def test_paused_pipe_queues_files(songs: Songs) -> None:
    songs.run(f"ALTER PIPE {songs.name}_pipe SET PIPE_EXECUTION_PAUSED = TRUE")
    assert "oldestFileTimestamp" not in songs.status()
    key = songs.send("a", "n,note\n1,x\n")
    eventually(lambda: songs.status()["pendingFileCount"], 1)
    status = songs.status()
    assert (status["executionState"], status["oldestPendingFilePath"]) == ("PAUSED", key)
    assert status["oldestFileTimestamp"] == status["lastForwardedMessageTimestamp"]
    assert "lastIngestedFilePath" not in status
    songs.run(f"ALTER PIPE {songs.name}_pipe SET PIPE_EXECUTION_PAUSED = FALSE")
    eventually(songs.numbers, [1])


def test_file_is_loaded_only_after_the_delay(songs: Songs, control: Control) -> None:
    control(delay=3600)
    key = songs.send("a", "n,note\n1,x\n")
    eventually(lambda: control.shown()["waiting"], [f"s3://{BUCKET}/{key}"])
    assert songs.status()["executionState"] == "RUNNING"
    assert (songs.numbers(), songs.history()) == ([], [])
    control(delay=0.01)
    eventually(songs.numbers, [1])


def test_held_event_arrives_when_it_is_released(songs: Songs, control: Control) -> None:
    control(hold=f"{songs.name}/late")
    key = songs.send("late", "n,note\n1,x\n")
    songs.send("a", "n,note\n2,y\n")
    songs.settle()
    assert songs.numbers() == [2]
    assert control.shown()["held"] == [f"s3://{BUCKET}/{key}"]
    assert songs.status()["pendingFileCount"] == 0
    control()
    eventually(songs.numbers, [1, 2])


def test_files_are_loaded_newest_first_each_in_its_own_transaction(songs: Songs, control: Control) -> None:
    control(paused=True)
    keys = [songs.send(name, "n,note\n1,x\n") for name in "abc"]
    eventually(lambda: songs.status()["pendingFileCount"], 3)
    control()
    eventually(songs.numbers, [1, 1, 1])
    loaded = songs.history("file_name, first_commit_time", "ORDER BY last_load_time")
    assert [key for key, _ in loaded] == keys[::-1]
    assert len({moment for _, moment in loaded}) == 3


# ---- concurrent sessions and changed objects


def test_pipe_and_open_transaction_do_not_block_each_other(songs: Songs, connect: Callable[..., Any]) -> None:
    songs.send("a", "n,note\n1,x\n")
    eventually(songs.numbers, [1])
    with connect() as writing:
        writing.cursor().execute("BEGIN")
        writing.cursor().execute(f"DELETE FROM {songs.name} WHERE n = 1")
        songs.send("b", "n,note\n2,y\n")
        eventually(songs.numbers, [1, 2])
        writing.cursor().execute("COMMIT")
    assert songs.numbers() == [2]


def test_replacing_the_stage_stops_the_pipe_until_it_is_replaced(songs: Songs) -> None:
    stage = f"CREATE OR REPLACE STAGE {songs.name} URL = 's3://{BUCKET}/' STORAGE_INTEGRATION = lake_reader"
    songs.run(stage)
    songs.run(songs.pipe(location=f"@{songs.name}/{songs.folder}"))
    songs.run(stage)
    assert songs.status()["executionState"] == "STOPPED_STAGE_DROPPED"
    songs.run(songs.pipe(location=f"@{songs.name}/{songs.folder}"))
    assert songs.status()["executionState"] == "RUNNING"


def test_missing_table_stops_the_pipe_until_it_exists(songs: Songs, control: Control) -> None:
    songs.run(f"DROP TABLE {songs.name}")
    assert songs.status()["executionState"] == "STOPPED_MISSING_TABLE"
    control(hold=f"{songs.name}/b")
    songs.send("a", "n,note\n1,x\n")
    songs.send("b", "n,note\n2,x\n")
    eventually(lambda: len(control.shown()["held"]), 1)
    songs.run(LANDING.format(name=songs.name))
    control()
    songs.settle()
    assert songs.numbers() == [2]  # a stopped pipe discards events
