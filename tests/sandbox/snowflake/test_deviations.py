"""Deviations from Snowflake: a test for each line of sandbox/snowflake/DEVIATIONS.md."""

import datetime as dt
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from snowflake.connector.errors import ProgrammingError

import sandbox.snowflake
from tests.sandbox.snowflake.conftest import Control, Songs, eventually

Connect = Callable[..., Any]
Run = Callable[..., list[tuple[Any, ...]]]
LISTED = Path(sandbox.snowflake.__path__[0]) / "DEVIATIONS.md"


def test_every_listed_deviation_has_a_test() -> None:
    listed = set(re.findall(r"`(test_\w+)`", LISTED.read_text()))
    here = set(re.findall(r"^def (test_\w+)", Path(__file__).read_text(), re.MULTILINE))
    assert listed == here - {"test_every_listed_deviation_has_a_test"}


@pytest.fixture
def in_transaction(connection: Any, run: Run) -> Run:
    """Runs statements in a transaction that has written a row."""
    connection.cursor().execute("CREATE OR REPLACE TABLE written (a INT)")
    run("BEGIN")
    run("INSERT INTO written VALUES (1)")
    return run


def test_failed_statement_blocks_the_transaction_until_rollback(in_transaction: Run) -> None:
    with pytest.raises(ProgrammingError, match="NONE_SUCH does not exist"):
        in_transaction("SELECT * FROM none_such")
    for statement in ("SELECT 1", "COMMIT"):
        with pytest.raises(ProgrammingError, match="ROLLBACK first"):
            in_transaction(statement)
    in_transaction("ROLLBACK")
    assert in_transaction("SELECT COUNT(*) FROM written") == [(0,)]


def test_transaction_reads_the_state_at_its_first_statement(connect: Connect, in_transaction: Run) -> None:
    with connect() as other:
        other.cursor().execute("INSERT INTO written VALUES (2)")
    assert in_transaction("SELECT a FROM written") == [(1,)]


def test_lock_conflict_after_the_first_write_is_an_error(connect: Connect, in_transaction: Run) -> None:
    with connect() as other:
        other.cursor().execute("CREATE TABLE contested AS SELECT 1 AS a")
        in_transaction("COMMIT")
        in_transaction("BEGIN")
        in_transaction("INSERT INTO written VALUES (2)")
        other.cursor().execute("BEGIN")
        other.cursor().execute("UPDATE contested SET a = 2")
        with pytest.raises(ProgrammingError, match="waiting for a lock after the transaction's first write"):
            in_transaction("UPDATE contested SET a = 3")


def test_lock_wait_is_capped(stand_in: Callable[..., Any]) -> None:
    with stand_in(max_lock_wait=0) as connect, connect() as first, connect() as second:
        first.cursor().execute("CREATE TABLE capped AS SELECT 1 AS a")
        first.cursor().execute("BEGIN")
        first.cursor().execute("UPDATE capped SET a = 2")
        with pytest.raises(ProgrammingError, match="000625"):
            second.cursor().execute("UPDATE capped SET a = 3")


def test_idle_transaction_that_blocks_is_aborted_sooner(stand_in: Callable[..., Any]) -> None:
    with stand_in(idle_abort=0.3) as connect, connect() as idle, connect() as waiting:
        idle.cursor().execute("CREATE TABLE blocked AS SELECT 1 AS a")
        idle.cursor().execute("BEGIN")
        idle.cursor().execute("UPDATE blocked SET a = 2")
        start = time.monotonic()
        waiting.cursor().execute("UPDATE blocked SET a = 3")
        assert 0.2 < time.monotonic() - start < 60
        assert waiting.cursor().execute("SELECT a FROM blocked").fetchall() == [(3,)]


def test_only_changed_rows_are_locked(connect: Connect, run: Run) -> None:
    run("CREATE TABLE shared AS SELECT 1 AS a")
    run("BEGIN")
    run("UPDATE shared SET a = 2")
    with connect(session_parameters={"LOCK_TIMEOUT": 0}) as other:
        assert other.cursor().execute("DELETE FROM shared WHERE a = 9").rowcount == 0


def test_truncate_can_be_rolled_back(in_transaction: Run) -> None:
    in_transaction("COMMIT")
    in_transaction("BEGIN")
    in_transaction("TRUNCATE TABLE written")
    in_transaction("ROLLBACK")
    assert in_transaction("SELECT a FROM written") == [(1,)]


def test_any_password_is_accepted(connect: Connect) -> None:
    with connect(password="wrong") as connection:
        assert connection.cursor().execute("SELECT CURRENT_ROLE()").fetchone() == ("ACCOUNTADMIN",)


