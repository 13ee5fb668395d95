"""Writer lock: a one-row table that every load and every change of the schema updates first."""

import logging
import time

from pipeline.errors import Code, ConfigurationError, LockTimeout, StopRun, Transient
from pipeline.warehouse.session import LOCK_TIMEOUT_S, Session

log = logging.getLogger(__name__)

LOCK_ATTEMPTS = 12 * 60 // LOCK_TIMEOUT_S
"""Twelve minutes in total: the session of a killed run may hold the lock for ten minutes."""


def take_lock(session: Session) -> None:
    """Opens a transaction that holds the lock until it ends.

    Raises StopRun if another writer holds the lock for twelve minutes.
    """
    for attempt in range(1, LOCK_ATTEMPTS + 1):
        started = time.monotonic()
        session.begin()
        try:
            session.execute("load/lock_writer", (session.run_id,))
        except LockTimeout:
            session.rollback()
            # Snowflake allows 20 waiting transactions and rejects any further one immediately.
            time.sleep(max(0.0, LOCK_TIMEOUT_S - (time.monotonic() - started)))
            log.info("another run holds the writer lock; waited %s s for it", attempt * LOCK_TIMEOUT_S)
        else:
            return _refuse_no_row(session)
    message = (
        f"another run held the writer lock for {LOCK_ATTEMPTS * LOCK_TIMEOUT_S} s; nothing was loaded. "
        "SHOW LOCKS IN ACCOUNT lists the transaction; the query tag of its session contains the run id"
    )
    raise StopRun(message, Code.SNOWFLAKE_LOCKED)


def hold_lock(session: Session) -> None:
    """Raises Transient if Snowflake has ended the transaction with the lock because it was idle."""
    session.execute("load/hold_lock", (session.run_id,))
    if not session.rowcount:
        raise Transient(
            "the writer lock was lost during set-up, which can be repeated at any point. Run again",
            Code.SNOWFLAKE_LOCK_LOST,
        )


def _refuse_no_row(session: Session) -> None:
    if not session.rowcount:
        session.rollback()
        message = (
            "The table writer_lock is empty, so concurrent loads would not be serialised. "
            "Nothing was loaded. Run INSERT INTO writer_lock (id) SELECT 1, then run again"
        )
        raise ConfigurationError(message, Code.SNOWFLAKE_LOCK_ROW)
