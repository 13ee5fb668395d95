"""`python -m deploy automations`: Prefect automations for runs that fail, crash, hang, wait or do not start.

They select our runs by the tag of the deployments in prefect.yaml. Idempotent.
"""

import sys
from collections.abc import Iterable
from datetime import timedelta
from typing import Annotated, Any
from uuid import UUID

from cyclopts import App, Parameter
from prefect.automations import AutomationCore, ChangeFlowRunState, EventTrigger, SendNotification
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import StateType
from prefect.events.actions import ActionTypes
from prefect.events.schemas.automations import Posture
from prefect.exceptions import ObjectNotFound

from blocks.prefect_api import PrefectFailed, connected
from blocks.validation import NotRegistered
from blocks.variables import read_environment
from deploy.no_data import NAME as NO_DATA_NAME
from deploy.no_data import no_data, open_window
from flows.changes import CHANGED
from flows.parameters import MAX_HOURS

TAG = "spotify-playlist-pipeline"
TAG_RESOURCE: dict[str, Any] = {"prefect.resource.id": f"prefect.tag.{TAG}", "prefect.resource.role": "tag"}
LATE_AFTER = timedelta(minutes=10)
LOST_AFTER = timedelta(minutes=15)
"""Five heartbeats: a run sends one every three minutes."""
STUCK_AFTER = timedelta(minutes=15)
"""Fargate starts a container within two minutes; if the image or a role is missing it never does."""
LONG_AFTER = timedelta(hours=MAX_HOURS, minutes=30)
"""A run ends itself after `max_hours`. An automation cannot see the run's value, so the default counts."""
WAITING_AFTER = timedelta(hours=2)

RUNNING = frozenset({"Running", "Retrying", "Rerunning"})
"""Prefect's state names of a run in progress: first attempt, or a later one."""
ENDED = frozenset({"Completed", "Failed", "Crashed", "Cancelled"})
STARTED = ENDED | RUNNING | {"Cancelling"}
NOT_LOST = ENDED | {"heartbeat", "AwaitingRetry", "Pending"}
"""Contains the event that starts the wait, `heartbeat`: each one restarts it."""
NOT_LONG = STARTED | {"AwaitingRetry", "Pending"}
"""Contains the events that start the wait, `RUNNING`: each new attempt restarts it."""
NOT_LATE = STARTED | {"Pending", "InfrastructurePending", "AwaitingConcurrencySlot"}
NOT_WAITING = STARTED | {"Pending", "InfrastructurePending"}
"""Without AwaitingConcurrencySlot: Prefect sets it again every 30 seconds, which would restart the wait."""

RUN_MESSAGE = "{{ flow_run.state.message }}"
RUN_AGAIN = "\nNothing is half loaded: start the run again."
LONG_TEXT = f"""A run ends itself after `max_hours` (default {MAX_HOURS:g}): this one may hang, read its log.
If nothing was logged for a long time, cancel it and start it again. If its `max_hours` is longer, wait."""
WAITING_TEXT = "Other runs of the deployment occupy its concurrency limit: check whether one of them hangs."
LATE_TEXT = "No worker picked up the run. Is the worker up? Is the work pool paused?"
LINK = "{% if flow_run|ui_url %}\n{{ flow_run|ui_url }}{% endif %}"
CRASHED: dict[str, Any] = {"state": StateType.CRASHED, "name": "Crashed", "force": False}

app = App(name="python -m deploy automations", version_flags=[])


class NoBlockError(LookupError):
    """No block has this name, or its type cannot send notifications."""


@app.default
def create(
    *,
    notify: Annotated[str, Parameter(help="Notification block, as type/name: slack-webhook/data-team.")],
    changes: Annotated[bool, Parameter(help="Also send the changes of each playlist.")] = False,
) -> int:
    """Creates the automations, or updates those that have the same names."""
    try:
        with connected(read_environment()):
            block = notification_block(notify)
            found = [*automations(block), *([playlist_changed(block)] if changes else [])]
            write_automations(found)
    except (NoBlockError, NotRegistered, PrefectFailed) as error:
        sys.stderr.write(f"nothing is created: {error}\n")
        return 1
    sys.stdout.write("".join(f"{one.name}: {one.description}\n" for one in found))
    return 0