@pytest.fixture
def loader(connect: Connect, run: Run) -> Iterator[Run]:
    """Runs statements as a role that may use database, schema and warehouse, and create tables and views."""
    for granted in ("DATABASE music", "SCHEMA music.lists", "WAREHOUSE wh"):
        run(f"GRANT USAGE ON {granted} TO ROLE loader")
    run("GRANT CREATE TABLE, CREATE VIEW ON SCHEMA music.lists TO ROLE loader")
    run("GRANT ROLE loader TO USER sandbox")
    run("CREATE OR REPLACE TABLE secrets AS SELECT 1 AS a")
    with connect(role="LOADER") as connection:
        yield lambda sql: list(connection.cursor().execute(sql).fetchall())


def test_view_keeps_the_privileges_its_owner_had(run: Run, loader: Run) -> None:
    run("GRANT SELECT ON TABLE secrets TO ROLE loader")
    loader("CREATE OR REPLACE VIEW readable AS SELECT a FROM secrets")
    run("REVOKE SELECT ON TABLE secrets FROM ROLE loader")
    assert loader("SELECT a FROM readable") == [(1,)]


def test_show_lists_objects_the_role_may_not_see(loader: Run) -> None:
    assert [row[1] for row in loader("SHOW TABLES LIKE 'secrets'")] == ["SECRETS"]


def test_secondary_roles_are_ignored(loader: Run) -> None:
    loader("USE SECONDARY ROLES ALL")
    with pytest.raises(ProgrammingError, match="not authorized"):
        loader("SELECT a FROM secrets")


def test_where_clause_needs_no_select_privilege(run: Run, loader: Run) -> None:
    run("GRANT UPDATE, DELETE ON TABLE secrets TO ROLE loader")
    loader("UPDATE secrets SET a = 2 WHERE a = 1")
    loader("DELETE FROM secrets WHERE a = 2")
    assert run("SELECT a FROM secrets") == []


def test_owners_cannot_grant_on_all(loader: Run) -> None:
    loader("CREATE TABLE IF NOT EXISTS own (a INT)")
    with pytest.raises(ProgrammingError, match="must have MANAGE GRANTS granted on ACCOUNT"):
        loader("GRANT SELECT ON ALL TABLES IN SCHEMA music.lists TO ROLE public")


def test_copy_grants_on_a_new_view_applies_future_grants(run: Run, loader: Run) -> None:
    run("GRANT SELECT ON FUTURE VIEWS IN SCHEMA music.lists TO ROLE loader")
    run("CREATE OR REPLACE VIEW foreseen COPY GRANTS AS SELECT 1 AS a")
    run("REVOKE SELECT ON FUTURE VIEWS IN SCHEMA music.lists FROM ROLE loader")
    assert loader("SELECT a FROM foreseen") == [(1,)]


def test_show_like_returns_only_names(run: Run) -> None:
    assert run("SHOW ROLES LIKE 'accountadmin'") == [("ACCOUNTADMIN",)]


@pytest.mark.parametrize("show", ["SCHEMAS LIKE 'a' IN DATABASE none", "PIPES IN SCHEMA none.lists"])
def test_show_in_a_missing_database_raises_2043(run: Run, show: str) -> None:
    with pytest.raises(ProgrammingError) as raised:
        run(f"SHOW {show}")
    assert raised.value.errno == 2043


def test_describe_user_returns_few_properties(run: Run) -> None:
    shown: dict[str, str] = dict(run("DESC USER sandbox"))
    assert sorted(shown) == ["DEFAULT_ROLE", "NAME", "RSA_PUBLIC_KEY_2_FP", "RSA_PUBLIC_KEY_FP"]


def test_manage_grants_needs_usage(connect: Connect, run: Run, loader: Run) -> None:
    del loader  # the fixture has created the table
    run("GRANT ROLE securityadmin TO USER sandbox")
    with (
        connect(role="SECURITYADMIN") as connection,
        pytest.raises(ProgrammingError, match="Database 'MUSIC' does not exist or not authorized"),
    ):
        connection.cursor().execute("GRANT SELECT ON TABLE music.lists.secrets TO ROLE public")


def test_merge_needs_insert_update_and_delete(run: Run, loader: Run) -> None:
    run("GRANT INSERT, UPDATE ON TABLE secrets TO ROLE loader")
    with pytest.raises(ProgrammingError, match="must have DELETE granted"):
        loader(
            "MERGE INTO secrets USING (SELECT 1 AS a) AS s ON secrets.a = s.a "
            "WHEN MATCHED THEN UPDATE SET a = 2"
        )


def test_accountadmin_owns_system_roles(run: Run) -> None:
    owned = ("OWNERSHIP", "ROLE", "SYSADMIN", "ROLE", "ACCOUNTADMIN")
    assert owned in run("SHOW GRANTS TO ROLE accountadmin")


def test_accountadmin_sees_the_duckdb_catalog(run: Run) -> None:
    assert run("SELECT COUNT(*) FROM pg_catalog.pg_tables") != [(0,)]


def test_sessions_are_in_utc(run: Run) -> None:
    assert run("SELECT CURRENT_TIMESTAMP()")[0][0].utcoffset() == dt.timedelta(0)


def test_timestamp_tz_is_converted_to_utc(run: Run) -> None:
    ((moment,),) = run("SELECT '2026-11-01T12:00:00+02:00'::TIMESTAMP_TZ")
    assert (moment.hour, moment.utcoffset()) == (10, dt.timedelta(0))


