"""The insight views have the columns that docs/tables.md lists."""

import pytest

from pipeline.columns import TABLES
from pipeline.view_columns import VIEW_COLUMNS
from pipeline.warehouse.views import view_files
from tests.warehouses import Warehouse


@pytest.mark.parametrize("view", VIEW_COLUMNS)
def test_a_view_has_the_documented_columns(warehouse: Warehouse, view: str) -> None:
    described = warehouse.place.query(f"DESCRIBE VIEW {view}")
    found = [(name.lower(), kind.split("(")[0]) for name, kind, *_ in described]
    assert found == [(name, kind) for name, kind, _ in VIEW_COLUMNS[view].columns]
    # documented as whole numbers
    assert {kind for _, kind, *_ in described if kind.startswith("NUMBER")} == {"NUMBER(38,0)"}


def test_every_insight_view_is_documented() -> None:
    insights = {name.lower() for name, file in view_files().items() if file.startswith("insights/")}
    assert insights == set(VIEW_COLUMNS), "VIEWS of warehouse/views.py and VIEW_COLUMNS name other views"
    assert {name.lower() for name in view_files()} - insights == {*TABLES, "newest_snapshots"}
