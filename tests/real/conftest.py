"""Contract tests: on the environment's accounts with ACCOUNTS=real (`make test-real`), else on stand-ins."""

import os
import warnings
from collections.abc import Iterator
from itertools import islice

import pytest
from pydantic import ValidationError

from blocks.prefect_api import PrefectFailed
from blocks.validation import NotRegistered, wrong_fields
from pipeline.errors import PipelineError
from pipeline.warehouse.landing import Polling
from pipeline.warehouse.messages import MOST, listed
from tests.places import Place
from tests.real.accounts import Accounts, blocks_at_hand, blocks_of
from tests.warehouses import EAGER

PIPES_S = 600
"""How long the pipes of a real account may take."""
EMPTY_THEM = (
    "Nothing was written. The tests remove at their end what they find, so they need a schema and a folder "
    "of their own: SNOWFLAKE_SCHEMA, LAKE_FOLDER (docs/operations.md#contract-tests-on-your-accounts)"
)


@pytest.fixture(scope="session")
def empty_accounts(request: pytest.FixtureRequest) -> Iterator[Accounts]:
    """Accounts whose schema and lake are empty; what the tests make there is removed at the end."""
    accounts = _real() if os.environ.get("ACCOUNTS") == "real" else _stand_ins(request)
    _refuse_used(accounts)
    yield accounts
    problems = accounts.remove()
    if left := accounts.objects():
        problems.append(f"left in the schema: {listed(left)}")
    if accounts.are_real:
        for problem in problems:
            warnings.warn(problem, stacklevel=1)
    else:
        assert [*problems, *accounts.files()] == []


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
        return Accounts(blocks_at_hand(), are_real=True, polling=Polling(PIPES_S))
    except NotRegistered as error:
        pytest.skip(f"the environment names no accounts: {error}")
    except PrefectFailed as error:
        pytest.exit(str(error), returncode=1)
    except ValidationError as error:
        pytest.exit(f"correct {error.title}, {wrong_fields(error)}", returncode=1)


def _refuse_used(accounts: Accounts) -> None:
    """Ends the tests before anything is written where there is anything that they might remove."""
    try:
        found = [*accounts.objects(), *islice(accounts.files(), MOST + 1)]
    except PipelineError as error:
        pytest.exit(f"{error}\nNothing was written.", returncode=1)
    if found:
        pytest.exit(f"The schema or the lake is not empty: {listed(found)}\n{EMPTY_THEM}", returncode=1)
