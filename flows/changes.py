"""What changed in the run's playlists: compared after the load, sent as events. Nothing here fails a run."""

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING

from prefect import get_run_logger
from prefect.events import emit_event

from pipeline.errors import PipelineError
from pipeline.insights.changes_text import in_lines, with_changes
from pipeline.records import PlaylistChanges, Run

if TYPE_CHECKING:
    from pipeline.warehouse.session import Session

log = logging.getLogger(__name__)

CHANGED = "spotify-playlist.changed"
"""The event of a playlist that changed; automations can act on it."""
QUERY_TIMEOUT_S = 60.0


def describe_changes(session: "Session", run: Run) -> Sequence[PlaylistChanges]:
    """Compares the run's snapshots with those before; only warns on errors, because the load is committed."""
    from pipeline.insights.changes import find_changes  # noqa: PLC0415 - imports Snowflake

    try:
        return find_changes(session.limited(QUERY_TIMEOUT_S), run)
    except Exception as error:  # noqa: BLE001 - whatever it is, the load is committed
        why = error.message if isinstance(error, PipelineError) else type(error).__name__
        get_run_logger().warning("the run's changes are not described: %s", why)
        return ()


def emit_changes(found: Sequence[PlaylistChanges]) -> None:
    """Emits one event for each playlist that changed; only warns if Prefect does not accept it."""
    try:
        for changes in with_changes(found):
            emit_event(CHANGED, resource=_resource(changes), payload=_payload(changes))
    except Exception as error:  # noqa: BLE001 - whatever it is, the data is loaded
        log.warning("Prefect accepted no events about the changed playlists: %s", type(error).__name__)


def _resource(changes: PlaylistChanges) -> dict[str, str]:
    return {
        "prefect.resource.id": f"spotify-playlist.{changes.playlist_id}",
        "prefect.resource.name": changes.name,
    }


def _payload(changes: PlaylistChanges) -> dict[str, object]:
    return {
        "text": in_lines(changes),
        "snapshot_date": str(changes.snapshot_date),
        "previous_date": str(changes.previous_date),
        "entered": len(changes.entered),
        "left": len(changes.left),
        "moved": len(changes.moved),
        "rejected": dict(changes.rejected),
    }
