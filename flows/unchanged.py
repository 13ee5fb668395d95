"""Which snapshots are already published for a date; queried once per run."""

import logging
from functools import cache
from threading import Lock

from flows.connections import open_session
from pipeline.errors import PipelineError
from pipeline.keep import IsPublished
from pipeline.lake.layout import table_prefix
from pipeline.lake.store import Lake
from pipeline.records import Run

log = logging.getLogger(__name__)


def never_published(_playlist: str, _snapshot: str) -> bool:
    """Reads all playlists, for a run without `skip_unchanged`."""
    return False


def published_check(run: Run, lake: Lake, warehouse: str) -> IsPublished:
    """A check that queries the warehouse once, when it is first called."""
    lock = Lock()

    @cache
    def published() -> set[tuple[str, str]]:
        try:
            # Every published snapshot has a row in `playlists`, hence a file. Without such a file, as in the
            # first run of a day, Snowflake is not imported and no warehouse is resumed before the load.
            if not any(lake.keys(table_prefix("playlists", run.snapshot_date))):
                return set()
            from pipeline.warehouse.ledger import find_published  # noqa: PLC0415 - imports Snowflake

            with open_session(warehouse, run.run_id) as session:
                return find_published(session, lake, run.snapshot_date, run.started_at.date())
        except PipelineError as error:
            # Today's snapshots would be lost if they were not kept. If the error persists, the load fails.
            log.warning("cannot find the published snapshots, so all playlists are read: %s", error)
            return set()

    def is_published(playlist_id: str, snapshot_id: str) -> bool:
        with lock:
            return (playlist_id, snapshot_id) in published()

    return is_published
