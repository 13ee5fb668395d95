"""Upgrades: a schema of any earlier version changes in place; its rows, views, stage and pipes stay."""

import re
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any, get_args

import polars as pl
import pytest
from snowflake.connector.util_text import split_statements

from pipeline.columns import TABLES, history
from pipeline.errors import Code, ConfigurationError
from pipeline.lake.layout import LoadMode
from pipeline.transform.tables import Tables, build_tables
from pipeline.warehouse import setup
from pipeline.warehouse.session import Session
from pipeline.warehouse.setup import Part, is_current
from pipeline.warehouse.sql_files import literal, read_sql
from sandbox.services import Addresses
from sandbox.spotify.catalogue import CHARTS
from tests import warehouses
from tests.places import Place, Rows
from tests.statements import recorded
from tests.warehouses import DAY, Warehouse

BEFORE = Path(__file__).with_name("before")
"""What earlier releases executed; never changed."""
VERSION_1 = (BEFORE / "version_1.sql").read_text(encoding="utf-8")
"""Tables and views as version 1 created them."""
LANDING_1 = "\n".join(
    f"CREATE TRANSIENT TABLE {table}_landing ({lines},\n"
    "    file_name VARCHAR NOT NULL,\n    file_row NUMBER(38, 0) NOT NULL\n);"
    for table, lines in re.findall(
        r"CREATE TABLE IF NOT EXISTS (\w+)_history \((.*?)\n\);", VERSION_1, re.DOTALL
    )
)
"""Landing tables as version 1 of the pipes created them: the columns of version 1, and each row's file."""
PIPES_1 = read_sql("setup/generated/create_pipes").replace("@lake/", "@lake/tables/")
"""Pipes until version 2: the stage showed the whole lake."""
ROWS = {
    "playlists": "'Old', NULL, 'o', NULL, NULL, FALSE, NULL, 'AAA', 1, 'https://p', NULL, '2026-01-01'",
    "songs": "'s', 'Song', 'b', 'a', 180000, TRUE, NULL, 1, 2, NULL, 'https://s'",
    "albums": "'b', 'Album', 'single', NULL, NULL, 12, NULL, NULL, 'https://b', NULL",
    "artists": "'a', 'Artist', 'https://a', NULL, NULL, NULL",
}
"""One row per table, without what every row starts with."""
LEDGER = (
    "INSERT INTO loads SELECT 'run', 'p', '2026-01-01', 'raw/p', '2026-01-01', 'AAA', 1, 0, "
    "PARSE_JSON('{}'), 'copy', 'runs/p', '0.1.0', '2026-01-01'"
)
NULLABLE = {
    "songs": ["duration_ms", "is_explicit", "disc_number", "track_number"],
    "albums": ["name", "album_type", "total_tracks"],
    "artists": ["name"],
}
"""Columns that may be null since version 3."""


NEWEST, OLDER = "version 2 with pipes", ("version 1", "version 2")
BEFORE_LAST = ("version 3", "version 3 with pipes")
FROM_EACH = pytest.mark.parametrize("older", [*OLDER, NEWEST, *BEFORE_LAST], indirect=True)
FROM_NEWEST = pytest.mark.parametrize(
    "older", [*(pytest.param(one, marks=pytest.mark.faults) for one in OLDER), NEWEST], indirect=True
)


@pytest.fixture
def older(addresses: Addresses, request: pytest.FixtureRequest) -> Iterator[Warehouse]:
    """A warehouse as an earlier version left it, with one playlist."""
    version, pipes = int(request.param.split()[1]), "pipes" in request.param
    older = Warehouse(Place.create(addresses), "snowpipe" if pipes else "copy")
    execute(older.place, VERSION_1)
    for table, values in ROWS.items():
        older.place.query(f"INSERT INTO {history(table)} SELECT 'p', '2026-01-01', 'run', {values}")
    older.place.query(LEDGER)
    with older.session() as session:
        for name in ("setup/create_stage", *setup.VIEWS[1:], *changes(setup.SCHEMA, version)):
            session.execute_all(name, url=literal(older.lake.url))
        note(session, setup.SCHEMA, version, older)
        if pipes:
            execute(older.place, LANDING_1)
            for name in ("setup/create_snowpipe_versions", *changes(setup.SNOWPIPE, version - 1)):
                session.execute_all(name)
            execute(older.place, PIPES_1)
            note(session, setup.SNOWPIPE, version - 1, older)
    yield older
    older.place.drop()


def changes(part: Part, version: int) -> list[str]:
    """Files that led from version 1 to another."""
    return [name for step in range(2, version + 1) for name in part.versions[step]]


def note(session: Session, part: Part, version: int, older: Warehouse) -> None:
    """Notes the version of a part."""
    session.execute("setup/insert_schema_version", (version, older.lake.url, "older"), table=part.noted_in)


def execute(place: Place, text: str) -> None:
    """Runs every statement of a text."""
    for statement, _ in split_statements(StringIO(text), remove_comments=True):
        place.query(str(statement))


def current(warehouse: Warehouse) -> bool:
    """What a run asks first."""
    with warehouse.session() as session:
        return is_current(session, warehouse.lake.url, warehouse.mode)


