"""Prefect events about playlists that changed, for automations to act on. Nothing here fails a run."""

import logging
from collections.abc import Sequence

from prefect.events import emit_event

from pipeline.insights.changes_text import changed, in_lines
from pipeline.records import PlaylistChanges

log = logging.getLogger(__name__)

CHANGED = "spotify-playlist.changed"


def emit_changes(found: Sequence[PlaylistChanges]) -> None:
    """Emits one event for each playlist that changed; only warns if Prefect does not take it."""
    try:
        for changes in changed(found):
            emit_event(
                CHANGED,
                resource={
                    "prefect.resource.id": f"spotify-playlist.{changes.playlist_id}",
                    "prefect.resource.name": changes.name,
                },
                payload={
                    "text": in_lines(changes),
                    "snapshot_date": str(changes.snapshot_date),
                    "previous_date": str(changes.previous_date),
                    "entered": len(changes.entered),
                    "left": len(changes.left),
                    "moved": len(changes.moved),
                    "rejected": dict(changes.rejected),
                },
            )
    except Exception as error:  # noqa: BLE001 - whatever it is, the data is loaded
        log.warning("Prefect took no events about the changed playlists: %s", type(error).__name__)
