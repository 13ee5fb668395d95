"""Contract tests: on the environment's accounts with ACCOUNTS=real (`make test-real`), else on stand-ins.

On stand-ins they prove nothing that other tests do not, so only `make test-faults` runs them there.
"""

import os
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import ValidationError

from blocks.prefect_api import PrefectFailed
from blocks.validation import NotRegistered, wrong_fields
from pipeline.errors import PipelineError
from pipeline.warehouse.landing import Polling
from pipeline.warehouse.messages import listed
from tests.places import Place
from tests.real.accounts import NOT_IN_STAND_INS, Accounts
from tests.real.at_hand import blocks_at_hand, blocks_of
from tests.real.refusal import refuse_shared, refuse_used
from tests.warehouses import EAGER

HERE = Path(__file__).parent
PIPES_S = 600
"""How long the pipes of a real account may take."""


@pytest.hookimpl(tryfirst=True)  # before items are selected by their marks
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks the tests of this folder."""
    for item in items:
        if item.path.parent == HERE:
            item.add_marker(pytest.mark.faults)


@pytest.fixture(scope="session")
def empty_accounts(request: pytest.FixtureRequest) -> Iterator[Accounts]:
    """Accounts whose schema and lake are empty; what the tests make there is removed at the end."""
    accounts = _real() if os.environ.get("ACCOUNTS") == "real" else _stand_ins(request)
    refuse_used(accounts)
    yield accounts
    problems = [*accounts.remove(), *_left(accounts)]
    if accounts.are_real:
        for problem in problems:
            warnings.warn(problem, stacklevel=1)
    else:
        assert [*problems, *accounts.lake.keys("")] == []


@pytest.fixture(scope="session")
def accounts(empty_accounts: Accounts) -> Accounts:
    """Accounts whose schema was empty and is set up."""
    empty_accounts.set_up()
    return empty_accounts


def _stand_ins(request: pytest.FixtureRequest) -> Accounts:
    place = Place.create(request.getfixturevalue("addresses"))
    request.addfinalizer(place.drop)
    return Accounts(blocks_of(place.variables()), are_real=False, polling=EAGER)


def _real() -> Accounts:
    if "PYTEST_XDIST_WORKER" in os.environ:
        pytest.fail("several processes would use one schema: run `make test-real`")
    try:
        accounts = Accounts(blocks_at_hand(), are_real=True, polling=Polling(PIPES_S))
    except NotRegistered as error:
        pytest.skip(f"the environment names no accounts: {error}")
    except PrefectFailed as error:
        pytest.exit(str(error), returncode=1)
    except ValidationError as error:
        pytest.exit(f"correct {error.title}, {wrong_fields(error)}", returncode=1)
    refuse_shared(accounts)
    return accounts


def _left(accounts: Accounts) -> list[str]:
    """What is still in the schema: of these tests, or of others."""
    try:
        found = accounts.objects()
    except PipelineError as error:
        return [f"{error}\nWhat is left in the schema is not known."]
    if not accounts.are_real:
        found = [one for one in found if one.kind not in NOT_IN_STAND_INS]
    return [f"left in {accounts.schema}: {listed(map(str, found))}"] if found else []
