"""What the three roles may do with what a set-up has made."""

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

STORED = [*map(history, TABLES), *map(landing, TABLES), "loads", "writer_lock", "schema_versions"]
CHANGES = (
    "INSERT INTO {} SELECT * FROM {}",
    "DELETE FROM {}",
    "TRUNCATE TABLE {}",
    "DROP TABLE {}",
    "ALTER TABLE {} ADD COLUMN extra INT",
    "CREATE OR REPLACE TABLE {} (a INT)",
)
DENIED = {2003, 3001}
"""An object that a role may not see does not exist for it."""


@pytest.fixture(scope="module")
def piped(addresses: Addresses) -> Warehouse:
    """A warehouse with pipes, and a playlist."""
    warehouse = Warehouse(Place.create(addresses))
    warehouse.set_up(load="snowpipe")
    warehouse.publish(CHARTS[0])
    return warehouse


def refused(cursor: Any, statement: str) -> bool:
    """Whether the role may not execute the statement."""
    try:
        cursor.execute(statement)
    except ProgrammingError as error:
        assert error.errno in DENIED, error  # noqa: PT017
        return True
    return False


def test_the_reader_sees_every_table_and_view_and_changes_nothing(piped: Warehouse) -> None:
    before = piped.place.schema(), piped.place.contents(TABLES)
    with piped.place.connected("SPOTIFY_READER") as connection, connection.cursor() as cursor:
        for name in (*STORED, *view_files()):
            cursor.execute(f"SELECT COUNT(*) FROM {name}")
        changes = [change.format(name, name) for name in STORED for change in CHANGES]
        changes += [f"CREATE OR REPLACE VIEW {name} AS SELECT 1 AS a" for name in view_files()]
        changes += [f"DROP VIEW {name}" for name in view_files()]
        changes += [f"ALTER PIPE {pipe(table)} SET PIPE_EXECUTION_PAUSED = TRUE" for table in TABLES]
        changes += ["UPDATE writer_lock SET run_id = 'x'", "DROP SCHEMA playlists", "CREATE TABLE x (a INT)"]
        assert [change for change in changes if not refused(cursor, change)] == []
    assert (piped.place.schema(), piped.place.contents(TABLES)) == before


DDL = [
    statement
    for path in sorted((SQL / "setup").rglob("*.sql"))
    for statement in split(path.read_text(encoding="utf-8").replace("${url}", literal("s3://bucket/tables/")))
    if re.match("CREATE|ALTER|DROP", statement)
]


def test_the_loader_cannot_change_the_schema(piped: Warehouse) -> None:
    before = piped.place.schema()
    with piped.place.connected("SPOTIFY_LOADER") as connection, connection.cursor() as cursor:
        drops = [f"DROP TABLE {name}" for name in STORED] + [f"DROP VIEW {name}" for name in view_files()]
        assert len(DDL) > 50
        assert [one for one in (*DDL, *drops) if not refused(cursor, one)] == []
    assert piped.place.schema() == before


def test_the_owner_needs_no_other_role(piped: Warehouse) -> None:
    """It sets up, upgrades and repairs; no statement of set-up takes another role."""
    piped.place.query("DELETE FROM schema_versions")
    piped.place.query("DELETE FROM snowpipe_versions")
    piped.place.query("DROP VIEW songs")
    with recorded() as sent:
        piped.set_up(load="snowpipe")
    assert len([one for one in sent if one.startswith(("CREATE", "ALTER"))]) > 40
    assert not [one for one in sent if re.match(r"USE\s|GRANT\s", one)]
    with piped.session(role=OWNER) as session:
        assert setup.is_current(session, piped.lake.url, "snowpipe")
