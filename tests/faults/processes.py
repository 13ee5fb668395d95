"""Flow runs in processes of their own, which can be killed."""

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

END_S = 120
"""How long any run may take."""


class End(NamedTuple):
    """How a run ended: the process's exit code, and what the flow returned, if it came to that."""

    exit_code: int | None
    state: str | None
    message: str | None
    log: str


class FlowProcess:
    """A running flow."""

    def __init__(self, parameters: dict[str, Any], log: Path, timeout_s: float | None = None) -> None:
        self._log = log
        context = multiprocessing.get_context("forkserver")
        self._process = context.Process(target=_ingest, args=(parameters, log, timeout_s))
        self._process.start()

    def send(self, number: signal.Signals) -> None:
        """Sends a signal to the process; it has not ended."""
        os.kill(self._process.pid or 0, number)

    def stop(self) -> None:
        """Ends the process for good, where it has not ended."""
        if self._process.is_alive():
            self._process.kill()
        self._process.join()

    def end(self, within_s: float = END_S) -> End:
        """Waits for the end of the process, which comes in time."""
        self._process.join(within_s)
        log = self._log.read_text(encoding="utf-8")
        if self._process.exitcode is None:
            self.stop()
            raise TimeoutError(f"the run did not end within {within_s} s: {log}")
        result = self._log.with_suffix(".json")
        state, message = json.loads(result.read_text(encoding="utf-8")) if result.exists() else (None, None)
        return End(self._process.exitcode, state, message, log)


def _ingest(parameters: dict[str, Any], log: Path, timeout_s: float | None) -> None:
    from tests.faults.child import ingest  # noqa: PLC0415 - only for such processes: it changes time.sleep

    ingest(parameters, log, timeout_s)


@contextmanager
def flow_processes(environment: dict[str, str]) -> Iterator[None]:
    """A process from which flow runs are forked; it has imported what they need."""
    settings = {
        "PREFECT_LOGGING_TO_API_ENABLED": "false",
        "PREFECT_CLIENT_MAX_RETRIES": "100",  # short ones: a Prefect server on SQLite is easily too busy
        "PYTHONPATH": str(ROOT),
    }
    multiprocessing.set_forkserver_preload(["pytest", "tests.faults.child"])
    with patch.dict(os.environ, environment | settings):
        forkserver.ensure_running()
    try:
        yield
    finally:
        forkserver._forkserver._stop()  # type: ignore[attr-defined]  # noqa: SLF001 - else it lives as long as pytest
