"""Views that were dropped or replaced: recreated, or named in a warning while the load continues."""

from collections.abc import Sequence
from typing import Any

import pytest

from pipeline.errors import Code, ConfigurationError
from pipeline.warehouse import setup
from pipeline.warehouse.session import Session
from pipeline.warehouse.views import view_files
from sandbox.spotify.catalogue import CHARTS
from tests.statements import recorded
from tests.warehouses import Warehouse


def is_up_to_date(warehouse: Warehouse) -> bool:
    """Checks the schema with the loader role, as every run does first."""
    with warehouse.session() as session:
        return setup.is_current(session, warehouse.lake.url)


DAMAGE = {
    "one dropped": (["DROP VIEW songs"], ["SONGS"]),
    "one that all others read dropped": (["DROP VIEW newest_snapshots"], ["NEWEST_SNAPSHOTS"]),
    "one that another reads dropped": (["DROP VIEW tracklist_history"], ["TRACKLIST_HISTORY"]),
    "some dropped": (["DROP VIEW playlists", "DROP VIEW longest_runs"], ["PLAYLISTS", "LONGEST_RUNS"]),
}


@pytest.mark.parametrize(("statements", "names"), DAMAGE.values(), ids=DAMAGE)
def test_dropped_views_are_recreated_and_no_others(
    warehouse: Warehouse, statements: list[str], names: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    warehouse.publish(CHARTS[0])
    for statement in statements:
        warehouse.place.query(statement)
    assert not is_up_to_date(warehouse)
    with recorded() as sent:
        warehouse.set_up()

    assert is_up_to_date(warehouse)
    created = [one.split(" AS", 1)[0] for one in sent if "VIEW" in one and one.startswith("CREATE")]
    assert created == [f"CREATE OR REPLACE VIEW {name.lower()} COPY GRANTS" for name in names]
    assert [
        name for name in names if f"the view {name} was missing and has been created" in caplog.text
    ] == names
    assert warehouse.place.count("songs") == 50


def test_a_table_with_the_name_of_a_view_is_named_in_a_warning_and_kept(
    warehouse: Warehouse, caplog: pytest.LogCaptureFixture
) -> None:
    for statement in ("DROP VIEW songs", "CREATE TABLE songs AS SELECT 'a user''s' AS name"):
        warehouse.place.query(statement)
    assert not is_up_to_date(warehouse)
    warehouse.set_up()

    assert "readers cannot query the loaded data" in caplog.text
    assert "SONGS is a table: rename it" in caplog.text
    assert warehouse.place.query("SELECT name FROM songs") == [("a user's",)]
    assert warehouse.publish(CHARTS[0]).rows_by_table["songs"] == 50


def test_without_the_privilege_to_create_views_the_load_continues_with_a_warning(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    execute, denied = Session._execute, list[str]()  # noqa: SLF001 - every statement goes through it

    def deny(session: Session, name: str, text: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
        if text.startswith("CREATE"):
            denied.append(text)
            raise ConfigurationError("insufficient privileges", Code.SNOWFLAKE_DENIED)
        return execute(session, name, text, values)

    warehouse.place.query("DROP VIEW songs")
    monkeypatch.setattr(Session, "_execute", deny)
    warehouse.set_up()

    assert len(denied) == 1
    assert "readers cannot query the loaded data" in caplog.text
    assert "SONGS cannot be created: insufficient privileges [SNOWFLAKE_DENIED]" in caplog.text
    assert warehouse.publish(CHARTS[0]).rows_by_table["songs"] == 50


def test_every_view_has_a_sql_file(warehouse: Warehouse) -> None:
    found = {name for (name,) in warehouse.place.query("SELECT table_name FROM information_schema.views")}
    assert found == set(view_files())
