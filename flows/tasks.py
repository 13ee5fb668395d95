"""Options that every task of the flows has: nothing is cached or persisted, and what may pass is retried."""

from typing import Any

from prefect import State
from prefect.cache_policies import NO_CACHE

from pipeline.errors import Transient


def is_transient(_task: object, _run: object, state: State[object]) -> bool:
    """Retry condition of the tasks: only errors that may pass by themselves."""
    error = state.result(raise_on_failure=False)
    return isinstance(error, Transient)


FRESH: dict[str, Any] = {"persist_result": False, "cache_policy": NO_CACHE}
"""A retried flow run executes its tasks again, whatever the user's Prefect settings say about results."""
RETRIES: dict[str, Any] = {
    **FRESH,
    "retries": 3,
    "retry_delay_seconds": [2, 10, 30],
    "retry_jitter_factor": 0.5,
    "retry_condition_fn": is_transient,
}
"""Tasks that may be repeated: keys are new per run, a load is all or nothing."""
