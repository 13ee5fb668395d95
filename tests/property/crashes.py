"""Simulated crashes of a run at its n-th statement, file or COMMIT, before or after it was applied."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Any, NamedTuple

import pytest
from hypothesis import strategies as st
from snowflake.connector.errors import OperationalError

from pipeline.errors import Code, Transient
from pipeline.lake.store import Lake
from tests.statements import watched


class ProcessKilled(BaseException):
    """The process was killed: it sends nothing more."""


class Crash(NamedTuple):
    """A crash at the n-th `statement`, `file` or `commit`.

    `applied`: only its response is lost. `kills`: the process is killed; otherwise the run gets an error.
    """

    where: str
    at: int
    applied: bool
    kills: bool


def _crash(where: str, last: int) -> st.SearchStrategy[Crash]:
    return st.builds(Crash, st.just(where), st.integers(1, last), st.booleans(), st.booleans())


crashes = st.one_of(*[_crash("statement", 22)] * 3, _crash("file", 4), _crash("commit", 1))


class Run:
    """Counts statements and files of a run, injects the crash, and records whether COMMIT was applied."""

    def __init__(self, crash: Crash | None) -> None:
        self.crash = crash
        self.sent = Counter[str]()
        self.crashed = False
        self.committed = False
        self._counting = Lock()

    @contextmanager
    def injecting(self) -> Iterator[None]:
        """Injects the crash into code that runs within."""
        with pytest.MonkeyPatch.context() as patched:
            for name in ("write", "write_file"):
                patched.setattr(Lake, name, self._watched(getattr(Lake, name)))
            with watched(self._before_statement, self._after_statement):
                yield

    def _watched(self, write: Callable[..., Any]) -> Callable[..., Any]:
        def watched_write(*arguments: Any) -> Any:
            number = self._before("file")
            written = write(*arguments)
            self._crash_if_due("file", number, applied=True)
            return written

        return watched_write

    def _before_statement(self, sql: str) -> None:
        self._before("commit" if sql == "COMMIT" else "statement")

    def _after_statement(self, sql: str) -> None:
        self.committed |= sql == "COMMIT"
        where = "commit" if sql == "COMMIT" else "statement"
        self._crash_if_due(where, self.sent[where], applied=True)

    def _before(self, where: str) -> int:
        """Returns its number within its kind, from 1; several threads write files."""
        if self.crashed and self.crash and self.crash.kills:
            raise ProcessKilled
        with self._counting:
            self.sent[where] += 1
            number = self.sent[where]
        self._crash_if_due(where, number, applied=False)
        return number

    def _crash_if_due(self, where: str, number: int, *, applied: bool) -> None:
        crash = self.crash
        if crash is None or self.crashed or (where, number, applied) != crash[:3]:
            return
        self.crashed = True
        if crash.kills:
            raise ProcessKilled
        if where == "file":
            raise Transient("the lake did not respond", Code.LAKE_UNAVAILABLE)
        raise OperationalError("connection reset")
