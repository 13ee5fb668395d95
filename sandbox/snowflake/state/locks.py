"""Lock waits: DuckDB refuses a second writer immediately, while in Snowflake it waits."""

import re
import time
from collections.abc import Callable

from fakesnow.expr import normalise_ident

from sandbox.snowflake import errors
from sandbox.snowflake.state.session import Session

RETRY_INTERVAL_S = 0.05
"""Interval between attempts; a statement also retries when a transaction ends."""
NAME = r"\s*(?P<name>[\w.\"$]+)"
# Both patterns match statements that change a table. DuckDB reports conflicts of WRITES only.
WRITES = re.compile(
    r"(?:UPDATE|DELETE\s+FROM|INSERT\s+(?:OVERWRITE\s+)?INTO|MERGE\s+INTO|COPY\s+INTO)" + NAME,
    re.IGNORECASE,
)
EXCLUSIVE = re.compile(
    r"(?:(?:ALTER\s+TABLE|DROP\s+TABLE|TRUNCATE(?:\s+TABLE)?)\s+(?:IF\s+EXISTS\s+)?"
    r"|CREATE\s+OR\s+REPLACE\s+TABLE\s)" + NAME,
    re.IGNORECASE,
)


def written_table(session: Session, command: str) -> str | None:
    """Returns the qualified name of the table that the statement changes."""
    match = WRITES.match(command) or EXCLUSIVE.match(command)
    if match is None:
        return None
    parts = [normalise_ident(part) for part in match["name"].split(".")]
    missing = [str(session.database), str(session.schema)][: 3 - len(parts)]
    return ".".join([*missing, *parts])


def run_waiting(session: Session, command: str, run: Callable[[], object]) -> None:
    """Runs the statement; waits up to LOCK_TIMEOUT for other writers of its table.

    A waiting statement restarts its transaction, to see what was committed in the meantime. This is possible
    only before the transaction's first write; after it, a conflict is an error.
    """
    table = written_table(session, command)
    deadline = time.monotonic() + min(session.lock_timeout, session.account.max_lock_wait)
    exclusive = EXCLUSIVE.match(command)
    while (exclusive and holders(session, table)) or not _attempt(session, run):
        if not session.written:
            session.restart()
        abort_idle_holder(session, table)
        if session.closing or time.monotonic() >= deadline:
            raise lock_timeout(table)
        with session.account.lock_released:
            session.account.lock_released.wait(RETRY_INTERVAL_S)
    if table and session.in_transaction:
        session.written.add(table)


def _attempt(session: Session, run: Callable[[], object]) -> bool:
    try:
        run()
    except Exception as error:
        if not errors.is_lock_conflict(error):
            raise
        if session.written:
            raise errors.not_emulated(
                "waiting for a lock after the transaction's first write: ROLLBACK, then take the lock first"
            ) from error
        return False
    return True


def holders(waiting: Session, table: str | None) -> list[Session]:
    """Returns the other sessions with an open transaction that has changed the table."""
    return [other for other in waiting.sessions.others(waiting) if table in other.written]


def abort_idle_holder(waiting: Session, table: str | None) -> None:
    """Aborts transactions that have changed `table` and been idle for longer than `account.idle_abort`."""
    now = time.monotonic()
    for holder in holders(waiting, table):
        idle = now - holder.idle_since > waiting.account.idle_abort
        if idle and holder.lock.acquire(blocking=False):
            try:
                holder.abort()
            finally:
                holder.lock.release()


def lock_timeout(table: str | None) -> Exception:
    """Returns Snowflake's error for a lock timeout."""
    message = f"Another transaction has locked table '{table}' and this lock has not yet been released."
    return errors.failure(625, "57014", message)