def automations(notification: UUID) -> list[AutomationCore]:
    """The automations; `notification` is the id of the block that sends the messages."""

    def send(text: str) -> SendNotification:
        subject = "{{ flow_run.name }} of {{ deployment.name }}: {{ flow_run.state.name }}"
        return SendNotification(block_document_id=notification, subject=subject, body=f"{text}{LINK}")

    end_stuck = ChangeFlowRunState(
        **CRASHED, message="The container did not start: see the stopped reason of its ECS task"
    )
    end_lost = ChangeFlowRunState(**CRASHED, message="The run sends no heartbeats: see the container's log")
    failed, crashed = EventTrigger(**_when("Failed")), EventTrigger(**_when("Crashed"))
    late = _proactive(LATE_AFTER, "Late", unless=NOT_LATE)
    stuck = _proactive(STUCK_AFTER, "Pending", unless=STARTED)
    long = _proactive(LONG_AFTER, *RUNNING, unless=NOT_LONG)
    waiting = _proactive(WAITING_AFTER, "AwaitingConcurrencySlot", unless=NOT_WAITING)
    lost = _proactive(LOST_AFTER, "heartbeat", unless=NOT_LOST)
    notifies, crashes = "notifies of a run after", "sets a run to Crashed after"
    return [
        no_data(TAG, TAG_RESOURCE, notification),
        _automation("failed", "sends the message of a failed run", failed, send(RUN_MESSAGE)),
        _automation("crashed", "notifies of a crashed run", crashed, send(RUN_MESSAGE + RUN_AGAIN)),
        _automation("late", f"{notifies} {_text(LATE_AFTER)} in Late", late, send(LATE_TEXT)),
        _automation("stuck", f"{crashes} {_text(STUCK_AFTER)} in Pending", stuck, end_stuck),
        _automation("long", f"{notifies} {_text(LONG_AFTER)} in Running", long, send(LONG_TEXT)),
        _automation(
            "waiting", f"{notifies} {_text(WAITING_AFTER)} without slot", waiting, send(WAITING_TEXT)
        ),
        _automation("lost", f"{crashes} {_text(LOST_AFTER)} without heartbeat", lost, end_lost),
    ]


def playlist_changed(notification: UUID) -> AutomationCore:
    """Sends the songs that were added, removed and moved, for each playlist that changed."""
    trigger = EventTrigger(
        expect={CHANGED},
        match={"prefect.resource.id": "spotify-playlist.*"},
        match_related=TAG_RESOURCE,
        for_each={"prefect.resource.id"},
        threshold=1,
    )
    send = SendNotification(
        block_document_id=notification, subject="{{ event.resource.name }}", body="{{ event.payload.text }}"
    )
    return _automation("changed", "sends what changed in a playlist", trigger, send)


def _automation(what: str, description: str, trigger: EventTrigger, action: ActionTypes) -> AutomationCore:
    return AutomationCore(name=f"{TAG}: {what}", description=description, trigger=trigger, actions=[action])


def _proactive(within: timedelta, *states: str, unless: frozenset[str]) -> EventTrigger:
    """Trigger that fires if one of our runs enters one of `states` and none of `unless` follows in time."""
    return EventTrigger(posture=Posture.Proactive, within=within, **_when(*states, unless=unless))


def _when(*states: str, unless: frozenset[str] = frozenset()) -> dict[str, Any]:
    """Fields of a trigger that selects our runs by the states that they enter."""
    names = {"after": _events(states), "expect": _events(unless)} if unless else {"expect": _events(states)}
    return {
        **names,
        "match": {"prefect.resource.id": "prefect.flow-run.*"},
        "match_related": TAG_RESOURCE,
        "for_each": {"prefect.resource.id"},
        "threshold": 1,
    }


def _events(states: Iterable[str]) -> set[str]:
    return {f"prefect.flow-run.{state}" for state in states}


def _text(duration: timedelta) -> str:
    hours = duration.total_seconds() / 3600
    return f"{hours:g} hours" if hours >= 1 else f"{hours * 60:g} minutes"


def notification_block(name: str) -> UUID:
    """Id of the notification block `type/name`; raises NoBlockError if there is none or it cannot notify."""
    kind, _, own = name.partition("/")
    with get_client(sync_client=True) as client:
        try:
            found = client.read_block_document_by_name(own, kind)
        except ObjectNotFound:
            raise NoBlockError(
                f"there is no block {name}: create a notification block in Prefect's UI"
            ) from None
    if not found.block_schema or "notify" not in found.block_schema.capabilities:
        raise NoBlockError(f"block {name} cannot notify: name a block of a notification type")
    return found.id


def write_automations(found: Iterable[AutomationCore]) -> None:
    """Creates the automations, or updates those that have the same names."""
    for one in found:
        _write(one)
        if one.name == f"{TAG}: {NO_DATA_NAME}":
            open_window(TAG, TAG_RESOURCE)


def _write(automation: AutomationCore) -> None:
    with get_client(sync_client=True) as client:
        stored = client.read_automations_by_name(automation.name)
        if stored:
            # Prefect sends only fields that were set, so not defaults such as an action's type.
            # Validating a dump sets all of them. The server refuses the owner, so it is left out.
            update = AutomationCore.model_validate(automation.model_dump(exclude={"owner_resource"}))
            client.update_automation(stored[0].id, update)
        else:
            client.create_automation(automation)


if __name__ == "__main__":
    sys.exit(app(result_action="return_value"))
