"""CREATE, SHOW, ALTER and DROP PIPE, PIPE_STATUS and COPY_HISTORY; the thread behind them."""

import json
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest
import requests
from snowflake.connector.errors import ProgrammingError

from tests.sandbox.snowflake.conftest import PIPE, Control, Songs, eventually, standing_in

Run = Callable[..., list[tuple[Any, ...]]]
StandIn = Callable[..., AbstractContextManager[Callable[..., Any]]]
HISTORY_OF = "SELECT * FROM TABLE(INFORMATION_SCHEMA.COPY_HISTORY("


def test_create_if_not_exists_and_drop(songs: Songs) -> None:
    create = songs.pipe().replace("CREATE OR REPLACE PIPE", "CREATE PIPE IF NOT EXISTS")
    name = f"{songs.name}_pipe".upper()
    assert songs.run(create) == [(f"{name} already exists, statement succeeded.",)]
    with pytest.raises(ProgrammingError, match=f"Object '{name}' already exists"):
        songs.run(create.replace("IF NOT EXISTS", ""))
    assert songs.run(f"DROP PIPE {name}") == [(f"{name} successfully dropped.",)]
    assert "already dropped" in songs.run(f"DROP PIPE IF EXISTS {name}")[0][0]
    with pytest.raises(ProgrammingError, match=r"Pipe .* does not exist"):
        songs.run(f"DROP PIPE {name}")
    assert songs.run(create) == [(f"Pipe {name} successfully created.",)]


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("AUTO_INGEST = TRUE", "", "without AUTO_INGEST"),
        ("AUTO_INGEST = TRUE", "AUTO_INGEST = FALSE", "without AUTO_INGEST"),
        ("AUTO_INGEST = TRUE", "AUTO_INGEST = TRUE AWS_SNS_TOPIC = 'arn'", "these options of a pipe"),
        ("PATTERN", "ON_ERROR = CONTINUE PATTERN", "ON_ERROR other than SKIP_FILE"),
        ("PATTERN", "ON_ERROR = 'SKIP_FILE_10%' PATTERN", "ON_ERROR other than SKIP_FILE"),
        ("PATTERN", "ON_ERROR = ABORT_STATEMENT PATTERN", "ON_ERROR other than SKIP_FILE"),
        ("PATTERN", "FILES = ('a') PATTERN", "COPY option FILES"),
        ("PATTERN", "FORCE = TRUE PATTERN", "COPY option FORCE"),
        ("PATTERN", "PURGE = TRUE PATTERN", "COPY option PURGE"),
        ("'.*[.]snowpipe[.]csv[.]gz'", "'*'", "nothing to repeat"),
        ("$2", "UPPER($2)", "only"),
        ("$2", "METADATA$FILE_CONTENT_KEY", "only"),
        ("SELECT $1", "SELECT DISTINCT $1", "more than SELECT"),
        ("@lake/", "songs", "anything but @stage"),
        ("@lake/", "@lake/ WHERE $1 > 1", "more than SELECT"),
        ("$2, ", "", "expecting 4 but got 3"),
        ("@lake/", "@none_such/", "Stage 'none_such' does not exist"),
        ("playlist_csv", "none_such", "File format .*NONE_SUCH"),
        ("(FORMAT_NAME = 'playlist_csv')", "(TYPE = JSON)", "TYPE = 'JSON'"),
        ("COPY INTO songs", "COPY INTO none_such", "'none_such' does not exist"),
        ("note, file_name", "zzz, file_name", "invalid identifier 'ZZZ'"),
    ],
)
@pytest.mark.usefixtures("wired")
def test_what_pipes_cannot_do_is_said_when_they_are_made(run: Run, old: str, new: str, words: str) -> None:
    run("CREATE OR REPLACE TABLE songs (n INT, note VARCHAR, file_name VARCHAR, file_row INT)")
    statement = PIPE.format(pipe="refused", name="songs", location="@lake/", options="")
    assert old in statement
    with pytest.raises(ProgrammingError, match=words):
        run(statement.replace(old, new))
    assert run("SHOW PIPES LIKE 'refused' IN ACCOUNT") == []


