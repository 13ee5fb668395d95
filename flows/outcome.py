"""What became of a load whose end the run did not see: the ledger decides what the run says of it."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from flows.connections import open_session
from flows.deadline import OutOfTime
from pipeline.errors import PipelineError, StopRun, Transient

log = logging.getLogger(__name__)

SETTLE_S = 30.0
"""How long each request may take that looks a load up."""
COMMITTED = "Its data is loaded: the COMMIT succeeded"
LOADED = f"{COMMITTED}, only the receipt is missing"
MAYBE_RECORDED = f"{COMMITTED}, only the receipt may be missing"
NOT_LOADED = "Nothing was loaded"


@contextmanager
def settled(warehouse: str, run_id: str) -> Iterator[None]:
    """Adds the outcome to OutOfTime, and to a Transient error that has used up its retries.

    Either may have cut off a COMMIT that succeeds.
    """
    try:
        yield
    except OutOfTime as cut:
        cut.outcome = _outcome(warehouse, run_id)
        raise
    except Transient as error:
        raise StopRun(f"{error.message}. {_outcome(warehouse, run_id)}", error.code) from error


def _outcome(warehouse: str, run_id: str) -> str:
    from pipeline.warehouse.ledger import is_loaded  # noqa: PLC0415 - imports Snowflake

    try:
        with open_session(warehouse, run_id, autocommit=False).limited(SETTLE_S) as session:
            return LOADED if is_loaded(session) else NOT_LOADED
    except (PipelineError, OutOfTime) as error:
        log.debug("The ledger could not be read:", exc_info=error)
        return f"Whether it was loaded is not known: SELECT * FROM loads WHERE run_id = '{run_id}' shows it"
