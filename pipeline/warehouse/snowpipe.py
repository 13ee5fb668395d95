"""Snowpipe load: waits until pipes have loaded the run's files, then promotes them in one transaction."""

import logging

from msgspec.structs import replace

from pipeline.columns import TABLES, dtypes, history, landing
from pipeline.errors import Code, ConfigurationError, PipelineError, SnowflakeObjectNotFound
from pipeline.records import Loaded
from pipeline.warehouse.landing import Landing, Polling
from pipeline.warehouse.ledger import find_load
from pipeline.warehouse.row_counts import LoadResults
from pipeline.warehouse.session import Session
from pipeline.warehouse.sql_files import identifier
from pipeline.warehouse.transaction import Load

log = logging.getLogger(__name__)

DROPPED = (
    "If a pipe or landing table was dropped, "
    "DELETE FROM snowpipe_versions lets the next Snowpipe run recreate them"
)


def load_snowpipe(load: Load, polling: Polling) -> Loaded:
    """Promotes the run's rows from landing after the pipes have loaded all files."""
    try:
        return _load(load, polling)
    except SnowflakeObjectNotFound as error:
        raise ConfigurationError(f"{error.message}. {DROPPED}", Code.PIPES_DROPPED) from error


def _load(load: Load, polling: Polling) -> Loaded:
    session, run_id = load.session, load.run.run_id
    files = Landing(session, run_id, load.manifest.files)
    results = {} if find_load(session, run_id) else files.wait(polling)

    def promote() -> LoadResults:
        _promote(session, run_id)
        return results

    with files.naming_files():  # a file may land a second time during the wait for the lock
        loaded = load.replace(promote)
    clear_landing(session, "load/delete_landed", run_id)
    return replace(loaded, statements=list(session.statements))


def clear_landing(session: Session, name: str, run_id: str) -> None:
    """Deletes rows from all landing tables. Remaining rows do no harm, so a failure is only a warning."""
    try:
        for table in TABLES:
            session.execute(name, (run_id,), table=identifier(landing(table)))
        session.commit()
    except PipelineError as error:
        log.warning("landing tables were not cleared; a later run will clear them: %s", error)


def _promote(session: Session, run_id: str) -> None:
    for table in TABLES:
        session.execute(
            "load/promote_table",
            (run_id,),
            table=identifier(history(table)),
            columns=", ".join(identifier(column) for column in dtypes(table)),
            landing=identifier(landing(table)),
        )
        log.info("promoted %s: %s rows", table, session.rowcount)
