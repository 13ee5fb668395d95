"""Privileges of the reader, loader and owner roles on the objects that set-up creates."""

import re
from typing import Any

import pytest
from snowflake.connector.errors import ProgrammingError

from pipeline.columns import TABLES, history, landing, pipe
from pipeline.warehouse import setup
from pipeline.warehouse.sql_files import SQL, literal
from pipeline.warehouse.views import view_files
from sandbox.account_objects import split
from sandbox.services import Addresses
from sandbox.spotify.catalogue import CHARTS
from tests.places import Place
from tests.statements import recorded
from tests.warehouses import OWNER, Warehouse

ALL_TABLES = [*map(history, TABLES), *map(landing, TABLES), "loads", "writer_lock", "schema_versions"]
CHANGES = (
    "INSERT INTO {} SELECT * FROM {}",
    "DELETE FROM {}",
    "TRUNCATE TABLE {}",
    "DROP TABLE {}",
    "ALTER TABLE {} ADD COLUMN extra INT",
    "CREATE OR REPLACE TABLE {} (a INT)",
)
DENIED = {2003, 3001}
"""Error numbers of denied statements; 2003: an object the role may not see does not exist for it."""


@pytest.fixture(scope="module")
def with_pipes(addresses: Addresses) -> Warehouse:
    """A warehouse with pipes and one playlist."""
    warehouse = Warehouse(Place.create(addresses))
    warehouse.set_up(load="snowpipe")
    warehouse.publish(CHARTS[0])
    return warehouse


def refused(cursor: Any, statement: str) -> bool:
    """Returns True if the role may not execute the statement."""
    try:
        cursor.execute(statement)
    except ProgrammingError as error:
        assert error.errno in DENIED, error  # noqa: PT017
        return True
    return False


def test_the_reader_can_read_every_table_and_view_and_change_nothing(with_pipes: Warehouse) -> None:
    before = with_pipes.place.schema(), with_pipes.place.contents(TABLES)
    with with_pipes.place.connected("SPOTIFY_READER") as connection, connection.cursor() as cursor:
        for name in (*ALL_TABLES, *view_files()):
            cursor.execute(f"SELECT COUNT(*) FROM {name}")
        changes = [change.format(name, name) for name in ALL_TABLES for change in CHANGES]
        changes += [f"CREATE OR REPLACE VIEW {name} AS SELECT 1 AS a" for name in view_files()]
        changes += [f"DROP VIEW {name}" for name in view_files()]
        changes += [f"ALTER PIPE {pipe(table)} SET PIPE_EXECUTION_PAUSED = TRUE" for table in TABLES]
        changes += ["UPDATE writer_lock SET run_id = 'x'", "DROP SCHEMA playlists", "CREATE TABLE x (a INT)"]
        assert [change for change in changes if not refused(cursor, change)] == []
    assert (with_pipes.place.schema(), with_pipes.place.contents(TABLES)) == before


DDL = [
    statement
    for path in sorted((SQL / "setup").rglob("*.sql"))
    for statement in split(path.read_text(encoding="utf-8").replace("${url}", literal("s3://bucket/tables/")))
    if re.match("CREATE|ALTER|DROP", statement)
]


def test_the_loader_cannot_change_the_schema(with_pipes: Warehouse) -> None:
    before = with_pipes.place.schema()
    with with_pipes.place.connected("SPOTIFY_LOADER") as connection, connection.cursor() as cursor:
        drops = [f"DROP TABLE {name}" for name in ALL_TABLES] + [f"DROP VIEW {name}" for name in view_files()]
        assert len(DDL) > 50
        assert [one for one in (*DDL, *drops) if not refused(cursor, one)] == []
    assert with_pipes.place.schema() == before


def test_the_owner_alone_can_repair_a_schema(with_pipes: Warehouse) -> None:
    """No set-up statement switches to another role."""
    with_pipes.place.query("DELETE FROM schema_versions")
    with_pipes.place.query("DELETE FROM snowpipe_versions")
    with_pipes.place.query("DROP VIEW songs")
    with recorded() as sent:
        with_pipes.set_up(load="snowpipe")
    assert len([one for one in sent if one.startswith(("CREATE", "ALTER"))]) > 40
    assert not [one for one in sent if re.match(r"USE\s|GRANT\s", one)]
    with with_pipes.session(role=OWNER) as session:
        assert setup.is_current(session, with_pipes.lake.url, "snowpipe")
