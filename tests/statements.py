"""Observes the statements sent to Snowflake, at the cursor of the connector."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from snowflake.connector.cursor import SnowflakeCursor

Hook = Callable[[str], None]


def _nothing(sql: str) -> None:
    del sql


@contextmanager
def watched(before: Hook = _nothing, after: Hook = _nothing) -> Iterator[None]:
    """Calls hooks with each statement, before it is sent and after its response; a hook may raise."""
    execute = SnowflakeCursor.execute

    def watched_execute(cursor: SnowflakeCursor, command: str, *args: Any, **kwargs: Any) -> Any:
        before(command)
        result = execute(cursor, command, *args, **kwargs)
        after(command)
        return result

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(SnowflakeCursor, "execute", watched_execute)
        yield


@contextmanager
def recorded() -> Iterator[list[str]]:
    """Yields a list to which the SQL of every sent statement is appended."""
    sent: list[str] = []
    with watched(before=sent.append):
        yield sent
