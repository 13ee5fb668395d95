"""CREATE, SHOW, ALTER and DROP PIPE."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest
from snowflake.connector.errors import ProgrammingError

from tests.sandbox.snowflake.conftest import PIPE, Songs

Run = Callable[..., list[tuple[Any, ...]]]
StandIn = Callable[..., AbstractContextManager[Callable[..., Any]]]


def test_pipe_is_created_once_and_dropped(songs: Songs) -> None:
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
@pytest.mark.usefixtures("notifications")
def test_unsupported_pipe_is_refused_at_create(run: Run, old: str, new: str, words: str) -> None:
    run("CREATE OR REPLACE TABLE songs (n INT, note VARCHAR, file_name VARCHAR, file_row INT)")
    statement = PIPE.format(pipe="refused", name="songs", location="@lake/", options="")
    assert old in statement
    with pytest.raises(ProgrammingError, match=words):
        run(statement.replace(old, new))
    assert run("SHOW PIPES LIKE 'refused' IN ACCOUNT") == []


SHOWN = {
    "": ["HERE_1", "HERE_2"],
    "IN SCHEMA": ["HERE_1", "HERE_2"],
    "IN SCHEMA music.lists": ["HERE_1", "HERE_2"],
    "IN music.lists": ["HERE_1", "HERE_2"],
    "IN SCHEMA shows": ["HERE_3"],
    "IN DATABASE": ["HERE_1", "HERE_2", "HERE_3"],
    "IN DATABASE music": ["HERE_1", "HERE_2", "HERE_3"],
    "IN ACCOUNT": ["HERE_1", "HERE_2", "HERE_3"],
    "LIKE '%_2'": ["HERE_2"],
    "LIKE 'here_3' IN DATABASE music": ["HERE_3"],
    "LIKE 'here'": [],
}


def test_show_pipes_filters_by_like_and_scope(stand_in: StandIn) -> None:
    with stand_in() as connect, connect() as connection:
        run = connection.cursor().execute
        for statement in ("CREATE SCHEMA shows", "CREATE TABLE t (a INT)", "USE SCHEMA lists"):
            run(statement)
        run("CREATE TABLE t (a INT)")
        for name in ("here_1", "here_2", "shows.here_3"):
            run(f"CREATE PIPE {name} AUTO_INGEST = TRUE AS COPY INTO t FROM @music.lists.lake/t/")
        shown = {rest: [row[1] for row in run(f"SHOW PIPES {rest}").fetchall()] for rest in SHOWN}
    assert shown == SHOWN


def test_show_pipes_returns_the_properties_of_a_pipe(connection: Any, songs: Songs) -> None:
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
        "owner": "ACCOUNTADMIN",
        "pattern": ".*[.]snowpipe[.]csv[.]gz",
        "owner_role_type": "ROLE",
        "kind": "STAGE",
    }


@pytest.mark.usefixtures("notifications")
def test_dropping_a_schema_drops_its_pipes(run: Run) -> None:
    run("CREATE SCHEMA brief")
    run("CREATE TABLE t (a INT)")
    run("CREATE PIPE brief AUTO_INGEST = TRUE AS COPY INTO t FROM @music.lists.lake/t/")
    run("DROP SCHEMA brief")
    assert run("SHOW PIPES LIKE 'brief' IN ACCOUNT") == []


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("ALTER PIPE none_such SET PIPE_EXECUTION_PAUSED = TRUE", "does not exist"),
        ("ALTER PIPE none_such REFRESH", "does not emulate ALTER PIPE"),
        ("ALTER PIPE none_such SET COMMENT = 'x'", "does not emulate ALTER PIPE"),
    ],
)
def test_unsupported_alter_pipe_raises(run: Run, sql: str, words: str) -> None:
    with pytest.raises(ProgrammingError, match=words):
        run(sql)
