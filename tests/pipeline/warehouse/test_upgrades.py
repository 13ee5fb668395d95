"""Upgrades: a schema of any earlier version is changed in place and keeps its rows, views and pipes."""

import re
from collections.abc import Iterator
from typing import Any, get_args

import polars as pl
import pytest

from pipeline.columns import TABLES, history
from pipeline.errors import Code, ConfigurationError
from pipeline.lake.layout import LoadMode
from pipeline.transform.tables import Tables, build_tables
from pipeline.warehouse import setup
from pipeline.warehouse.setup import Part, is_current
from pipeline.warehouse.views import view_files
from sandbox.services import Addresses
from sandbox.spotify.catalogue import CHARTS
from tests import warehouses
from tests.pipeline.warehouse.older_versions import ROWS, TABLES_1, set_up_older
from tests.places import Place, Rows
from tests.statements import recorded
from tests.tiers import enumerated
from tests.warehouses import DAY, OWNER, Warehouse

NULLABLE = {
    "songs": ["duration_ms", "is_explicit", "disc_number", "track_number"],
    "albums": ["name", "album_type", "total_tracks"],
    "artists": ["name"],
}
"""Columns that are nullable since version 3."""


NEWEST, OLDER = "version 2 with pipes", ("version 1", "version 2")
LATER = ("version 3", "version 3 with pipes", "version 4", "version 4 with pipes")
FROM_EACH = pytest.mark.parametrize(
    "older",
    enumerated([*OLDER, NEWEST, *LATER], ["version 1"]),
    indirect=True,
)
FROM_NEWEST = pytest.mark.parametrize("older", enumerated([*OLDER, NEWEST], [NEWEST]), indirect=True)


@pytest.fixture
def older(addresses: Addresses, request: pytest.FixtureRequest) -> Iterator[Warehouse]:
    """A warehouse set up by an earlier version, with one playlist."""
    older = Warehouse(Place.create(addresses), "snowpipe" if "pipes" in request.param else "copy")
    set_up_older(older, int(request.param.split()[1]))
    yield older
    older.place.drop()


def is_up_to_date(warehouse: Warehouse) -> bool:
    """Checks the schema with the loader role, as every run does first."""
    with warehouse.session() as session:
        return is_current(session, warehouse.lake.url, warehouse.mode)


def column_types(place: Place, *tables: str) -> dict[str, set[tuple[str, str, str]]]:
    """Name, type and nullability of the columns of each table or view."""
    return {
        table: {(row[0], row[1], row[3]) for row in place.query(f"DESCRIBE TABLE {table}")}
        for table in tables
    }


def nullable(place: Place) -> dict[str, list[str]]:
    """Columns of NULLABLE that are nullable in the history tables of this place."""
    found = column_types(place, *map(history, NULLABLE))
    nullable_columns = {
        table: {name for name, _, null in found[history(table)] if null == "Y"} for table in NULLABLE
    }
    return {
        table: [name for name in names if name.upper() in nullable_columns[table]]
        for table, names in NULLABLE.items()
    }


def replaced_views(version: int) -> set[str]:
    """Views that an upgrade from the version replaces: those of files that later versions list."""
    later = {name for step, names in setup.SCHEMA.versions.items() if step > version for name in names}
    return {view for view, file in view_files().items() if file in later}


def objects_at_lake(mode: LoadMode, version: int) -> set[str]:
    """Kinds of objects that point at the lake, or read columns by position, and so are created again."""
    stage = {"STAGE"} if version < setup.SCHEMA.lake_file_version else set()
    pipes = stage or version - 1 < setup.SNOWPIPE.lake_file_version  # those of an older stage stop
    return stage | ({"PIPE"} if mode == "snowpipe" and pipes else set())


def without_new_columns(rows: dict[str, Rows], before: dict[str, Rows]) -> dict[str, Rows]:
    """The rows as far as those of before reach: new columns come last."""
    return {
        table: [row[: len(old)] for row, old in zip(rows[table], before[table], strict=True)]
        for table in before
    }


ALL_OBJECTS = [*map(history, TABLES), "loads", "schema_versions", "writer_lock", *view_files()]


@FROM_EACH
def test_an_older_schema_is_upgraded_in_place(
    older: Warehouse, warehouse: Warehouse, caplog: pytest.LogCaptureFixture
) -> None:
    before = older.place.contents(TABLES_1)
    assert [len(before[table]) for table in ROWS] == [1] * len(ROWS)
    altered = nullable(older.place) != NULLABLE
    views = {name for (name,) in older.place.query("SELECT table_name FROM information_schema.views")}
    ((version,),) = older.place.query("SELECT version FROM schema_versions")
    assert not is_up_to_date(older)
    with recorded() as sent:
        older.set_up()

    assert is_up_to_date(older)
    assert column_types(older.place, *ALL_OBJECTS) == column_types(warehouse.place, *ALL_OBJECTS)
    assert nullable(older.place) == NULLABLE
    assert without_new_columns(older.place.contents(TABLES_1), before) == before
    assert older.place.query("SELECT run_id, load_results, flow_run_id FROM loads") == [("run", None, None)]
    executed = {" ".join(re.sub("--.*", "", statement).split()[:4]) for statement in sent}
    replaced = {one.split()[3] for one in executed if one.startswith("CREATE OR REPLACE")}
    assert replaced == {"VIEW"} | objects_at_lake(older.mode, version)
    # other views stay, with their grants
    named = {name.upper() for one in sent for name in re.findall(r"REPLACE VIEW (\w+)", one)}
    assert named == set(view_files()) - views | replaced_views(version)
    assert not [one for one in caplog.records if one.levelname == "WARNING"]
    altered_columns = {
        one.split()[2] for one in executed if one.startswith("ALTER TABLE") and one.split()[3] == "ALTER"
    }
    assert bool(altered_columns) == altered
    assert not any(one.startswith("DROP") for one in executed)
    older.publish(CHARTS[0])
    assert older.place.count("songs") == 51


@pytest.mark.faults
@FROM_NEWEST
def test_an_upgrade_that_was_killed_is_repeated(older: Warehouse) -> None:
    """The first ALTER of each file was executed, and no version recorded."""
    with older.session(role=OWNER) as session:
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
    """The tables with null in every second row of the nullable columns; they remain valid."""
    for table, names in NULLABLE.items():
        odd = pl.int_range(pl.len()) % 2 == 1
        changed = tables[table].with_columns(pl.when(odd).then(pl.col(name)) for name in names)
        tables[table] = TABLES[table].validate(changed)
    return tables


@FROM_NEWEST
def test_values_that_spotify_leaves_out_are_null_in_the_tables(
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


@pytest.mark.parametrize("part", setup.ALL_PARTS, ids=lambda part: part.version_table)
def test_an_older_release_refuses_a_newer_schema_and_changes_nothing(
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
