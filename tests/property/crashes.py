"""A run that breaks off at its n-th statement or file: before it was applied, or before its answer came."""

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


class Died(BaseException):
    """The process is no more: it sends nothing else."""


class Crash(NamedTuple):
    """Where a run breaks off: its n-th `statement`, `file` or `commit`, and whether that is still applied."""

    where: str
    at: int
    applied: bool
    dies: bool


def _crash(where: str, most: int) -> st.SearchStrategy[Crash]:
    return st.builds(Crash, st.just(where), st.integers(1, most), st.booleans(), st.booleans())


crashes = st.one_of(*[_crash("statement", 22)] * 3, _crash("file", 4), _crash("commit", 1))


class Run:
    """Counts what a run sends, breaks it off, and knows whether its COMMIT was applied."""

    def __init__(self, crash: Crash | None) -> None:
        self.crash = crash
        self.sent = Counter[str]()
        self.crashed = False
        self.committed = False
        self._counting = Lock()

    @contextmanager
    def breaking(self) -> Iterator[None]:
        """Whatever runs within may break off."""
        with pytest.MonkeyPatch.context() as patched:
            for name in ("write", "write_file"):
                patched.setattr(Lake, name, self._watched(getattr(Lake, name)))
            with watched(self._before_statement, self._after_statement):
                yield

    def _watched(self, write: Callable[..., Any]) -> Callable[..., Any]:
        def watched_write(*arguments: Any) -> Any:
            number = self._before("file")
            written = write(*arguments)
            self._strike("file", number, applied=True)
            return written

        return watched_write

    def _before_statement(self, sql: str) -> None:
        self._before("commit" if sql == "COMMIT" else "statement")

    def _after_statement(self, sql: str) -> None:
        self.committed |= sql == "COMMIT"
        where = "commit" if sql == "COMMIT" else "statement"
        self._strike(where, self.sent[where], applied=True)

    def _before(self, where: str) -> int:
        """Which of its kind it is, counted from 1: files are written by several threads."""
        if self.crashed and self.crash and self.crash.dies:
            raise Died
        with self._counting:
            self.sent[where] += 1
            number = self.sent[where]
        self._strike(where, number, applied=False)
        return number

    def _strike(self, where: str, number: int, *, applied: bool) -> None:
        crash = self.crash
        if crash is None or self.crashed or (where, number, applied) != crash[:3]:
            return
        self.crashed = True
        if crash.dies:
            raise Died
        if where == "file":
            raise Transient("the lake did not answer", Code.LAKE_UNAVAILABLE)
        raise OperationalError("connection reset")
