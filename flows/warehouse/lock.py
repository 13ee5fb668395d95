"""The one lock of all writers: a row that whoever changes rows or the schema has updated."""

import logging
import time

from flows.errors import ConfigurationError, StopRun
from flows.warehouse.session import LOCK_TIMEOUT_S, LockTimeout, Session

log = logging.getLogger(__name__)

LOCK_ATTEMPTS = 10 * 60 // LOCK_TIMEOUT_S
"""Ten minutes of waiting for other writers."""


def take_lock(session: Session, run_id: str) -> None:
    """Opens a transaction that holds the lock until its end.

    Raises StopRun where another writer keeps it for ten minutes: to wait still longer is up to people.
    """
    for attempt in range(1, LOCK_ATTEMPTS + 1):
        began = time.monotonic()
        session.begin()
        try:
            hold_lock(session, run_id)
        except LockTimeout:
            session.rollback()
            # Snowflake refuses the 21st waiter at once.
            time.sleep(max(0.0, LOCK_TIMEOUT_S - (time.monotonic() - began)))
            log.info("another run is loading; waited %s s for it", attempt * LOCK_TIMEOUT_S)
        else:
            return
    message = (
        f"another run held the writer lock for {LOCK_ATTEMPTS * LOCK_TIMEOUT_S} s; nothing was loaded. "
        "See `SELECT * FROM writer_lock` and SHOW LOCKS for who it is"
    )
    raise StopRun(message)


def hold_lock(session: Session, run_id: str) -> None:
    """Takes the lock in the open transaction; later on, raises where the server has ended that."""
    session.execute("load/lock_writer", (run_id,))
    if not session.rowcount:
        session.rollback()
        message = (
            "the row of writer_lock is gone, so nobody would wait for anybody; nothing was loaded. "
            "What to do: INSERT INTO writer_lock (id) SELECT 1"
        )
        raise ConfigurationError(message)
