"""A warehouse that is set up."""

import pytest

from sandbox.services import Addresses
from tests.places import Place
from tests.warehouses import Warehouse


@pytest.fixture
def warehouse(addresses: Addresses) -> Warehouse:
    result = Warehouse(Place.create(addresses))
    result.set_up()
    return result
