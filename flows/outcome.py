"""Outcome of a load that was interrupted: read from the ledger, reported in the run's message."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from flows.connections import open_session
from flows.deadline import OutOfTime
from pipeline.errors import PipelineError, StopRun, Transient

log = logging.getLogger(__name__)

LEDGER_TIMEOUT_S = 30.0
"""Time limit of each request to Snowflake."""
COMMITTED = "Its data is loaded: the COMMIT succeeded"
LOADED = f"{COMMITTED}, only the receipt is missing"
MAYBE_RECORDED = f"{COMMITTED}, only the receipt may be missing"
NOT_LOADED = "Nothing was loaded"


@contextmanager
def outcome_reported(warehouse: str, run_id: str) -> Iterator[None]:
    """Adds the outcome of the load to OutOfTime, and to a Transient error after the last retry.

    Either may interrupt a COMMIT that succeeds in Snowflake.
    """
    try:
        yield
    except OutOfTime as error:
        error.outcome = _outcome(warehouse, run_id)
        raise
    except Transient as error:
        raise StopRun(f"{error.message}. {_outcome(warehouse, run_id)}", error.code) from error


def _outcome(warehouse: str, run_id: str) -> str:
    from pipeline.warehouse.ledger import is_loaded  # noqa: PLC0415 - imports Snowflake

    try:
        with open_session(warehouse, run_id, autocommit=False).limited(LEDGER_TIMEOUT_S) as session:
            return LOADED if is_loaded(session) else NOT_LOADED
    except (PipelineError, OutOfTime) as error:
        log.debug("The ledger could not be read:", exc_info=error)
        return f"It is not known whether it was loaded. Check: SELECT * FROM loads WHERE run_id = '{run_id}'"
