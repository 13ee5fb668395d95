"""What is sent to Snowflake, seen at the connector's cursor: below everything that the flows do."""

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
    """Calls the hooks with each statement: what they raise comes in place of sending, or of the answer."""
    execute = SnowflakeCursor.execute

    def watched_execute(cursor: SnowflakeCursor, command: str, *args: Any, **kwargs: Any) -> Any:
        before(command)
        answer = execute(cursor, command, *args, **kwargs)
        after(command)
        return answer

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(SnowflakeCursor, "execute", watched_execute)
        yield


@contextmanager
def recorded() -> Iterator[list[str]]:
    """The SQL of every statement sent, in order."""
    sent: list[str] = []
    with watched(before=sent.append):
        yield sent
