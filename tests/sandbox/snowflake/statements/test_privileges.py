"""Privileges: the grant that each statement needs, and the error without it."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest
from snowflake.connector.errors import ProgrammingError

from tests.tiers import enumerated

Run = Callable[..., list[tuple[Any, ...]]]
HIDDEN, DENIED = 2003, 3001
BASE = (
    "USAGE ON DATABASE music",
    "USAGE ON SCHEMA music.lists",
    "USAGE ON WAREHOUSE wh",
)


class Case(NamedTuple):
    """A statement and the grant that it needs; the role already has `grants`."""

    statement: str
    grant: str
    errno: int = HIDDEN
    grants: tuple[str, ...] = ()
    values: tuple[str, ...] = ()


CASES = {
    "select": Case("SELECT * FROM songs", "SELECT ON TABLE songs"),
    "select, when something else is granted": Case(
        "SELECT * FROM songs", "SELECT ON TABLE songs", DENIED, ("INSERT ON TABLE songs",)
    ),
    "select from a view": Case("SELECT * FROM newest", "SELECT ON VIEW newest"),
    "cte": Case("WITH a AS (SELECT n FROM songs) SELECT * FROM a", "SELECT ON TABLE songs"),
    "insert": Case("INSERT INTO songs VALUES (1)", "INSERT ON TABLE songs"),
    "insert from a table": Case(
        "INSERT INTO songs SELECT n FROM others", "SELECT ON TABLE others", grants=("INSERT ON TABLE songs",)
    ),
    "insert overwrite": Case(
        "INSERT OVERWRITE INTO songs VALUES (1)", "DELETE ON TABLE songs", DENIED, ("INSERT ON TABLE songs",)
    ),
    "a cte of the same name": Case(
        "WITH songs AS (SELECT n FROM songs) SELECT * FROM songs", "SELECT ON TABLE songs"
    ),
    "a cte of the same name elsewhere": Case(
        "SELECT * FROM songs, (WITH songs AS (SELECT 1 AS m) SELECT m FROM songs) AS o",
        "SELECT ON TABLE songs",
    ),
    "update": Case("UPDATE songs SET n = 2", "UPDATE ON TABLE songs", DENIED, ("SELECT ON TABLE songs",)),
    "delete": Case("DELETE FROM songs", "DELETE ON TABLE songs", DENIED, ("SELECT ON TABLE songs",)),
    "delete by another": Case(
        "DELETE FROM songs USING (SELECT n FROM others) AS o WHERE songs.n = o.n",
        "SELECT ON TABLE others",
        grants=("DELETE ON TABLE songs",),
    ),
    "truncate": Case("TRUNCATE TABLE songs", "TRUNCATE ON TABLE songs", DENIED, ("DELETE ON TABLE songs",)),
    "database": Case("SELECT * FROM music.lists.songs", BASE[0], grants=("SELECT ON TABLE songs",)),
    "schema": Case("SELECT * FROM music.lists.songs", BASE[1], grants=("SELECT ON TABLE songs",)),
    "warehouse": Case("SELECT * FROM songs", BASE[2], 606, ("SELECT ON TABLE songs",)),
    "create table": Case("CREATE TABLE new (n INT)", "CREATE TABLE ON SCHEMA lists", DENIED),
    "create schema": Case("CREATE SCHEMA new", "CREATE SCHEMA ON DATABASE music", DENIED),
    "create database": Case("CREATE DATABASE new", "CREATE DATABASE ON ACCOUNT", DENIED),
    "create role": Case("CREATE ROLE new", "CREATE ROLE ON ACCOUNT", DENIED),
    "create stage": Case(
        "CREATE STAGE new URL = 's3://lake-bucket/new/' STORAGE_INTEGRATION = lake_reader",
        "USAGE ON INTEGRATION lake_reader",
        grants=("CREATE STAGE ON SCHEMA lists",),
    ),
    "create view": Case(
        "CREATE VIEW new_view AS SELECT n FROM songs",
        "SELECT ON TABLE songs",
        grants=("CREATE VIEW ON SCHEMA lists",),
    ),
    "load history": Case(
        "SELECT 1 FROM TABLE(information_schema.copy_history(TABLE_NAME => 'songs', "
        "START_TIME => DATEADD(HOUR, -1, CURRENT_TIMESTAMP())))",
        "SELECT ON TABLE songs",
    ),
    "status of a pipe": Case("SELECT SYSTEM$PIPE_STATUS('songs_pipe')", "MONITOR ON PIPE songs_pipe"),
    "status of a pipe that is bound": Case(
        "SELECT SYSTEM$PIPE_STATUS(?)", "MONITOR ON PIPE songs_pipe", values=("songs_pipe",)
    ),
    "pause a pipe": Case(
        "ALTER PIPE songs_pipe SET PIPE_EXECUTION_PAUSED = FALSE",
        "OPERATE ON PIPE songs_pipe",
        DENIED,
        ("MONITOR ON PIPE songs_pipe",),
    ),
    "grant": Case("GRANT ROLE worker TO ROLE boss", "MANAGE GRANTS ON ACCOUNT", DENIED),
}
COPY = "COPY INTO songs FROM @lake/a/ FILES = ('b') FILE_FORMAT = (FORMAT_NAME = playlist_csv)"
NEEDED_BY_COPY = ("INSERT ON TABLE songs", "USAGE ON STAGE lake", "USAGE ON FILE FORMAT playlist_csv")
for needed in NEEDED_BY_COPY:
    others = tuple(one for one in NEEDED_BY_COPY if one != needed)
    CASES[f"copy, {needed}"] = Case(COPY, needed, grants=others)


class Roles(NamedTuple):
    """Run statements as an administrator, and as a role without privileges."""

    admin: Run
    worker: Run


@pytest.fixture
def roles(connect: Callable[..., Any], notifications: None) -> Iterator[Roles]:
    """New roles `worker` and `boss`; tables, a view and a pipe owned by the administrator."""
    del notifications
    with connect() as first, connect() as second:

        def admin(sql: str) -> Any:
            return first.cursor().execute(sql).fetchall()

        for name in ("worker", "boss"):
            admin(f"DROP ROLE IF EXISTS {name}")
            admin(f"CREATE ROLE {name}")
        for name in ("songs", "others"):
            admin(f"CREATE OR REPLACE TABLE {name} (n INT)")
        admin("CREATE OR REPLACE VIEW newest AS SELECT n FROM songs")
        admin("CREATE OR REPLACE PIPE songs_pipe AUTO_INGEST = TRUE AS COPY INTO songs FROM @lake/songs/")
        admin("GRANT ROLE worker TO USER sandbox")

        def worker(sql: str, *values: str) -> Any:
            second.cursor().execute("USE ROLE worker")
            return second.cursor().execute(sql, values or None).fetchall()

        yield Roles(admin, worker)
        admin("DROP ROLE worker")  # its objects are then owned by the administrator
        for dropped in ("VIEW IF EXISTS newest", "VIEW IF EXISTS new_view", "TABLE IF EXISTS new"):
            admin(f"DROP {dropped}")


ONE_OF_EACH_KIND = ["select from a view", "insert from a table", "delete by another", "create stage", "grant"]


@pytest.mark.parametrize("name", enumerated(CASES, ONE_OF_EACH_KIND))
def test_statement_fails_without_the_grant_that_it_needs(roles: Roles, name: str) -> None:
    case = CASES[name]
    for grant in (*BASE, *case.grants):
        if grant != case.grant:
            roles.admin(f"GRANT {grant} TO ROLE worker")
    with pytest.raises(ProgrammingError) as refused:
        roles.worker(case.statement, *case.values)
    assert refused.value.errno == case.errno, refused.value
    roles.admin(f"GRANT {case.grant} TO ROLE worker")
    try:
        roles.worker(case.statement, *case.values)
    except ProgrammingError as error:
        assert "lake-bucket/a/b" in str(error)  # COPY: the file does not exist  # noqa: PT017


REFUSED = {
    **dict.fromkeys(
        (
            "SELECT * FROM IDENTIFIER('songs')",
            "SELECT * FROM others, identifier /* a; b */ (?)",
            "INSERT INTO IDENTIFIER('songs') VALUES (1)",
            "UPDATE IDENTIFIER('songs') SET n = 1",
            "DELETE FROM IDENTIFIER('songs')",
            "TRUNCATE TABLE IDENTIFIER('songs')",
            "DROP TABLE IDENTIFIER('songs')",
            "CREATE VIEW new_view AS SELECT n FROM IDENTIFIER('songs')",
        ),
        r"does not emulate IDENTIFIER\(\)",
    ),
    "SELECT 1; DELETE FROM songs": r"^000008 \(0A000\): Actual statement count 2 did not match the desired "
    r"statement count 1\.$",
    "BEGIN; DELETE FROM songs; COMMIT": "Actual statement count 3",
    "WITH a AS (SELECT 1) DELETE FROM songs": "syntax error: unexpected DELETE",
    "WITH a AS (SELECT 1 AS n) INSERT INTO songs SELECT n FROM a": "syntax error: unexpected INSERT",
    "WITH a AS (SELECT 1) UPDATE songs SET n = 2": "syntax error: unexpected UPDATE",
    "SELECT * FROM (WITH a AS (SELECT 1) DELETE FROM songs)": "syntax error: unexpected DELETE",
    "SELECT * FROM duckdb_tables()": "Unknown function duckdb_tables",
    "SELECT * FROM pg_catalog.pg_tables": r"Schema 'MUSIC\.PG_CATALOG' does not exist",
    "SELECT * FROM sqlite_master": r"Object 'MUSIC\.LISTS\.SQLITE_MASTER' does not exist",
    "SELECT * FROM 'songs'": "does not emulate FROM 'songs'",
    "DESC songs": r"Object 'MUSIC\.LISTS\.SONGS' does not exist",
    "GRANT ROLE accountadmin TO ROLE worker": "Insufficient privileges to operate on role 'ACCOUNTADMIN'",
    "DROP ROLE IF EXISTS sysadmin": "Insufficient privileges to operate on role 'SYSADMIN'",
    "ALTER USER sandbox SET RSA_PUBLIC_KEY = 'A'": "Insufficient privileges to operate on user 'SANDBOX'",
    "GRANT SELECT ON TABLE songs TO ROLE boss WITH GRANT OPTION": "does not emulate this form of GRANT",
    "REVOKE GRANT OPTION FOR SELECT ON TABLE songs FROM ROLE boss": "does not emulate this form of REVOKE",
    "REVOKE SELECT ON TABLE songs FROM ROLE boss CASCADE": "does not emulate this form of REVOKE",
    "GRANT SELECT ON TABLE songs TO USER sandbox": "does not emulate this form of GRANT",
}


def test_statements_that_hide_a_name_are_refused(roles: Roles) -> None:
    for grant in BASE:
        roles.admin(f"GRANT {grant} TO ROLE worker")
    roles.admin("INSERT INTO songs VALUES (7)")
    for statement, message in REFUSED.items():
        with pytest.raises(ProgrammingError, match=message):
            roles.worker(statement)
    assert roles.admin("SELECT n FROM songs") == [(7,)]


def test_privileges_are_checked_without_a_current_schema(connect: Callable[..., Any], run: Run) -> None:
    run("CREATE OR REPLACE TABLE unseen (n INT)")
    for granted in ("USAGE ON DATABASE music TO", "USAGE ON WAREHOUSE wh TO"):
        run(f"GRANT {granted} ROLE loader")
    run("GRANT ROLE loader TO USER sandbox")
    with connect(role="LOADER") as connection:  # the login ignores a schema without USAGE
        assert connection.cursor().execute("SELECT CURRENT_SCHEMA()").fetchone() == (None,)
        with pytest.raises(ProgrammingError, match=r"Schema 'MUSIC\.LISTS' does not exist or not authorized"):
            connection.cursor().execute("SELECT n FROM lists.unseen")


def test_error_messages_are_those_of_snowflake(roles: Roles) -> None:
    for grant in (*BASE, "SELECT ON TABLE songs"):
        roles.admin(f"GRANT {grant} TO ROLE worker")
    denied = (
        "003001 (42501): SQL access control error:\nInsufficient privileges to operate on table 'SONGS'.\n"
        "Your primary role WORKER must have DELETE granted on TABLE MUSIC.LISTS.SONGS."
    )
    with pytest.raises(ProgrammingError) as refused:
        roles.worker("DELETE FROM songs")
    assert str(refused.value).endswith(denied)
    with pytest.raises(
        ProgrammingError, match=r"Object 'MUSIC\.LISTS\.OTHERS' does not exist or not authorized"
    ):
        roles.worker("SELECT * FROM others")


def test_role_inherits_from_roles_that_are_granted_to_it(roles: Roles) -> None:
    for grant in (*BASE, "SELECT ON TABLE songs"):
        roles.admin(f"GRANT {grant} TO ROLE boss")
    roles.admin("GRANT ROLE boss TO ROLE worker")
    assert roles.worker("SELECT * FROM songs") == []
    with pytest.raises(ProgrammingError, match="would be a cycle"):
        roles.admin("GRANT ROLE worker TO ROLE boss")
    roles.admin("REVOKE ROLE boss FROM ROLE worker")
    with pytest.raises(ProgrammingError, match="does not exist or not authorized"):
        roles.worker("SELECT * FROM songs")


def test_future_grants_apply_to_new_objects_and_copy_grants_keeps_grants(roles: Roles) -> None:
    for grant in (*BASE, "SELECT ON FUTURE TABLES IN SCHEMA lists"):
        roles.admin(f"GRANT {grant} TO ROLE worker")

    def sees(name: str) -> bool:
        try:
            return roles.worker(f"SELECT * FROM {name}") == []
        except ProgrammingError as error:
            assert error.errno == HIDDEN  # noqa: PT017
            return False

    assert not sees("songs")
    roles.admin("CREATE OR REPLACE TABLE songs (n INT)")
    assert sees("songs")
    roles.admin("GRANT SELECT ON VIEW newest TO ROLE worker")
    roles.admin("CREATE OR REPLACE VIEW newest COPY GRANTS AS SELECT n FROM songs")
    assert sees("newest")
    roles.admin("CREATE OR REPLACE VIEW newest AS SELECT n FROM songs")
    assert not sees("newest")
    roles.admin("GRANT SELECT ON ALL VIEWS IN SCHEMA lists TO ROLE worker")
    assert sees("newest")
    roles.admin("REVOKE SELECT ON FUTURE TABLES IN SCHEMA lists FROM ROLE worker")
    roles.admin("GRANT SELECT ON FUTURE TABLES IN DATABASE music TO ROLE worker")
    roles.admin("GRANT INSERT ON FUTURE TABLES IN SCHEMA lists TO ROLE boss")
    roles.admin("CREATE OR REPLACE TABLE songs (n INT)")
    assert not sees("songs")  # a future grant on the schema overrides those on the database
    roles.admin("REVOKE INSERT ON FUTURE TABLES IN SCHEMA lists FROM ROLE boss")
    roles.admin("CREATE OR REPLACE TABLE songs (n INT)")
    assert sees("songs")
    roles.admin("REVOKE SELECT ON FUTURE TABLES IN DATABASE music FROM ROLE worker")


def test_creator_owns_an_object_and_may_transfer_it(roles: Roles) -> None:
    for grant in (*BASE, "CREATE TABLE ON SCHEMA lists"):
        roles.admin(f"GRANT {grant} TO ROLE worker")
    roles.worker("CREATE TABLE new (n INT)")
    roles.worker("ALTER TABLE new ADD COLUMN m INT")
    roles.worker("GRANT SELECT ON TABLE new TO ROLE boss")
    with pytest.raises(ProgrammingError, match="does not exist or not authorized"):
        roles.admin("DROP TABLE new")  # the role is granted to no administrator
    roles.worker("GRANT OWNERSHIP ON TABLE new TO ROLE accountadmin REVOKE CURRENT GRANTS")
    roles.admin("DROP TABLE new")


def test_information_schema_lists_what_the_role_may_see(roles: Roles) -> None:
    for grant in (*BASE, "SELECT ON TABLE songs"):
        roles.admin(f"GRANT {grant} TO ROLE worker")
    shown = "SELECT i.table_name FROM information_schema.{} AS i WHERE i.table_schema = 'LISTS' ORDER BY 1"
    assert roles.worker(shown.format("tables")) == [("SONGS",)]
    assert roles.worker(shown.format("views")) == []
    assert ("NEWEST",) in roles.admin(shown.format("views"))


def test_show_grants_lists_grants(roles: Roles) -> None:
    roles.admin("GRANT USAGE, CREATE TABLE ON SCHEMA music.lists TO ROLE worker")
    roles.admin("GRANT MONITOR ON FUTURE PIPES IN SCHEMA music.lists TO ROLE worker")
    expected = [
        ("CREATE TABLE", "SCHEMA", "MUSIC.LISTS", "ROLE", "WORKER"),
        ("USAGE", "SCHEMA", "MUSIC.LISTS", "ROLE", "WORKER"),
    ]
    assert roles.admin("SHOW GRANTS TO ROLE worker") == expected
    assert set(expected) < set(roles.admin("SHOW GRANTS ON SCHEMA music.lists"))
    assert ("USAGE", "ROLE", "WORKER", "USER", "SANDBOX") in roles.admin("SHOW GRANTS TO USER sandbox")
    future = roles.admin("SHOW FUTURE GRANTS IN SCHEMA music.lists")
    assert future == [("MONITOR", "PIPE", "MUSIC.LISTS.<PIPE>", "ROLE", "WORKER")]
    roles.admin("REVOKE ALL ON SCHEMA music.lists FROM ROLE worker")
    assert roles.admin("SHOW GRANTS TO ROLE worker") == []


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("GRANT FLY ON SCHEMA lists TO ROLE loader", "privilege 'FLY' does not exist for SCHEMA"),
        ("GRANT INSERT ON VIEW newest TO ROLE loader", "privilege 'INSERT' does not exist for VIEW"),
        ("GRANT USAGE ON SPACESHIP x TO ROLE loader", "unknown kind of object 'SPACESHIP'"),
        ("GRANT USAGE ON SCHEMA nowhere TO ROLE loader", "Schema 'MUSIC.NOWHERE' does not exist"),
        ("GRANT USAGE ON SCHEMA lists TO ROLE nobody", "Role 'NOBODY' does not exist"),
        ("GRANT MONITOR ON ALL PIPES IN SCHEMA lists TO ROLE loader", "Bulk grants on pipes"),
        ("ALTER USER sandbox SET PASSWORD = 'x'", "does not emulate"),
        ("ANALYZE songs", "does not emulate"),
    ],
)
def test_unknown_privilege_object_or_role_raises(run: Run, statement: str, message: str) -> None:
    with pytest.raises(ProgrammingError, match=message):
        run(statement)
