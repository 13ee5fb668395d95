"""The Snowpipe load: wait for the pipes, then promote what landed in one transaction."""

from flows.errors import PipelineError
from flows.lake.files import Manifest
from flows.transform.schema import TABLES, dtypes, history, landing
from flows.warehouse.load import Load, Results, log, replace
from flows.warehouse.loaded import Loaded
from flows.warehouse.pipes import Patience, wait_for_pipes
from flows.warehouse.session import Session
from flows.warehouse.sql import identifier


def load_snowpipe(session: Session, load: Load, manifest: Manifest, patience: Patience) -> Loaded:
    """Promotes the run's files from landing once its pipes have loaded all of them."""
    if not session.execute("load/find_load", (load.run_id,)):
        wait_for_pipes(session, load.run_id, manifest, patience)
    loaded = replace(session, load, manifest, _promote)
    _clear(session, load.run_id)
    return loaded


def _promote(session: Session, run_id: str, manifest: Manifest) -> Results:
    """Inserts what landed; what the pipes reported is the manifest, or the wait would not have ended."""
    for table in TABLES:
        session.execute(
            "load/promote_table",
            (run_id,),
            table=identifier(history(table)),
            columns=", ".join(identifier(column) for column in dtypes(table)),
            landing=identifier(landing(table)),
        )
        log.info("promoted %s: %s rows", table, session.rowcount)
    results: Results = {}
    for file in manifest.files:
        results.setdefault(file.snapshot_date, {})[file.table] = {"rows": file.rows, "bytes": file.bytes}
    return results


def _clear(session: Session, run_id: str) -> None:
    """Rows in landing are in nobody's way: what cannot be cleared now, set-up clears later."""
    try:
        for table in TABLES:
            session.execute("load/delete_landed", (run_id,), table=identifier(landing(table)))
    except PipelineError as error:
        log.warning("landing was not cleared, a later set-up will do it: %s", error)
