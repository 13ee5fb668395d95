"""Checks that stop the contract tests before they write anything."""

from itertools import islice

import pytest

from pipeline.errors import PipelineError
from pipeline.warehouse.messages import listed
from pipeline.warehouse.setup import PARTS
from tests.real.accounts import Accounts
from tests.real.cleanup import Object, created, delete_commands, drop_commands, is_marked, lines

MAX_LISTED_FILES = 1000
"""Number of files listed at most in a folder that is not empty."""
HELP = "docs/operations.md#contract-tests-on-your-accounts"


def refuse_shared(accounts: Accounts) -> None:
    """Stops the tests before any request if the names of schema and folder are not reserved for them."""
    if shared := accounts.shared():
        pytest.exit(
            f"These may be used by others: {', '.join(shared)}. No request was sent to them. The tests "
            f"remove what they make: both names must end in contract_tests ({HELP})",
            returncode=1,
        )


def refuse_not_empty(accounts: Accounts) -> None:
    """Stops the tests before anything is written if the schema or the folder is not empty."""
    try:
        objects, keys = accounts.objects(), list(islice(accounts.lake.keys(""), MAX_LISTED_FILES))
    except PipelineError as error:
        pytest.exit(f"{error}\nNothing was written.", returncode=1)
    if objects or keys:
        pytest.exit(_not_empty(accounts, objects, keys), returncode=1)


def _not_empty(accounts: Accounts, objects: list[Object], keys: list[str]) -> str:
    """Lists the contents, with commands that remove what killed tests may have left."""
    ours = [one for one in created(PARTS) if one in objects]
    marked = [key for key in keys if is_marked(key)]
    others = [str(one) for one in objects if one not in ours]
    others += [f"{accounts.lake.url}{key}" for key in keys if key not in marked]
    message = [f"{accounts.schema} or {accounts.lake.url} is not empty. Nothing was written ({HELP})."]
    if others:
        message.append(f"Not of these tests, move it or choose other names: {listed(others)}")
    if ours or marked:
        message.append("If these tests made it and were killed, remove it:")
    commands = [*drop_commands(accounts.schema, ours), *delete_commands(accounts.lake.url, marked)]
    return lines("\n".join(message), commands)
