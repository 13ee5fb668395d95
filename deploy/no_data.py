"""Automation `no data`: no run of the daily deployment has completed for more than a day.

Prefect opens a window at an event of `after`, restarts it at each event that is in `after` and `expect`, and
fires once when it ends: there is no window then until the next event of `after`. Therefore:

- The runs that complete are in both. A failed run is in neither, or each would announce another day.
- If no run has completed yet, nothing would open the first window: `begin_watching` sends an event that does.
- `for_each` names a label that is the same in all of them. Without `for_each` Prefect opens a window by itself
  whenever there is none, and would fire again every 26 hours.
"""

from datetime import timedelta

from prefect.client.orchestration import get_client
from prefect.events.schemas.automations import EventTrigger, Posture
from prefect.events.schemas.events import Event

DAILY = "daily"
"""The deployment of prefect.yaml whose runs are expected. Runs of the others do not count."""
NO_DATA = timedelta(hours=26)
"""A day, and the time in which a run that started late still completes."""
TEXT = (
    "No run of the deployment `daily` has completed since {{ event.occurred.strftime('%Y-%m-%d %H:%M') }} UTC. "
    "Spotify has no history API: a day that is not read today or tomorrow is lost.\n"
    "See the runs of the deployment: did they fail, were they not started, is the schedule paused?"
)

COMPLETED = "prefect.flow-run.Completed"
ROLE_AND_NAME = {"prefect.resource.role": "deployment", "prefect.resource.name": DAILY}


def no_data_trigger(tag: str, tagged: dict[str, str]) -> EventTrigger:
    """Fires once when no daily run with the tag has completed for NO_DATA."""
    return EventTrigger(
        posture=Posture.Proactive,
        within=NO_DATA,
        after={COMPLETED, _watched(tag)},
        expect={COMPLETED},
        match={"prefect.resource.id": ["prefect.flow-run.*", _resource(tag)]},
        match_related=[tagged, ROLE_AND_NAME],
        for_each={"related:deployment:prefect.resource.name"},
        threshold=1,
    )


def begin_watching(tag: str, tagged: dict[str, str]) -> None:
    """Opens the first window, unless one is open; send it once the automation exists."""
    event = Event(
        event=_watched(tag),
        resource={"prefect.resource.id": _resource(tag)},
        related=[tagged, {"prefect.resource.id": f"{tag}.{DAILY}", **ROLE_AND_NAME}],
    )
    with get_client(sync_client=True) as client:
        # Not in Prefect's list of routes, but in its API; the client of events would not report errors.
        sent = client.request("POST", "/events", json=[event.model_dump(mode="json")])  # type: ignore[arg-type]
        sent.raise_for_status()


def _resource(tag: str) -> str:
    return f"{tag}.watch"


def _watched(tag: str) -> str:
    return f"{tag}.watched"
