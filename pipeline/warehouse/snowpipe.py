"""The Snowpipe load: wait for the pipes, then promote what landed in one transaction."""

import logging
from functools import partial

from msgspec import structs

from pipeline.columns import TABLES, dtypes, history, landing
from pipeline.errors import Code, ConfigurationError, PipelineError, SnowflakeObjectNotFound
from pipeline.lake.csv_files import Manifest
from pipeline.warehouse.loaded import Loaded
from pipeline.warehouse.pipes import Polling, naming_files, wait_for_pipes
from pipeline.warehouse.session import Session
from pipeline.warehouse.sql_files import identifier
from pipeline.warehouse.transaction import Load, Results, replace

log = logging.getLogger(__name__)

DROPPED = (
    "If a pipe or landing table was dropped, "
    "DELETE FROM snowpipe_versions lets the next Snowpipe run recreate them"
)


def load_snowpipe(session: Session, load: Load, manifest: Manifest, polling: Polling) -> Loaded:
    """Promotes the run's files from landing once its pipes have loaded all of them."""
    try:
        return _load(session, load, manifest, polling)
    except SnowflakeObjectNotFound as error:
        raise ConfigurationError(f"{error.message}. {DROPPED}", Code.PIPES_DROPPED) from error


def _load(session: Session, load: Load, manifest: Manifest, polling: Polling) -> Loaded:
    results: Results = {}
    if not session.execute("load/find_load", (load.run_id,)):
        results = wait_for_pipes(session, load.run_id, manifest, polling)

    with naming_files(session, load.run_id, manifest):  # one may land once more during the wait for the lock
        loaded = replace(session, load, manifest, partial(_promote, results))
    clear_landing(session, "load/delete_landed", load.run_id)
    return structs.replace(loaded, statements=list(session.statements))


def clear_landing(session: Session, name: str, run_id: str) -> None:
    """Deletes from all landing tables; rows there are in nobody's way, so a failure is a warning."""
    try:
        for table in TABLES:
            session.execute(name, (run_id,), table=identifier(landing(table)))
        session.commit()
    except PipelineError as error:
        log.warning("landing was not cleared, a later run will do it: %s", error)


def _promote(results: Results, session: Session, run_id: str, _manifest: Manifest) -> Results:
    for table in TABLES:
        session.execute(
            "load/promote_table",
            (run_id,),
            table=identifier(history(table)),
            columns=", ".join(identifier(column) for column in dtypes(table)),
            landing=identifier(landing(table)),
        )
        log.info("promoted %s: %s rows", table, session.rowcount)
    return results
