"""The one lock of all writers: a row that whoever changes rows or the schema has updated."""

import logging
import time

from pipeline.errors import Code, ConfigurationError, LockTimeout, StopRun, Transient
from pipeline.warehouse.session import LOCK_TIMEOUT_S, Session

log = logging.getLogger(__name__)

LOCK_ATTEMPTS = 12 * 60 // LOCK_TIMEOUT_S
"""Twelve minutes of waiting for other writers: a run that was killed may hold the lock for ten."""


def take_lock(session: Session) -> None:
    """Opens a transaction that holds the lock until its end.

    Raises StopRun where another writer keeps it for twelve minutes: to wait still longer is up to people.
    """
    for attempt in range(1, LOCK_ATTEMPTS + 1):
        began = time.monotonic()
        session.begin()
        try:
            session.execute("load/lock_writer", (session.run_id,))
        except LockTimeout:
            session.rollback()
            # Snowflake refuses the 21st waiter at once.
            time.sleep(max(0.0, LOCK_TIMEOUT_S - (time.monotonic() - began)))
            log.info("another run holds the writer lock; waited %s s for it", attempt * LOCK_TIMEOUT_S)
        else:
            return _refuse_no_row(session)
    message = (
        f"another run held the writer lock for {LOCK_ATTEMPTS * LOCK_TIMEOUT_S} s; nothing was loaded. "
        "SHOW LOCKS IN ACCOUNT says which transaction it is, the query tag of its session names the run"
    )
    raise StopRun(message, Code.SNOWFLAKE_LOCKED)


def hold_lock(session: Session) -> None:
    """Raises Transient where the server has ended the transaction that took the lock, for it was idle."""
    session.execute("load/hold_lock", (session.run_id,))
    if not session.rowcount:
        raise Transient(
            "the writer lock was lost while setting up; what is done is done again. Run again",
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
