"""Pipes: from a file in the bucket to rows, without anybody asking."""

import gzip
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from tests.sandbox.snowflake.conftest import BUCKET, LANDING, Control, Songs, eventually


def test_a_file_that_is_put_becomes_rows(songs: Songs) -> None:
    key = songs.send("dt=2026-11-20/a b+c", 'n,note\n1,x\n2,\n3,""\n')
    rows = [(1, "x", key, 1), (2, None, key, 2), (3, "", key, 3)]
    eventually(lambda: songs.run(f"SELECT * FROM {songs.name} ORDER BY n"), rows)
    columns = "file_name, status, row_count, row_parsed, first_error_message, error_count, pipe_name"
    assert songs.history(columns) == [(key, "Loaded", 3, 3, None, 0, f"{songs.name}_pipe".upper())]


def test_columns_may_stand_in_any_order(songs: Songs) -> None:
    songs.run(
        f"""CREATE OR REPLACE PIPE {songs.name}_pipe AUTO_INGEST = TRUE COMMENT = 'it''s' AS
        COPY INTO {songs.name} (file_row, file_name, n) FROM
        (SELECT METADATA$FILE_ROW_NUMBER, METADATA$FILENAME, f.$2 FROM @music.lists.lake/{songs.folder} f)
        FILE_FORMAT = (FORMAT_NAME = playlist_csv) ON_ERROR = SKIP_FILE"""
    )
    key = songs.send("a", "note,n\nx,7\n")
    eventually(lambda: songs.run(f"SELECT * FROM {songs.name}"), [(7, None, key, 1)])


def test_a_pipe_without_select_loads_by_position(songs: Songs) -> None:
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


def test_each_pipe_takes_what_lies_in_its_place(songs: Songs) -> None:
    other = songs._replace(name=f"{songs.name}_too")
    other.create()
    songs.run(songs.pipe("second"))
    songs.put(f"{songs.folder}copy.csv.gz", "n,note\n8,not for pipes\n")
    songs.send("a", "n,note\n1,x\n")
    other.send("b", "n,note\n2,y\n")
    eventually(songs.numbers, [1, 1])
    eventually(other.numbers, [2])


def test_the_pattern_sees_the_path_in_the_stage(songs: Songs) -> None:
    songs.run(songs.pipe().replace("'.*[.]snowpipe", f"'tables/{songs.name}/dt=[0-9]+/[a-z]+[.]snowpipe"))
    songs.send("a", "n,note\n1,x\n")
    songs.send("dt=2/a", "n,note\n2,x\n")
    eventually(songs.numbers, [2])


class Ragged(NamedTuple):
    """A file whose records differ in length, and the notes that land."""

    name: str
    text: str
    notes: list[str | None]


@pytest.mark.parametrize(
    "case",
    [
        Ragged("fewer fields", "n,note\n1,x\n2\n", ["x", None]),
        Ragged("more fields", "n,note\n1,x\n2,y,z\n", ["x", "y"]),
        Ragged("line breaks in them", 'n,note\n1,"x\n\ny"\n2,z,"\n"\n', ["x\n\ny", "z"]),
        Ragged("none", "n,note\n", []),
        Ragged("not even a header", "", []),
        Ragged("200,000 characters", f'n,note\n1,"{"x," * 10**5}"\n', ["x," * 10**5]),
    ],
    ids=lambda case: case.name,
)
def test_a_select_takes_records_of_any_length(songs: Songs, case: Ragged) -> None:
    key = songs.send("a", case.text)
    eventually(songs.history, [(key, "Loaded", len(case.notes))])
    assert songs.run(f"SELECT note FROM {songs.name} ORDER BY n") == [(note,) for note in case.notes]


class Malformed(NamedTuple):
    """A file that is skipped: line, column and words of the first error."""

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
def test_a_malformed_file_is_skipped_and_noted(songs: Songs, s3: Any, case: Malformed) -> None:
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


def test_a_file_that_is_gone_again_is_noted(songs: Songs, s3: Any, control: Control) -> None:
    control(paused=True)
    key = songs.send("a", "n,note\n1,x\n")
    eventually(lambda: songs.status()["pendingFileCount"], 1)
    s3.delete_object(Bucket=BUCKET, Key=key)
    control()
    gone = f"Remote file 's3://{BUCKET}/{key}' was not found."
    eventually(lambda: songs.history("status, first_error_message"), [("Load failed", gone)])


# ---- the memory: 14 days, by path, of one CREATE PIPE


class Again(NamedTuple):
    """What happens before a file is put again under the same key, and what landing then holds."""

    name: str
    before: list[str]
    numbers: list[int]
    ahead_days: float = 0


