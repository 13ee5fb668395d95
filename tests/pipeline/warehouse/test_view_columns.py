"""What docs/tables.md says of the views for analysts is what they have."""

import pytest

from pipeline.columns import TABLES
from pipeline.view_columns import VIEW_COLUMNS
from pipeline.warehouse.views import view_files
from tests.warehouses import Warehouse


@pytest.mark.parametrize("view", VIEW_COLUMNS)
def test_a_view_has_the_columns_that_the_page_shows(warehouse: Warehouse, view: str) -> None:
    described = warehouse.place.query(f"DESCRIBE VIEW {view}")
    found = [(name.lower(), kind.split("(")[0]) for name, kind, *_ in described]
    assert found == [(name, kind) for name, kind, _ in VIEW_COLUMNS[view].columns]
    # the page says that numbers are whole
    assert {kind for _, kind, *_ in described if kind.startswith("NUMBER")} == {"NUMBER(38,0)"}


def test_every_view_is_on_the_page() -> None:
    own = {name.lower() for name, file in view_files().items() if file.startswith("insights/")}
    assert own == set(VIEW_COLUMNS)
    assert {name.lower() for name in view_files()} - own == {*TABLES, "newest_snapshots"}
