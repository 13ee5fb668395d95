"""When the contract tests end before they write anything."""

from itertools import islice

import pytest

from pipeline.errors import PipelineError
from pipeline.warehouse.messages import listed
from pipeline.warehouse.setup import PARTS
from tests.real.accounts import Accounts
from tests.real.leavings import Object, created, delete_commands, drop_commands, is_marked, lines

MOST_FILES = 1000
"""Of how many files the tests ask before they refuse a folder that is not empty."""
HELP = "docs/operations.md#contract-tests-on-your-accounts"


def refuse_shared(accounts: Accounts) -> None:
    """Ends the tests, before any request to the accounts, if schema and folder are not named for them."""
    if shared := accounts.shared():
        pytest.exit(
            f"These may be used by others: {', '.join(shared)}. No request was sent to them. The tests "
            f"remove what they make: both names must end in contract_tests ({HELP})",
            returncode=1,
        )


def refuse_used(accounts: Accounts) -> None:
    """Ends the tests, before anything is written, where anything is that they could replace or remove."""
    try:
        objects, keys = accounts.objects(), list(islice(accounts.lake.keys(""), MOST_FILES))
    except PipelineError as error:
        pytest.exit(f"{error}\nNothing was written.", returncode=1)
    if objects or keys:
        pytest.exit(_not_empty(accounts, objects, keys), returncode=1)


def _not_empty(accounts: Accounts, objects: list[Object], keys: list[str]) -> str:
    """What is there, and the commands that remove what these tests may have left when they were killed."""
    ours = [one for one in created(PARTS) if one in objects]
    marked = [key for key in keys if is_marked(key)]
    others = [str(one) for one in objects if one not in ours]
    others += [f"{accounts.lake.url}{key}" for key in keys if key not in marked]
    told = [f"{accounts.schema} or {accounts.lake.url} is not empty. Nothing was written ({HELP})."]
    if others:
        told.append(f"Not of these tests, move it or choose other names: {listed(others)}")
    if ours or marked:
        told.append("If these tests made it and were killed, remove it:")
    commands = [*drop_commands(accounts.schema, ours), *delete_commands(accounts.lake.url, marked)]
    return lines("\n".join(told), commands)
