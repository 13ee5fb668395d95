"""Changes in the run's playlists: found after the load, sent as Prefect events. Errors here only warn."""

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING

from prefect import get_run_logger
from prefect.events import emit_event

from flows.prefect_errors import cause
from pipeline.insights.changes_text import in_lines, shown_name, with_changes
from pipeline.records import Loaded, PlaylistChanges

if TYPE_CHECKING:
    from pipeline.warehouse.session import Session

log = logging.getLogger(__name__)

CHANGED = "spotify-playlist.changed"
"""Name of the event that a changed playlist emits. Prefect automations can react to it."""
QUERY_TIMEOUT_S = 60.0


def describe_changes(session: "Session", loaded: Loaded) -> Sequence[PlaylistChanges]:
    """Compares the loaded snapshots with the previous ones. Only warns on errors: the load is committed."""
    from pipeline.insights.changes import find_changes  # noqa: PLC0415 - imports Snowflake

    try:
        return find_changes(session.limited(QUERY_TIMEOUT_S), loaded.partitions)
    except Exception as error:  # noqa: BLE001 - the load is committed, whatever the error is
        get_run_logger().warning("the run's changes could not be found: %s", cause(error, QUERY_TIMEOUT_S))
        return ()


def emit_changes(run_id: str, found: Sequence[PlaylistChanges]) -> None:
    """Queues one event per changed playlist. Prefect's client sends them in the background.

    Only warns if an event cannot be queued. Delivery is not confirmed.
    """
    for changes in with_changes(found):
        try:
            emit_event(CHANGED, resource=_resource(changes), payload=_payload(changes, run_id))
        except Exception as error:  # noqa: BLE001 - the data is loaded, whatever the error is
            why = type(error).__name__
            log.warning("playlist %s: the event of its change was not queued: %s", changes.playlist_id, why)


def _resource(changes: PlaylistChanges) -> dict[str, str]:
    return {
        "prefect.resource.id": f"spotify-playlist.{changes.playlist_id}",
        "prefect.resource.name": shown_name(changes),
    }


def _payload(changes: PlaylistChanges, run_id: str) -> dict[str, object]:
    return {
        "run_id": run_id,
        "text": in_lines(changes),
        "snapshot_date": str(changes.snapshot_date),
        "previous_date": str(changes.previous_date),
        "entered": len(changes.entered),
        "left": len(changes.left),
        "moved": len(changes.moved),
        "rejected": sum(changes.rejected.values()),
    }
