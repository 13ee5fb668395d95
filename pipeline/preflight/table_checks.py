"""Checks of tables: each privilege that runs use, with statements that change nothing, and each column."""

from collections.abc import Callable, Sequence
from functools import partial

from pipeline.columns import TABLES, dtypes, history, landing
from pipeline.errors import Code, ConfigurationError, LockTimeout, PipelineError
from pipeline.preflight.lacking import HIDDEN, full_name, lacks
from pipeline.warehouse.session import Session
from pipeline.warehouse.sql_files import identifier

LOCK, LEDGER, VERSIONS, PIPE_VERSIONS = "writer_lock", "loads", "schema_versions", "snowpipe_versions"
COLUMNS = {name(table): list(dtypes(table)) for table in TABLES for name in (history, landing)}


def privileges(*, pipes: bool) -> dict[str, list[str]]:
    """Table → the privileges that runs use. `pipes`: also the tables of Snowpipe."""
    used = {VERSIONS: ["SELECT"], LOCK: ["SELECT", "UPDATE"], LEDGER: ["SELECT", "INSERT"]}
    used |= {history(table): ["SELECT", "INSERT", "DELETE"] for table in TABLES}
    if pipes:
        used |= {PIPE_VERSIONS: ["SELECT"]} | {landing(table): ["SELECT", "DELETE"] for table in TABLES}
    return used


def try_privileges(session: Session, table: str, used: Sequence[str]) -> str:
    """Raises ConfigurationError for the first privilege or column that is missing."""
    for privilege in used:
        try:
            _try(session, table, privilege)
        except LockTimeout:
            continue  # the privilege is granted; another run holds the lock
        except ConfigurationError as error:
            if error.code in HIDDEN:
                raise lacks(session, privilege, f"TABLE {full_name(session, table)}", error.code) from None
            raise
    if table in COLUMNS:
        _expect_columns(session, table, partial(_select_columns, session, table))
    if table == LEDGER:
        _expect_columns(session, table, partial(_insert_no_loads, session))
    return ", ".join(used)


def _try(session: Session, table: str, privilege: str) -> None:
    if privilege == "UPDATE":
        session.execute("preflight/update_nothing")
    else:
        session.execute(f"preflight/{privilege.lower()}_nothing", table=identifier(table))


def _select_columns(session: Session, table: str) -> None:
    columns = ", ".join(identifier(column) for column in COLUMNS[table])
    session.execute("preflight/select_columns", table=identifier(table), columns=columns)


def _insert_no_loads(session: Session) -> None:
    """The statement of a load, with the columns of the ledger, for a load of no partitions."""
    session.execute("load/insert_loads", (*[""] * 5, "[]", ""))


def _expect_columns(session: Session, table: str, use: Callable[[], None]) -> None:
    """Raises ConfigurationError if a statement with the columns of this release fails."""
    try:
        use()
    except PipelineError as error:
        message = (
            f"{full_name(session, table)} lacks a column of this release: {error.message}. "
            "Add the column with ALTER TABLE; sql/setup has its type"
        )
        raise ConfigurationError(message, Code.SNOWFLAKE_NOT_FOUND) from None


def count_lock_rows(session: Session) -> str:
    """Raises ConfigurationError if the lock row, which every load updates first, is missing."""
    ((count,),) = session.execute("preflight/count_lock_rows")
    if not count:
        message = (
            "the table writer_lock is empty, so every load is refused. "
            "Run INSERT INTO writer_lock (id) SELECT 1"
        )
        raise ConfigurationError(message, Code.SNOWFLAKE_LOCK_ROW)
    return "exists"
