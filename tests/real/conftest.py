"""Contract tests: on real accounts with ACCOUNTS=real (`make test-real`), otherwise on stand-ins.

On stand-ins other tests prove the same, so only `make test-faults` runs them there.
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
from tests.real.account_blocks import blocks_of, blocks_of_environment
from tests.real.accounts import NOT_IN_STAND_INS, Accounts
from tests.real.refusal import refuse_not_empty, refuse_shared
from tests.warehouses import EAGER

HERE = Path(__file__).parent
PIPES_DEADLINE_S = 600
"""Deadline for the pipes of a real account."""


@pytest.hookimpl(tryfirst=True)  # before tests are selected by marker
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks all tests of this folder as long tests."""
    for item in items:
        if item.path.parent == HERE:
            item.add_marker(pytest.mark.faults)


@pytest.fixture(scope="session")
def empty_accounts(request: pytest.FixtureRequest) -> Iterator[Accounts]:
    """Accounts with an empty schema and folder; the tests' objects and files are removed at the end."""
    accounts = _real() if os.environ.get("ACCOUNTS") == "real" else _stand_ins(request)
    refuse_not_empty(accounts)
    yield accounts
    problems = [*accounts.remove(), *_remaining(accounts)]
    if accounts.are_real:
        for problem in problems:
            warnings.warn(problem, stacklevel=1)
    else:
        assert [*problems, *accounts.lake.keys("")] == []


@pytest.fixture(scope="session")
def accounts(empty_accounts: Accounts) -> Accounts:
    """Accounts with a newly set-up schema."""
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
        accounts = Accounts(blocks_of_environment(), are_real=True, polling=Polling(PIPES_DEADLINE_S))
    except NotRegistered as error:
        pytest.skip(f"the environment names no accounts: {error}")
    except PrefectFailed as error:
        pytest.exit(str(error), returncode=1)
    except ValidationError as error:
        pytest.exit(f"correct {error.title}, {wrong_fields(error)}", returncode=1)
    refuse_shared(accounts)
    return accounts


def _remaining(accounts: Accounts) -> list[str]:
    """Messages about objects that remain in the schema."""
    try:
        found = accounts.objects()
    except PipelineError as error:
        return [f"{error}\nWhat is left in the schema is not known."]
    if not accounts.are_real:
        found = [one for one in found if one.kind not in NOT_IN_STAND_INS]
    return [f"left in {accounts.schema}: {listed(map(str, found))}"] if found else []
