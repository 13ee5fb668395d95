"""Options of all tasks: results are neither cached nor persisted, transient errors are retried."""

from typing import Any

from prefect import State
from prefect.cache_policies import NO_CACHE

from pipeline.errors import Transient


def is_transient(_task: object, _run: object, state: State[object]) -> bool:
    """Retry condition of the tasks: only Transient errors."""
    error = state.result(raise_on_failure=False)
    return isinstance(error, Transient)


NO_RESULTS: dict[str, Any] = {"persist_result": False, "cache_policy": NO_CACHE}
"""Options of all tasks: a retried flow run executes its tasks again, regardless of Prefect's settings."""
RETRIES: dict[str, Any] = {
    **NO_RESULTS,
    "retries": 3,
    "retry_delay_seconds": [2, 10, 30],
    "retry_jitter_factor": 0.5,
    "retry_condition_fn": is_transient,
}
"""Options of tasks that are safe to repeat: keys are new per run, and a load is one transaction."""
