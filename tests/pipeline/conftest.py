"""A warehouse that is set up without Prefect."""

from typing import TYPE_CHECKING

import pytest

from sandbox.services import Addresses
from tests.places import Place

if TYPE_CHECKING:
    from tests.warehouses import Warehouse


@pytest.fixture
def warehouse(addresses: Addresses) -> "Warehouse":
    """A warehouse of its own."""
    from tests.warehouses import Warehouse  # noqa: PLC0415 - imports Snowflake

    result = Warehouse(Place.create(addresses))
    result.set_up()
    return result
