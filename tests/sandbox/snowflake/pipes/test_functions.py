"""SYSTEM$PIPE_STATUS and COPY_HISTORY."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from snowflake.connector.errors import ProgrammingError

from tests.sandbox.snowflake.conftest import Songs, eventually

Run = Callable[..., list[tuple[Any, ...]]]
HISTORY_OF = "SELECT * FROM TABLE(INFORMATION_SCHEMA.COPY_HISTORY("


def test_pipe_status_accepts_bound_names_and_aliases(songs: Songs) -> None:
    name = f"{songs.name}_pipe"
    ((first, two, second, third),) = songs.run(
        f"SELECT SYSTEM$PIPE_STATUS(?) AS a, ? AS two, SYSTEM$PIPE_STATUS('music.lists.{name}') AS b,"
        f" PARSE_JSON(SYSTEM$PIPE_STATUS(?)):executionState::VARCHAR AS c",
        name,
        "2",
        name.upper(),
    )
    assert (two, third) == ("2", "RUNNING")
    channel = songs.run(f"SHOW PIPES LIKE '{name}'")[0][6]
    for text in (first, second):
        status = json.loads(text)
        assert (status["executionState"], status["pendingFileCount"]) == ("RUNNING", 0)
        assert status["notificationChannelName"] == channel
        assert status["numOutstandingMessagesOnChannel"] == 0


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("SELECT SYSTEM$PIPE_STATUS('none_such')", "Pipe 'none_such' does not exist"),
        ("SELECT SYSTEM$PIPE_STATUS('a' || 'b')", "only a string literal or"),
        (f"{HISTORY_OF}TABLE_NAME => 't'))", "without TABLE_NAME"),
        (f"{HISTORY_OF}TABLE_NAME => 'none_such', START_TIME => CURRENT_TIMESTAMP()))", "does not exist"),
        (f"{HISTORY_OF}TABLE_NAME => 't', START_TIME => 'x', PIPE_NAME => 'p'))", "argument PIPE_NAME"),
    ],
)
def test_unsupported_arguments_raise(run: Run, sql: str, words: str) -> None:
    with pytest.raises(ProgrammingError, match=words):
        run(sql)


@pytest.fixture
def landed(songs: Songs) -> Songs:
    """A table with one file that its pipe has loaded."""
    key = songs.send("a", "n,note\n1,x\n")
    eventually(songs.history, [(key, "Loaded", 1)])
    return songs


def test_copy_history_includes_files_loaded_by_copy(landed: Songs) -> None:
    landed.put("tables/copied.csv.gz", "n,note,f,r\n2,y,f,1\n")
    copy = (
        f"COPY INTO {landed.name} FROM @lake/tables/ FILES = ('copied.csv.gz')"
        " FILE_FORMAT = (FORMAT_NAME = playlist_csv)"
    )
    landed.run("BEGIN")
    landed.run(copy)
    landed.run("ROLLBACK")
    assert landed.history("COUNT(*)") == [(1,)]
    landed.run(copy)
    columns = "file_name, stage_location, status, row_count, row_parsed, pipe_name"
    assert landed.history(columns, "WHERE pipe_name IS NULL") == [
        ("tables/copied.csv.gz", "s3://lake-bucket/", "Loaded", 1, 1, None)
    ]


@pytest.mark.parametrize(
    "statement",
    ["TRUNCATE TABLE {name}", "DROP PIPE {name}_pipe", "{pipe}", "CREATE OR REPLACE TABLE {name} (n INT)"],
)
def test_copy_history_is_empty_after(landed: Songs, statement: str) -> None:
    landed.run(statement.format(name=landed.name, pipe=landed.pipe()))
    assert landed.history() == []


def test_copy_history_filters_by_start_and_end_time(landed: Songs) -> None:
    call = (
        f"COPY_HISTORY(TABLE_NAME => '{landed.name}', START_TIME => DATEADD(HOUR, {{}}, CURRENT_TIMESTAMP())"
    )
    table = f"SELECT COUNT(*) FROM TABLE(music.INFORMATION_SCHEMA.{call}{{}})) AS h"
    ended = ", END_TIME => DATEADD(MINUTE, -30, CURRENT_TIMESTAMP())"
    assert landed.run(table.format(-1, "")) == [(1,)]
    assert landed.run(table.format(1, "")) == [(0,)]
    assert landed.run(table.format(-1, ended)) == [(0,)]


def test_copy_history_accepts_bound_values_in_any_position(landed: Songs) -> None:
    one = (
        "SELECT ? AS label, file_size > 0, h.first_error_character_pos FROM TABLE(INFORMATION_SCHEMA."
        "COPY_HISTORY(TABLE_NAME => ?, START_TIME => DATEADD(HOUR, -24, CURRENT_TIMESTAMP()))) h"
        " WHERE status = ? AND file_name LIKE ?"
    )
    values = ["first", landed.name, "Loaded", "%a.snowpipe.csv.gz"]
    values += ["second", f"music.lists.{landed.name}", "Loaded", "%a.snowpipe.csv.gz"]
    found = landed.run(f"{one} UNION ALL {one} ORDER BY label DESC LIMIT 5", *values)
    assert found == [("second", True, None), ("first", True, None)]
