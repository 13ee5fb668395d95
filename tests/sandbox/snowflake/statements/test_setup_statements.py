"""Set-up statements: created objects, no-ops, and statements that are refused."""

from collections.abc import Callable
from typing import Any

import pytest
from snowflake.connector.errors import IntegrityError, ProgrammingError

Run = Callable[..., list[tuple[Any, ...]]]


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE WAREHOUSE IF NOT EXISTS wh WAREHOUSE_SIZE = XSMALL AUTO_SUSPEND = 60",
        "ALTER WAREHOUSE wh SET AUTO_SUSPEND = 30",
        "USE WAREHOUSE wh",
        "ALTER SESSION SET QUERY_TAG = 'x', LOCK_TIMEOUT = 5, TIMEZONE = 'UTC'",
        "USE SECONDARY ROLES NONE",
        "-- a comment\n/* and\nanother */ GRANT USAGE ON WAREHOUSE wh TO ROLE loader;",
    ],
)
def test_accepted_without_an_effect(run: Run, statement: str) -> None:
    assert run(statement) == [("Statement executed successfully.",)]


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE OR ALTER TABLE t (a INT)",
        "ALTER TABLE t SWAP WITH u",
        "ALTER TABLE t ADD PRIMARY KEY (a)",
        "ALTER PIPE p REFRESH",
        "ALTER PIPE p REFRESH PREFIX = 'd/'",
        "CREATE TRANSIENT SCHEMA s",
        "CREATE PROCEDURE p() RETURNS INT LANGUAGE SQL AS $$ BEGIN RETURN 1; END $$",
        "CALL p()",
        "CREATE TASK k SCHEDULE = '1 MINUTE' AS SELECT 1",
        "EXECUTE TASK k",
        "PUT file:///tmp/x @lake",
        "LIST @lake",
        "SELECT $1 FROM @lake",
        "SELECT * FROM t AT (OFFSET => -60)",
        "SELECT SYSTEM$PIPE_FORCE_RESUME('p')",
        "SELECT * FROM information_schema.load_history",
        "CREATE STAGE s URL = 's3://lake-bucket/' CREDENTIALS = (AWS_KEY_ID = 'a' AWS_SECRET_KEY = 'b')",
        "CREATE STAGE s URL = 's3://lake-bucket/' STORAGE_INTEGRATION = x ENCRYPTION = (TYPE = 'X')",
        "CREATE STAGE s",
        "SET x = 1",
        "ALTER SESSION SET AUTOCOMMIT = MAYBE",
        "ALTER SESSION SET DATE_OUTPUT_FORMAT = 'YYYY'",
    ],
)
def test_unsupported_statement_raises(run: Run, statement: str) -> None:
    with pytest.raises(ProgrammingError, match="does not emulate"):
        run(statement)


@pytest.mark.parametrize(
    "statement",
    ["BEGIN INSERT INTO t VALUES (1); END", "SELECT NO_SUCH_FUNCTION(1)", "SELEC 1", "DESC PIPE p"],
)
def test_invalid_statement_raises(run: Run, statement: str) -> None:
    with pytest.raises(ProgrammingError):
        run(statement)


@pytest.mark.parametrize(
    "statement",
    ["SELECT nowhere FROM information_schema.tables", "ALTER TABLE columns_of DROP COLUMN nowhere"],
)
def test_a_missing_column_is_an_invalid_identifier(run: Run, statement: str) -> None:
    run("CREATE TABLE IF NOT EXISTS columns_of (a NUMBER)")
    with pytest.raises(ProgrammingError, match="invalid identifier 'NOWHERE'") as error:
        run(statement)
    assert error.value.errno == 904


def test_error_names_the_unsupported_statement(run: Run) -> None:
    with pytest.raises(ProgrammingError, match="stand-in does not emulate CREATE OR ALTER TABLE") as info:
        run("CREATE OR ALTER TABLE t (a INT)")
    assert (info.value.errno, info.value.sqlstate) == (2, "0A000")


def test_create_database_creates_public_and_makes_it_current(run: Run) -> None:
    assert run("CREATE DATABASE IF NOT EXISTS side") == [("Database SIDE successfully created.",)]
    assert run("SELECT CURRENT_DATABASE(), CURRENT_SCHEMA()") == [("SIDE", "PUBLIC")]
    assert run("CREATE DATABASE IF NOT EXISTS side") == [("SIDE already exists, statement succeeded.",)]
    with pytest.raises(ProgrammingError, match="already exists"):
        run("CREATE DATABASE side")
    run("USE SCHEMA music.lists")
    assert run("SELECT CURRENT_DATABASE(), CURRENT_SCHEMA()") == [("MUSIC", "LISTS")]
    run("USE DATABASE side")
    assert run("SELECT CURRENT_DATABASE(), CURRENT_SCHEMA()") == [("SIDE", "PUBLIC")]