def shape(place: Place, *tables: str) -> dict[str, set[tuple[str, str, str]]]:
    """Name, type and nullability of the columns of each table or view."""
    return {
        table: {(row[0], row[1], row[3]) for row in place.query(f"DESCRIBE TABLE {table}")}
        for table in tables
    }


def nullable(place: Place) -> dict[str, list[str]]:
    """Those columns of NULLABLE that accept null in the history tables."""
    found = shape(place, *map(history, NULLABLE))
    open_ = {table: {name for name, _, null in found[history(table)] if null == "Y"} for table in NULLABLE}
    return {
        table: [name for name in names if name.upper() in open_[table]] for table, names in NULLABLE.items()
    }


OURS = [*map(history, TABLES), "loads", "schema_versions", "writer_lock", *setup.view_files()]


@FROM_EACH
def test_an_older_schema_is_brought_up_to_date_in_place(older: Warehouse, warehouse: Warehouse) -> None:
    before = older.place.contents(TABLES)
    assert [len(before[table]) for table in ROWS] == [1] * len(ROWS)
    altered = nullable(older.place) != NULLABLE
    assert not current(older)
    with recorded() as sent:
        older.set_up()

    assert current(older)
    assert shape(older.place, *OURS) == shape(warehouse.place, *OURS)
    assert nullable(older.place) == NULLABLE
    assert older.place.contents(TABLES) == before
    assert older.place.query("SELECT run_id, load_results FROM loads") == [("run", None)]
    done = {" ".join(re.sub("--.*", "", statement).split()[:4]) for statement in sent}
    created = {one.split()[3] for one in done if one.startswith("CREATE")}
    # pipes of an older stage stop, and lose their load history; views stay, with their grants
    assert created == ({"STAGE", "PIPE"} if older.mode == "snowpipe" else {"STAGE"})
    assert any(one.startswith("ALTER TABLE") for one in done) == altered
    assert not any(one.startswith("DROP") for one in done)
    older.publish(CHARTS[0])
    assert older.place.count("songs") == 51


@FROM_NEWEST
def test_an_upgrade_that_was_cut_off_is_done_again(older: Warehouse) -> None:
    """The first ALTER of each file was executed, and no version noted."""
    with older.session() as session:
        session.execute_all("setup/add_load_results")
        session.execute_all("setup/allow_nulls", containing="duration_ms")
        if older.mode == "snowpipe":
            session.execute_all("setup/allow_nulls_in_landing", containing="duration_ms")
    older.set_up()

    assert nullable(older.place) == NULLABLE
    older.publish(CHARTS[0])
    assert older.place.query("SELECT name FROM playlists ORDER BY name")[0] == ("Old",)
    assert older.place.count("loads") == 2


def with_nulls(tables: Tables) -> Tables:
    """The tables with nulls in every second row of the columns that may be null, as valid as before."""
    for table, names in NULLABLE.items():
        odd = pl.int_range(pl.len()) % 2 == 1
        changed = tables[table].with_columns(pl.when(odd).then(pl.col(name)) for name in names)
        tables[table] = TABLES[table].validate(changed)
    return tables


@FROM_NEWEST
def test_what_spotify_does_not_send_arrives_as_null(
    older: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[Tables] = []

    def build(*arguments: Any) -> Tables:
        written.append(with_nulls(build_tables(*arguments)))
        return written[-1]

    monkeypatch.setattr(warehouses, "build_tables", build)
    older.set_up()
    older.publish(CHARTS[0])

    for table, names in NULLABLE.items():
        key = TABLES[table].primary_key()[-1]
        listed = ", ".join([key, *names])
        expected: Rows = sorted(written[0][table].select(key, *names).rows())
        assert any(None in row for row in expected)
        shown = f"SELECT {listed} FROM {{}} WHERE snapshot_date = ? ORDER BY {key}"
        assert older.place.query(shown.format(history(table)), DAY) == expected
        assert older.place.query(shown.format(table), DAY) == expected
    ranked = "SELECT COUNT(*), COUNT(artist_name) FROM top_artists WHERE snapshot_date = ?"
    ((artists, named),) = older.place.query(ranked, DAY)
    assert 0 < named < artists


@pytest.mark.parametrize("part", setup.EVERY_PART, ids=lambda part: part.noted_in)
def test_an_older_release_refuses_what_a_newer_one_set_up_and_changes_nothing(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch, part: Part
) -> None:
    warehouse.set_up(load="snowpipe")
    before = warehouse.place.schema()
    with monkeypatch.context() as older_release:
        older_release.delitem(part.versions, part.newest)
        for load in get_args(LoadMode):
            with recorded() as sent, pytest.raises(ConfigurationError, match="a newer release") as refused:
                warehouse.set_up(f"{warehouse.lake.url}elsewhere/", load)
            assert refused.value.code == Code.SCHEMA_NEWER
            assert {statement.split()[0] for statement in sent} == {"SELECT"}

    assert warehouse.place.schema() == before
    assert warehouse.publish(CHARTS[0]).rows_by_table["songs"] == 50
