"""Flow runs in separate processes, which can be killed."""

import json
import multiprocessing
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import forkserver
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import patch

from sandbox.processes import ROOT

MAX_RUN_S = 120
"""Longest duration of a run."""


class End(NamedTuple):
    """End of a run: exit code of the process, and state and message of the flow if it returned."""

    exit_code: int | None
    state: str | None
    message: str | None
    log: str


class FlowProcess:
    """A flow run in its own process."""

    def __init__(self, parameters: dict[str, Any], log: Path, timeout_s: float | None = None) -> None:
        self._log = log
        context = multiprocessing.get_context("forkserver")
        self._process = context.Process(target=_ingest, args=(parameters, log, timeout_s))
        self._process.start()

    def send(self, number: signal.Signals) -> None:
        """Sends a signal to the running process."""
        os.kill(self._process.pid or 0, number)

    def stop(self) -> None:
        """Kills the process if it is still running."""
        if self._process.is_alive():
            self._process.kill()
        self._process.join()

    def end(self, within_s: float = MAX_RUN_S) -> End:
        """Waits for the end of the process; raises TimeoutError if it takes longer."""
        self._process.join(within_s)
        log = self._log.read_text(encoding="utf-8")
        if self._process.exitcode is None:
            self.stop()
            raise TimeoutError(f"the run did not end within {within_s} s: {log}")
        result = self._log.with_suffix(".json")
        state, message = json.loads(result.read_text(encoding="utf-8")) if result.exists() else (None, None)
        return End(self._process.exitcode, state, message, log)


def _ingest(parameters: dict[str, Any], log: Path, timeout_s: float | None) -> None:
    from tests.faults.child import ingest  # noqa: PLC0415 - only in child processes: it replaces time.sleep

    ingest(parameters, log, timeout_s)


@contextmanager
def flow_processes(environment: dict[str, str]) -> Iterator[None]:
    """Starts the process from which flow runs are forked, with their modules imported."""
    settings = {
        "PREFECT_LOGGING_TO_API_ENABLED": "false",
        "PREFECT_CLIENT_MAX_RETRIES": "100",  # with short waits: SQLite is easily overloaded
        "PYTHONPATH": str(ROOT),
    }
    multiprocessing.set_forkserver_preload(["pytest", "tests.faults.child"])
    with patch.dict(os.environ, environment | settings):
        forkserver.ensure_running()
    try:
        yield
    finally:
        forkserver._forkserver._stop()  # type: ignore[attr-defined]  # noqa: SLF001 - otherwise it runs until pytest ends
