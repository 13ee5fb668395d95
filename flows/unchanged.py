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
    """Everything is read anew."""
    return False


def published_check(run: Run, lake: Lake, warehouse: str) -> IsPublished:
    """Asks the warehouse once, and not before Spotify has answered for the first playlist."""
    lock = Lock()

    @cache
    def published() -> set[tuple[str, str]]:
        try:
            # Whatever is published for a date has a row in `playlists`, hence a file. Where there is none, as
            # on the first run of a day, Snowflake is neither imported nor woken before something is to load.
            if not any(lake.keys(table_prefix("playlists", run.snapshot_date))):
                return set()
            from pipeline.warehouse.ledger import find_published  # noqa: PLC0415 - imports Snowflake

            with open_session(warehouse, run.run_id) as session:
                return find_published(session, lake, run.snapshot_date, run.started_at.date())
        except PipelineError as error:
            # What Spotify shows today is lost if it is not kept: the load will say the same, later.
            log.warning("cannot tell what is published already, so all is kept: %s", error)
            return set()

    def is_published(playlist_id: str, snapshot_id: str) -> bool:
        with lock:
            return (playlist_id, snapshot_id) in published()

    return is_published
