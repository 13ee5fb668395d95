"""Automation `no data`: no run of the daily deployment has completed for more than a day.

Prefect opens a window at an event of `after`, restarts it at each event that is in both `after` and `expect`,
and fires once when the window ends. The next event of `after` opens the next window. Therefore:

- The completion of a run is in both. The failure of a run is in neither: each failure would open a window.
- Before the first completed run nothing would open a window, so `open_window` sends an event that does.
- `for_each` names a label whose value is the same in all these events. Without it Prefect opens a window
  whenever none is open: it would fire repeatedly, and without an event whose time the text can show.
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
"""Deployment of prefect.yaml. Completed runs of other deployments do not count."""
NO_DATA = timedelta(hours=26)
"""A day, and two hours for a run that starts late or takes long."""
TEXT = (
    "No run of the deployment `daily` has completed since {{ event.occurred.strftime('%Y-%m-%d %H:%M') }} "
    "UTC. Spotify has no history API: a day on which nothing is read stays empty.\n"
    "Check the runs of the deployment: did they fail, did they not start, is the schedule paused?"
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


def open_window(tag: str, tagged: dict[str, Any]) -> None:
    """Opens a window. Call it after writing the automation, because an update closes the open window."""
    event = Event.model_validate(
        {
            "event": _watched(tag),
            "resource": {"prefect.resource.id": _resource(tag)},
            "related": [tagged, {"prefect.resource.id": f"{tag}.{DAILY}", **ROLE_AND_NAME}],
        }
    )
    with get_client(sync_client=True) as client:  # unlike Prefect's events client, this reports errors
        client.request("POST", "/events", json=[event.model_dump(mode="json")]).raise_for_status()


def _resource(tag: str) -> str:
    return f"{tag}.watch"


def _watched(tag: str) -> str:
    return f"{tag}.watched"
