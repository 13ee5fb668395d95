"""Locks: writers of one table wait for each other."""

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any

import pytest
from snowflake.connector.errors import ProgrammingError

Connect = Callable[..., Any]
LOCK = "UPDATE writer_lock SET run_id = ?, locked_at = CURRENT_TIMESTAMP() WHERE id = 1"
HOLDER = """
import sys, snowflake.connector
connection = snowflake.connector.connect(user="sandbox", password="any", account="sandbox", host="127.0.0.1",
    port=int(sys.argv[1]), protocol="http", database="MUSIC", schema="LISTS", warehouse="WH")
connection.cursor().execute("BEGIN")
connection.cursor().execute("UPDATE writer_lock SET run_id = 'killed' WHERE id = 1")
print("holding", flush=True)
sys.stdin.read()
"""


def with_lock_row(connect: Connect) -> Connect:
    with connect() as connection:
        cursor = connection.cursor()
        cursor.execute("CREATE OR REPLACE TABLE writer_lock (id INT, run_id VARCHAR, locked_at TIMESTAMP_TZ)")
        cursor.execute("INSERT INTO writer_lock (id) VALUES (1)")
        cursor.execute("CREATE OR REPLACE TABLE journal (entry VARCHAR)")
    return connect


@pytest.fixture
def patient(connect: Connect) -> Connect:
    """A stand-in that aborts a blocking idle transaction only after 5 seconds."""
    return with_lock_row(connect)


@pytest.fixture
def strict(stand_in: Callable[..., Any]) -> Iterator[Connect]:
    """A stand-in that aborts a blocking idle transaction immediately."""
    with stand_in(idle_abort=0) as connect:
        yield with_lock_row(connect)


def take(connection: Any, run_id: str) -> Any:
    """Opens a transaction and takes the lock."""
    connection.cursor().execute("BEGIN")
    return connection.cursor().execute(LOCK, (run_id,))


def test_second_writer_waits_and_sees_the_first_commit(patient: Connect) -> None:
    def second() -> Any:
        with patient() as connection:
            take(connection, "second")
            seen = connection.cursor().execute("SELECT entry FROM journal").fetchall()
            connection.cursor().execute("COMMIT")
            return seen

    with patient() as first, ThreadPoolExecutor() as pool:
        take(first, "first")
        waiting: Future[Any] = pool.submit(second)
        done, _ = wait([waiting], timeout=0.5)
        assert not done
        first.cursor().execute("INSERT INTO journal VALUES ('of first')")
        first.cursor().execute("COMMIT")
        assert waiting.result(5) == [("of first",)]
    with patient() as reader:
        assert reader.cursor().execute("SELECT run_id FROM writer_lock").fetchall() == [("second",)]


@pytest.mark.parametrize("how", ["at login", "by ALTER SESSION"])
def test_lock_timeout_limits_the_wait(patient: Connect, how: str) -> None:
    parameters = {"LOCK_TIMEOUT": 0} if how == "at login" else {}
    with patient() as first, patient(session_parameters=parameters) as second:
        if how != "at login":
            second.cursor().execute("ALTER SESSION SET LOCK_TIMEOUT = 0")
        take(first, "first")
        with pytest.raises(ProgrammingError, match=r"MUSIC\.LISTS\.WRITER_LOCK") as info:
            take(second, "second")
        assert (info.value.errno, info.value.sqlstate) == (625, "57014")
        first.cursor().execute("COMMIT")
        assert second.cursor().execute(LOCK, ("second",)).rowcount == 1


def test_autocommit_statement_waits_for_the_lock(patient: Connect) -> None:
    with patient() as first, patient(session_parameters={"LOCK_TIMEOUT": 0}) as second:
        take(first, "first")
        with pytest.raises(ProgrammingError, match="000625"):
            second.cursor().execute(LOCK, ("second",))
        first.cursor().execute("ROLLBACK")
        assert second.cursor().execute(LOCK, ("second",)).rowcount == 1