def test_quotients_and_averages_are_floats(run: Run) -> None:
    run("CREATE OR REPLACE TABLE thirds AS SELECT 1 AS a UNION ALL SELECT 1 UNION ALL SELECT 0")
    (row,) = run("SELECT AVG(a), SUM(a) / COUNT(a) FROM thirds")
    assert [type(value) for value in row] == [float, float]


def test_date_trunc_returns_a_timestamp(run: Run) -> None:
    ((week,),) = run("SELECT DATE_TRUNC('week', '2026-11-04'::DATE)")
    assert week == dt.datetime(2026, 11, 2)  # noqa: DTZ001


def test_numbers_have_64_bits(run: Run) -> None:
    run("CREATE OR REPLACE TABLE numbers (a NUMBER(38,0))")
    run(f"INSERT INTO numbers VALUES ({2**63 - 1})")
    with pytest.raises(ProgrammingError):
        run(f"INSERT INTO numbers VALUES ({2**63})")


def test_text_lengths_are_not_enforced(run: Run) -> None:
    run("CREATE OR REPLACE TABLE short (a VARCHAR(3))")
    run("INSERT INTO short VALUES ('longer')")
    assert run("SELECT a FROM short") == [("longer",)]


def test_quoted_names_ignore_case(run: Run) -> None:
    run('CREATE OR REPLACE TABLE "mixed" ("a" INT)')
    assert run("SELECT COUNT(A) FROM MIXED") == [(0,)]


def test_keys_are_not_stored(run: Run) -> None:
    run("CREATE OR REPLACE TABLE keyed (a INT PRIMARY KEY)")
    assert run("SHOW PRIMARY KEYS IN SCHEMA music.lists") == []


def test_variant_keeps_key_order(run: Run) -> None:
    run('CREATE OR REPLACE TABLE variants AS SELECT PARSE_JSON(\'{"b": 1, "a": 2}\') AS v')
    assert run("SELECT v FROM variants") == [('{"b":1,"a":2}',)]


@pytest.fixture
def copy(run: Run, put: Callable[[str, str], None]) -> Callable[[str], Any]:
    """Loads a text as a CSV file with numbers and notes."""

    def load(text: str) -> Any:
        run("CREATE OR REPLACE TABLE numbered (n INT, note VARCHAR)")
        put("odd.csv.gz", text)
        return run(
            "COPY INTO numbered FROM @lake FILES = ('odd.csv.gz') FILE_FORMAT = (FORMAT_NAME = playlist_csv)"
        )

    return load


def test_copy_skips_blank_lines(copy: Callable[[str], Any]) -> None:
    assert copy("n,note\n1,a\n\n2,b\n")[0][3] == 2


def test_copy_counts_records_as_lines(copy: Callable[[str], Any]) -> None:
    with pytest.raises(ProgrammingError, match="line 3"):
        copy('n,note\n1,"two\nlines"\nx,bad\n')


def test_transient_tables_are_permanent(run: Run) -> None:
    run("CREATE OR REPLACE TRANSIENT TABLE transient_one (a INT)")
    assert [row[2] for row in run("SHOW TABLES LIKE 'transient_one'")] == ["TABLE"]


def test_file_rows_are_counted_without_the_header(songs: Songs) -> None:
    songs.send("a", "n,note\n1,x\n")
    eventually(lambda: songs.run(f"SELECT file_row FROM {songs.name}"), [(1,)])


def test_copy_history_file_names_are_relative_to_the_stage(songs: Songs) -> None:
    key = songs.send("a", "n,note\n1,x\n")
    eventually(lambda: songs.history("file_name, stage_location"), [(key, "s3://lake-bucket/")])


def test_copy_history_counts_one_error_per_file(songs: Songs) -> None:
    songs.send("a", "n,note\nx,x\ny,y\n")
    columns = "error_count, row_parsed, file_size, first_error_character_pos"
    eventually(lambda: songs.history(columns), [(1, 0, 0, None)])


def test_pipe_that_no_longer_compiles_keeps_running(songs: Songs) -> None:
    songs.run(f"CREATE OR REPLACE TABLE {songs.name} (other INT)")
    songs.send("a", "n,note\n1,x\n")
    eventually(lambda: songs.history("status"), [("Load failed",)])
    assert songs.status()["executionState"] == "RUNNING"


def test_pipe_paused_for_over_14_days_can_be_resumed(songs: Songs, control: Control) -> None:
    songs.run(f"ALTER PIPE {songs.name}_pipe SET PIPE_EXECUTION_PAUSED = TRUE")
    songs.send("a", "n,note\n1,x\n")
    eventually(lambda: songs.status()["pendingFileCount"], 1)
    control(ahead_days=15)
    songs.run(f"ALTER PIPE {songs.name}_pipe SET PIPE_EXECUTION_PAUSED = FALSE")
    eventually(songs.numbers, [1])
