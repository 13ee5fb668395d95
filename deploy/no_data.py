"""Automation `no data`: no run of the daily deployment has completed for more than a day.

Prefect opens a window at an event of `after`, restarts it at each event that is in `after` and `expect`, and
fires once when it ends: there is no window then until the next event of `after`. Therefore:

- The runs that complete are in both. A failed run is in neither, or each would announce another day.
- If no run has completed yet, nothing would open the first window: `begin_watching` sends an event that does.
- `for_each` names a label that is the same in all of them. Without it Prefect opens a window by itself if
  there is none: it would fire again and again, and without an event to name in the text.
"""

from datetime import timedelta
from typing import Any
from uuid import UUID

from prefect.automations import AutomationCore, SendNotification
from prefect.client.orchestration import get_client
from prefect.events.schemas.automations import EventTrigger, Posture
from prefect.events.schemas.events import Event

NAME = "no data"
DAILY = "daily"
"""The deployment of prefect.yaml whose runs are expected. Runs of the others do not count."""
NO_DATA = timedelta(hours=26)
"""A day, and the time in which a run that started late still completes."""
TEXT = (
    "No run of the deployment `daily` has completed since {{ event.occurred.strftime('%Y-%m-%d %H:%M') }} "
    "UTC. Spotify has no history API: a day on which nothing is read stays empty.\n"
    "See the runs of the deployment: did they fail, were they not started, is the schedule paused?"
)

COMPLETED = "prefect.flow-run.Completed"
ROLE_AND_NAME: dict[str, Any] = {"prefect.resource.role": "deployment", "prefect.resource.name": DAILY}


def no_data(tag: str, tagged: dict[str, Any], notification: UUID) -> AutomationCore:
    """Sends one notification when no daily run with the tag has completed for NO_DATA."""
    trigger = EventTrigger(
        posture=Posture.Proactive,
        within=NO_DATA,
        after={COMPLETED, _watched(tag)},
        expect={COMPLETED},
        match={"prefect.resource.id": ["prefect.flow-run.*", _resource(tag)]},
        match_related=[tagged, ROLE_AND_NAME],
        for_each={"related:deployment:prefect.resource.name"},
        threshold=1,
    )
    hours = NO_DATA.total_seconds() / 3600
    return AutomationCore(
        name=f"{tag}: {NAME}",
        description=f"notifies once if no daily run has completed for {hours:g} hours",
        trigger=trigger,
        actions=[SendNotification(block_document_id=notification, subject="no data today", body=TEXT)],
    )


def begin_watching(tag: str, tagged: dict[str, Any]) -> None:
    """Opens a window; to be called once the automation is written, which ends the one that was open."""
    event = Event.model_validate(
        {
            "event": _watched(tag),
            "resource": {"prefect.resource.id": _resource(tag)},
            "related": [tagged, {"prefect.resource.id": f"{tag}.{DAILY}", **ROLE_AND_NAME}],
        }
    )
    with get_client(sync_client=True) as client:  # Prefect's client of events would not report errors
        client.request("POST", "/events", json=[event.model_dump(mode="json")]).raise_for_status()


def _resource(tag: str) -> str:
    return f"{tag}.watch"


def _watched(tag: str) -> str:
    return f"{tag}.watched"