@pytest.mark.parametrize(
    "case",
    [
        Again("nothing", [], [1]),
        Again("DELETE", ["DELETE FROM {name}"], []),
        Again("TRUNCATE does not make it forget", ["TRUNCATE TABLE {name}"], []),
        Again("nor does a pause", ["ALTER PIPE {name}_pipe SET PIPE_EXECUTION_PAUSED = FALSE"], [1]),
        Again("a replaced pipe starts anew", ["{pipe}"], [1, 2]),
        Again("so does one dropped and created", ["DROP PIPE {name}_pipe", "{pipe}"], [1, 2]),
        Again("13.9 days later", [], [1], 13.9),
        Again("14 days later", [], [1, 2], 14),
    ],
    ids=lambda case: case.name,
)
def test_a_key_that_is_put_again_after(songs: Songs, control: Control, case: Again) -> None:
    songs.send("a", "n,note\n1,x\n")
    eventually(songs.numbers, [1])
    for statement in case.before:
        songs.run(statement.format(name=songs.name, pipe=songs.pipe()))
    control(ahead_days=case.ahead_days)
    songs.send("a", "n,note\n2,y\n")
    songs.settle()
    assert songs.numbers() == case.numbers


def test_failed_files_are_remembered_too(songs: Songs) -> None:
    key = songs.send("a", "n,note\nx,x\n")
    eventually(songs.history, [(key, "Load failed", 0)])
    songs.send("a", "n,note\n1,mended\n")
    songs.settle()
    assert songs.numbers() == []


def test_an_event_that_comes_twice_loads_once(songs: Songs, control: Control) -> None:
    control(twice=f"{songs.name}/a")
    key = songs.send("a", "n,note\n1,x\n")
    songs.settle()
    assert songs.numbers() == [1]
    assert control.shown()["repeated"] == [f"s3://{BUCKET}/{key}"]


# ---- what waits


def test_a_paused_pipe_collects(songs: Songs) -> None:
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


def test_nothing_is_loaded_before_the_delay_is_over(songs: Songs, control: Control) -> None:
    control(delay=3600)
    key = songs.send("a", "n,note\n1,x\n")
    eventually(lambda: control.shown()["waiting"], [f"s3://{BUCKET}/{key}"])
    assert songs.status()["executionState"] == "RUNNING"
    assert (songs.numbers(), songs.history()) == ([], [])
    control(delay=0.01)
    eventually(songs.numbers, [1])


def test_an_event_that_is_held_arrives_when_it_is_let_go(songs: Songs, control: Control) -> None:
    control(hold=f"{songs.name}/late")
    key = songs.send("late", "n,note\n1,x\n")
    songs.send("a", "n,note\n2,y\n")
    songs.settle()
    assert songs.numbers() == [2]
    assert control.shown()["held"] == [f"s3://{BUCKET}/{key}"]
    assert songs.status()["pendingFileCount"] == 0
    control()
    eventually(songs.numbers, [1, 2])


def test_files_come_in_no_order_each_in_its_own_transaction(songs: Songs, control: Control) -> None:
    control(paused=True)
    keys = [songs.send(name, "n,note\n1,x\n") for name in "abc"]
    eventually(lambda: songs.status()["pendingFileCount"], 3)
    control()
    eventually(songs.numbers, [1, 1, 1])
    loaded = songs.history("file_name, first_commit_time", "ORDER BY last_load_time")
    assert [key for key, _ in loaded] == keys[::-1]
    assert len({moment for _, moment in loaded}) == 3


# ---- beside sessions


def test_open_transactions_neither_wait_nor_are_waited_for(songs: Songs, connect: Callable[..., Any]) -> None:
    songs.send("a", "n,note\n1,x\n")
    eventually(songs.numbers, [1])
    with connect() as writing:
        writing.cursor().execute("BEGIN")
        writing.cursor().execute(f"DELETE FROM {songs.name} WHERE n = 1")
        songs.send("b", "n,note\n2,y\n")
        eventually(songs.numbers, [1, 2])
        writing.cursor().execute("COMMIT")
    assert songs.numbers() == [2]


def test_a_replaced_stage_stops_the_pipe_for_good(songs: Songs) -> None:
    stage = f"CREATE OR REPLACE STAGE {songs.name} URL = 's3://{BUCKET}/' STORAGE_INTEGRATION = lake_reader"
    songs.run(stage)
    songs.run(songs.pipe(location=f"@{songs.name}/{songs.folder}"))
    songs.run(stage)
    assert songs.status()["executionState"] == "STOPPED_STAGE_DROPPED"
    songs.run(songs.pipe(location=f"@{songs.name}/{songs.folder}"))
    assert songs.status()["executionState"] == "RUNNING"


def test_a_missing_table_stops_the_pipe_until_there_is_one(songs: Songs, control: Control) -> None:
    songs.run(f"DROP TABLE {songs.name}")
    assert songs.status()["executionState"] == "STOPPED_MISSING_TABLE"
    control(hold=f"{songs.name}/b")
    songs.send("a", "n,note\n1,x\n")
    songs.send("b", "n,note\n2,x\n")
    eventually(lambda: len(control.shown()["held"]), 1)
    songs.run(LANDING.format(name=songs.name))
    control()
    songs.settle()
    assert songs.numbers() == [2]  # what arrives at a stopped pipe is lost