def test_set_up_is_idempotent(run: Run) -> None:
    for _ in range(2):
        run("CREATE SCHEMA IF NOT EXISTS music.lists")
        run("CREATE TABLE IF NOT EXISTS again (a INT)")
        run("ALTER TABLE again ADD COLUMN IF NOT EXISTS b VARCHAR")
        run("CREATE OR REPLACE VIEW again_view AS SELECT a FROM again")
        run("CREATE STAGE IF NOT EXISTS again URL = 's3://lake-bucket/' STORAGE_INTEGRATION = lake_reader")
        run("CREATE FILE FORMAT IF NOT EXISTS again_csv TYPE = CSV SKIP_HEADER = 1")
        run("CREATE STORAGE INTEGRATION IF NOT EXISTS lake_reader TYPE = EXTERNAL_STAGE")
    assert run(
        "SELECT column_name FROM information_schema.columns WHERE table_name = 'AGAIN' ORDER BY 1"
    ) == [
        ("A",),
        ("B",),
    ]
    run("DROP VIEW IF EXISTS again_view")
    for _ in range(2):
        run("DROP TABLE IF EXISTS again")
    with pytest.raises(ProgrammingError, match="AGAIN does not exist"):
        run("SELECT * FROM again")


def test_desc_integration_returns_the_principal_for_the_trust_policy(run: Run) -> None:
    described = {row[0]: row[2] for row in run("DESC INTEGRATION lake_reader")}
    assert described["STORAGE_AWS_IAM_USER_ARN"].startswith("arn:aws:iam::")
    assert described["STORAGE_AWS_EXTERNAL_ID"] == "STANDIN_SFCRole=1"
    assert described["STORAGE_ALLOWED_LOCATIONS"] == "s3://lake-bucket/"
    with pytest.raises(ProgrammingError, match="Integration 'NONE_SUCH' does not exist"):
        run("DESC INTEGRATION none_such")


@pytest.mark.parametrize(
    ("url", "integration", "message"),
    [
        ("s3://lake-bucket/", "none_such", "Integration 'NONE_SUCH' does not exist"),
        ("s3://other-bucket/", "lake_reader", "is not allowed by integration"),
    ],
)
def test_stage_needs_an_integration_that_allows_its_url(
    run: Run, url: str, integration: str, message: str
) -> None:
    with pytest.raises(ProgrammingError, match=message):
        run(f"CREATE STAGE s URL = '{url}' STORAGE_INTEGRATION = {integration}")


def test_not_null_of_a_primary_key_is_enforced_but_uniqueness_is_not(run: Run) -> None:
    run("CREATE TABLE keyed (a INT, b INT UNIQUE, c VARCHAR DEFAULT 'x', PRIMARY KEY (a)) COMMENT = 'k'")
    run("INSERT INTO keyed (a, b) VALUES (1, 1), (1, 1)")
    assert run("SELECT a, b, c FROM keyed") == [(1, 1, "x"), (1, 1, "x")]
    with pytest.raises(IntegrityError, match="NULL result in a non-nullable column"):
        run("INSERT INTO keyed (a) VALUES (NULL)")


def test_dropping_not_null_is_idempotent(run: Run) -> None:
    run("CREATE TABLE strict (a INT NOT NULL, b BOOLEAN NOT NULL)")
    run("CREATE VIEW strict_view AS SELECT a, b FROM strict")
    run("INSERT INTO strict VALUES (1, TRUE)")
    for _ in range(2):
        run("ALTER TABLE strict ALTER COLUMN b DROP NOT NULL")
    run("INSERT INTO strict VALUES (2, NULL)")
    assert run("SELECT a, b FROM strict_view ORDER BY a") == [(1, True), (2, None)]
    with pytest.raises(IntegrityError, match="NULL result in a non-nullable column"):
        run("INSERT INTO strict VALUES (NULL, TRUE)")


def test_ddl_commits_the_open_transaction(run: Run) -> None:
    run("CREATE TABLE before_ddl (a INT)")
    run("BEGIN")
    run("INSERT INTO before_ddl VALUES (1)")
    run("CREATE TABLE IF NOT EXISTS after_insert (a INT)")
    run("ROLLBACK")
    assert run("SELECT a FROM before_ddl") == [(1,)]


def test_without_autocommit_dml_opens_a_transaction(connect: Callable[..., Any], run: Run) -> None:
    run("CREATE TABLE by_hand (a INT)")
    with connect(session_parameters={"AUTOCOMMIT": False}) as connection:
        cursor = connection.cursor()
        cursor.execute("INSERT INTO by_hand VALUES (1)")
        cursor.execute("INSERT INTO by_hand VALUES (2)")
        assert run("SELECT COUNT(*) FROM by_hand") == [(0,)]
        cursor.execute("COMMIT")
        cursor.execute("TRUNCATE TABLE by_hand")
        cursor.execute("ROLLBACK")
        cursor.execute("DELETE FROM by_hand WHERE a = 1")
        cursor.execute("ALTER SESSION SET AUTOCOMMIT = TRUE")  # commits
        cursor.execute("INSERT INTO by_hand VALUES (3)")
    assert run("SELECT a FROM by_hand ORDER BY a") == [(2,), (3,)]


def test_commit_and_rollback_without_a_transaction_succeed(run: Run) -> None:
    assert run("COMMIT") == run("ROLLBACK") == [("Statement executed successfully.",)]