@pytest.mark.parametrize(
    ("rest", "found"),
    [
        ("", ["HERE_1", "HERE_2"]),
        ("IN SCHEMA", ["HERE_1", "HERE_2"]),
        ("IN SCHEMA music.lists", ["HERE_1", "HERE_2"]),
        ("IN music.lists", ["HERE_1", "HERE_2"]),
        ("IN SCHEMA shows", ["HERE_3"]),
        ("IN DATABASE", ["HERE_1", "HERE_2", "HERE_3"]),
        ("IN DATABASE music", ["HERE_1", "HERE_2", "HERE_3"]),
        ("IN ACCOUNT", ["HERE_1", "HERE_2", "HERE_3"]),
        ("LIKE '%_2'", ["HERE_2"]),
        ("LIKE 'here_3' IN DATABASE music", ["HERE_3"]),
        ("LIKE 'here'", []),
    ],
)
def test_show_pipes(stand_in: StandIn, rest: str, found: list[str]) -> None:
    with stand_in() as connect, connect() as connection:
        run = connection.cursor().execute
        for statement in ("CREATE SCHEMA shows", "CREATE TABLE t (a INT)", "USE SCHEMA lists"):
            run(statement)
        run("CREATE TABLE t (a INT)")
        for name in ("here_1", "here_2", "shows.here_3"):
            run(f"CREATE PIPE {name} AUTO_INGEST = TRUE AS COPY INTO t FROM @music.lists.lake/t/")
        assert [row[1] for row in run(f"SHOW PIPES {rest}").fetchall()] == found


def test_show_pipes_tells_what_a_pipe_is(connection: Any, songs: Songs) -> None:
    cursor = connection.cursor().execute(f"SHOW PIPES LIKE '{songs.name}%'")
    shown = dict(zip([column.name for column in cursor.description], cursor.fetchone(), strict=True))
    assert shown.pop("created_on").utcoffset() is not None
    assert shown.pop("definition").startswith(
        f"COPY INTO {songs.name} (n, note, file_name, file_row)\nFROM ("
    )
    assert shown.pop("notification_channel").startswith("arn:aws:sqs:us-east-1:123456789012:sf-snowpipe-")
    assert {name: value for name, value in shown.items() if value is not None} == {
        "name": f"{songs.name}_pipe".upper(),
        "database_name": "MUSIC",
        "schema_name": "LISTS",
        "owner": "PUBLIC",
        "pattern": ".*[.]snowpipe[.]csv[.]gz",
        "owner_role_type": "ROLE",
        "kind": "STAGE",
    }


@pytest.mark.usefixtures("wired")
def test_a_dropped_schema_takes_its_pipes_along(run: Run) -> None:
    run("CREATE SCHEMA brief")
    run("CREATE TABLE t (a INT)")
    run("CREATE PIPE brief AUTO_INGEST = TRUE AS COPY INTO t FROM @music.lists.lake/t/")
    run("DROP SCHEMA brief")
    assert run("SHOW PIPES LIKE 'brief' IN ACCOUNT") == []


def test_status_with_bound_names_and_aliases(songs: Songs) -> None:
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
        ("SELECT SYSTEM$PIPE_STATUS('a' || 'b')", "only a text or"),
        ("ALTER PIPE none_such SET PIPE_EXECUTION_PAUSED = TRUE", "does not exist"),
        ("ALTER PIPE none_such REFRESH", "does not emulate ALTER PIPE"),
        ("ALTER PIPE none_such SET COMMENT = 'x'", "does not emulate ALTER PIPE"),
        (f"{HISTORY_OF}TABLE_NAME => 't'))", "without TABLE_NAME"),
        (f"{HISTORY_OF}TABLE_NAME => 'none_such', START_TIME => CURRENT_TIMESTAMP()))", "does not exist"),
        (f"{HISTORY_OF}TABLE_NAME => 't', START_TIME => 'x', PIPE_NAME => 'p'))", "argument PIPE_NAME"),
    ],
)
def test_what_cannot_be_asked(run: Run, sql: str, words: str) -> None:
    with pytest.raises(ProgrammingError, match=words):
        run(sql)


# ---- COPY_HISTORY


@pytest.fixture
def landed(songs: Songs) -> Songs:
    """A table with one file loaded by its pipe."""
    key = songs.send("a", "n,note\n1,x\n")
    eventually(songs.history, [(key, "Loaded", 1)])
    return songs


def test_history_has_what_was_copied_too(landed: Songs) -> None:
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
def test_history_is_not_shown_after(landed: Songs, statement: str) -> None:
    landed.run(statement.format(name=landed.name, pipe=landed.pipe()))
    assert landed.history() == []