def test_other_tables_are_not_locked(patient: Connect) -> None:
    with patient() as first, patient(session_parameters={"LOCK_TIMEOUT": 0}) as second:
        take(first, "first")
        assert second.cursor().execute("INSERT INTO journal VALUES ('x')").rowcount == 1


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE journal ADD COLUMN IF NOT EXISTS more INT",
        "TRUNCATE TABLE journal",
        "TRUNCATE TABLE IF EXISTS journal",
        "DROP TABLE IF EXISTS journal",
        "CREATE OR REPLACE TABLE journal (entry VARCHAR)",
    ],
)
def test_ddl_and_truncate_wait_for_writers(patient: Connect, statement: str) -> None:
    with patient() as first, patient(session_parameters={"LOCK_TIMEOUT": 0}) as second:
        first.cursor().execute("BEGIN")
        first.cursor().execute("INSERT INTO journal VALUES ('kept')")
        with pytest.raises(ProgrammingError, match=r"000625.*MUSIC\.LISTS\.JOURNAL"):
            second.cursor().execute(statement)
        first.cursor().execute("COMMIT")
        assert second.cursor().execute("SELECT entry FROM journal").fetchall() == [("kept",)]
        assert second.cursor().execute(statement)


def test_eight_sessions_run_set_up_concurrently(patient: Connect) -> None:
    statements = [
        "CREATE DATABASE IF NOT EXISTS shared",
        "CREATE SCHEMA IF NOT EXISTS shared.lists",
        "USE SCHEMA shared.lists",
        "CREATE STAGE IF NOT EXISTS lake URL = 's3://lake-bucket/' STORAGE_INTEGRATION = lake_reader",
        "CREATE FILE FORMAT IF NOT EXISTS playlist_csv TYPE = CSV",
        "CREATE TABLE IF NOT EXISTS songs (id VARCHAR)",
        "ALTER TABLE songs ADD COLUMN IF NOT EXISTS name VARCHAR",
        "CREATE OR REPLACE VIEW all_songs AS SELECT id FROM songs",
        "INSERT INTO songs (id) VALUES ('x')",
    ]

    def set_up(_: int) -> None:
        with patient() as connection:
            for statement in statements:
                connection.cursor().execute(statement)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(set_up, range(8)))
    with patient() as reader:
        assert reader.cursor().execute("SELECT COUNT(*) FROM shared.lists.all_songs").fetchone() == (8,)


def test_eight_writers_are_serialised(patient: Connect) -> None:
    def write(number: int) -> None:
        with patient() as connection:
            take(connection, str(number))
            count = connection.cursor().execute("SELECT COUNT(*) FROM journal").fetchone()[0]
            connection.cursor().execute("INSERT INTO journal VALUES (?)", (str(count),))
            connection.cursor().execute("COMMIT")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(8)))
    with patient() as reader:
        rows = reader.cursor().execute("SELECT entry FROM journal ORDER BY entry").fetchall()
    assert rows == [(str(number),) for number in range(8)]


def test_idle_holder_is_aborted_and_gets_an_error(strict: Connect) -> None:
    with strict() as slow, strict() as second:
        take(slow, "slow")
        take(second, "second")
        second.cursor().execute("COMMIT")
        for statement in ("INSERT INTO journal VALUES ('late')", "COMMIT"):
            with pytest.raises(ProgrammingError, match="aborted"):
                slow.cursor().execute(statement)
        slow.cursor().execute("ROLLBACK WORK")
        assert slow.cursor().execute("SELECT run_id FROM writer_lock").fetchall() == [("second",)]
        assert slow.cursor().execute("SELECT COUNT(*) FROM journal").fetchone() == (0,)


def test_idle_holder_of_another_table_is_not_aborted(strict: Connect) -> None:
    with strict() as bystander, strict() as first, strict(session_parameters={"LOCK_TIMEOUT": 1}) as second:
        bystander.cursor().execute("BEGIN")
        bystander.cursor().execute("INSERT INTO journal VALUES ('kept')")
        take(first, "first")
        take(second, "second")
        bystander.cursor().execute("COMMIT")
        assert bystander.cursor().execute("SELECT entry FROM journal").fetchall() == [("kept",)]


def test_killed_client_does_not_block_other_writers(strict: Connect) -> None:
    with strict() as connection:
        arguments = [sys.executable, "-c", HOLDER, str(connection.port)]
        with subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as client:
            assert client.stdout is not None
            assert client.stdout.readline() == b"holding\n"
            client.send_signal(signal.SIGKILL)
        take(connection, "next")
        connection.cursor().execute("COMMIT")
        assert connection.cursor().execute("SELECT run_id FROM writer_lock").fetchall() == [("next",)]