def test_history_between_two_times(landed: Songs) -> None:
    call = (
        f"COPY_HISTORY(TABLE_NAME => '{landed.name}', START_TIME => DATEADD(HOUR, {{}}, CURRENT_TIMESTAMP())"
    )
    table = f"SELECT COUNT(*) FROM TABLE(music.INFORMATION_SCHEMA.{call}{{}})) AS h"
    ended = ", END_TIME => DATEADD(MINUTE, -30, CURRENT_TIMESTAMP())"
    assert landed.run(table.format(-1, "")) == [(1,)]
    assert landed.run(table.format(1, "")) == [(0,)]
    assert landed.run(table.format(-1, ended)) == [(0,)]


def test_histories_can_be_joined_with_values_bound_anywhere(landed: Songs) -> None:
    one = (
        "SELECT ? AS label, file_size > 0, h.first_error_character_pos FROM TABLE(INFORMATION_SCHEMA."
        "COPY_HISTORY(TABLE_NAME => ?, START_TIME => DATEADD(HOUR, -24, CURRENT_TIMESTAMP()))) h"
        " WHERE status = ? AND file_name LIKE ?"
    )
    values = ["first", landed.name, "Loaded", "%a.snowpipe.csv.gz"]
    values += ["second", f"music.lists.{landed.name}", "Loaded", "%a.snowpipe.csv.gz"]
    found = landed.run(f"{one} UNION ALL {one} ORDER BY label DESC LIMIT 5", *values)
    assert found == [("second", True, None), ("first", True, None)]


# ---- the thread, the queue, the controls


@pytest.mark.parametrize("pipe", [False, True], ids=["asleep", "listening"])
def test_the_thread_ends_with_the_server(stand_in: StandIn, pipe: bool) -> None:
    before = _pipe_threads()
    with stand_in() as connect, connect() as connection:
        cursor = connection.cursor()
        cursor.execute("CREATE TABLE t (a INT)")
        if pipe:
            cursor.execute("CREATE PIPE p AUTO_INGEST = TRUE AS COPY INTO t FROM @lake/t/")
        (thread,) = _pipe_threads() - before
    assert not thread.is_alive()


def _pipe_threads() -> set[threading.Thread]:
    return {thread for thread in threading.enumerate() if thread.name == "pipes"}


def test_accounts_on_one_bucket_have_channels_of_their_own(stand_in: StandIn, songs: Songs) -> None:
    channel = songs.status()["notificationChannelName"]
    with stand_in() as connect, connect() as other:
        url = f"http://127.0.0.1:{other.port}/sandbox/pipes/channel"
        answers = [requests.post(url, timeout=10).json()["notification_channel"] for _ in range(2)]
    assert answers[0] == answers[1] != channel


def test_without_sqs_only_pipes_fail() -> None:
    with standing_in("http://127.0.0.1:9") as connect, connect() as connection:
        cursor = connection.cursor()
        cursor.execute("CREATE TABLE t (a INT)")
        with pytest.raises(ProgrammingError, match="need SQS at the endpoint of S3"):
            cursor.execute("CREATE PIPE p AUTO_INGEST = TRUE AS COPY INTO t FROM @lake/t/")
        assert cursor.execute("SHOW PIPES").fetchall() == []
        answer = requests.post(f"http://127.0.0.1:{connection.port}/sandbox/pipes/channel", timeout=10)
        assert answer.status_code == 503


def test_controls_start_with_the_delay_of_the_command(stand_in: StandIn) -> None:
    with stand_in(pipe_delay=7.5) as connect, connect() as connection:
        control = Control(f"http://127.0.0.1:{connection.port}/sandbox/pipes")
        assert control.shown()["delay"] == 7.5
        control(delay=0.0, hold="x")
        assert (control.shown()["delay"], control.shown()["hold"]) == (0.0, "x")
        control()
        assert (control.shown()["delay"], control.shown()["hold"]) == (7.5, None)


@pytest.mark.parametrize("body", [{"dealy": 1}, {"delay": "long"}, {"hold": "("}, {"delay": -1}])
def test_wrong_settings_are_refused(control: Control, body: dict[str, Any]) -> None:
    before = control.shown()
    answer = requests.put(control.url, json=body, timeout=10)
    assert answer.status_code == 400
    assert control.shown() == before
