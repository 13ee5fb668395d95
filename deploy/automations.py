"""`python -m deploy automations`: notifications of runs that fail, hang, wait or do not come; repeatable.

Runs are known by the tag that prefect.yaml gives its deployments.
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
from deploy.no_data import begin_watching, no_data
from flows.changes import CHANGED
from flows.parameters import MAX_HOURS

TAG = "spotify-playlist-pipeline"
OURS: dict[str, Any] = {"prefect.resource.id": f"prefect.tag.{TAG}", "prefect.resource.role": "tag"}
LATE = timedelta(minutes=10)
LOST = timedelta(minutes=15)
"""A run tells that it is alive every three minutes."""
STUCK = timedelta(minutes=15)
"""Fargate has a container up within two minutes; with an image or a role missing it never has."""
LONG = timedelta(hours=MAX_HOURS, minutes=30)
"""By then a run has ended itself, unless it hangs or was given more hours, which an automation cannot see."""
WAITING = timedelta(hours=2)

RUNNING = frozenset({"Running", "Retrying", "Rerunning"})
"""What Prefect calls the state of a run that runs: for the first time, or again."""
ENDED = frozenset({"Completed", "Failed", "Crashed", "Cancelled"})
STARTED = ENDED | RUNNING | {"Cancelling"}
HEARD = ENDED | {"heartbeat", "AwaitingRetry", "Pending"}
OVER = STARTED | {"AwaitingRetry", "Pending"}
"""With each start (`RUNNING`) the time begins anew, as with each sign of life."""
TAKEN = STARTED | {"Pending", "InfrastructurePending", "AwaitingConcurrencySlot"}
GOT_SLOT = STARTED | {"Pending", "InfrastructurePending"}
"""While it waits, Prefect gives a run the state AwaitingConcurrencySlot again every 30 seconds."""

MESSAGE = "{{ flow_run.state.message }}"
AGAIN = "\nNothing is half loaded: start the run again."
HANGS = f"""It should have ended itself after its `max_hours` (default {MAX_HOURS:g}): look at its log.
If nothing was logged for a long time, cancel it and start it again. If its `max_hours` is longer, wait."""
NO_SLOT = """Other runs of the deployment hold its concurrency limit: look whether one of them hangs."""
IS_UP = "Nobody has taken the run: is the worker up, the work pool paused?"
LINK = "{% if flow_run|ui_url %}\n{{ flow_run|ui_url }}{% endif %}"
CRASHED: dict[str, Any] = {"state": StateType.CRASHED, "name": "Crashed", "force": False}

app = App(name="python -m deploy automations", version_flags=[])


class NoBlockError(LookupError):
    """There is no block of the name, or none that notifies."""


@app.default
def create(
    *,
    notify: Annotated[str, Parameter(help="Notification block, as type/name: slack-webhook/data-team.")],
    changes: Annotated[bool, Parameter(help="Also send what changed in each playlist.")] = False,
) -> int:
    """Creates the automations, or brings those of the same names up to date."""
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
    """What is watched, and what happens then; `notification` is the id of the block that sends word."""

    def word(text: str) -> SendNotification:
        subject = "{{ flow_run.name }} of {{ deployment.name }}: {{ flow_run.state.name }}"
        return SendNotification(block_document_id=notification, subject=subject, body=f"{text}{LINK}")

    give_up = ChangeFlowRunState(
        **CRASHED, message="The container did not start: see the stopped reason of its ECS task"
    )
    end = ChangeFlowRunState(**CRASHED, message="Nothing more was heard of the container: see its log")
    failed, crashed = EventTrigger(**_when("Failed")), EventTrigger(**_when("Crashed"))
    late = EventTrigger(posture=Posture.Proactive, within=LATE, **_when("Late", unless=TAKEN))
    stuck = EventTrigger(posture=Posture.Proactive, within=STUCK, **_when("Pending", unless=STARTED))
    long = EventTrigger(posture=Posture.Proactive, within=LONG, **_when(*RUNNING, unless=OVER))
    waiting = EventTrigger(
        posture=Posture.Proactive, within=WAITING, **_when("AwaitingConcurrencySlot", unless=GOT_SLOT)
    )
    lost = EventTrigger(posture=Posture.Proactive, within=LOST, **_when("heartbeat", unless=HEARD))
    return [
        no_data(TAG, OURS, notification),
        _automation("failed", "sends the message of a run that failed", failed, word(MESSAGE)),
        _automation("crashed", "sends word of a run whose container died", crashed, word(MESSAGE + AGAIN)),
        _automation(
            "late", f"sends word of a run that nobody has taken for {_span(LATE)}", late, word(IS_UP)
        ),
        _automation("stuck", f"ends a run as Crashed that was Pending for {_span(STUCK)}", stuck, give_up),
        _automation("long", f"notifies of a run that has been Running for {_span(LONG)}", long, word(HANGS)),
        _automation(
            "waiting",
            f"notifies of a run that has waited {_span(WAITING)} for a concurrency slot",
            waiting,
            word(NO_SLOT),
        ),
        _automation("lost", f"ends a run as Crashed that was silent for {_span(LOST)}", lost, end),
    ]


def playlist_changed(notification: UUID) -> AutomationCore:
    """Sends the songs that entered, left and moved, for each playlist that one of our runs found changed."""
    trigger = EventTrigger(
        expect={CHANGED},
        match={"prefect.resource.id": "spotify-playlist.*"},
        match_related=OURS,
        for_each={"prefect.resource.id"},
        threshold=1,
    )
    word = SendNotification(
        block_document_id=notification, subject="{{ event.resource.name }}", body="{{ event.payload.text }}"
    )
    return _automation("changed", "sends what changed in a playlist", trigger, word)


def _automation(what: str, description: str, trigger: EventTrigger, action: ActionTypes) -> AutomationCore:
    return AutomationCore(name=f"{TAG}: {what}", description=description, trigger=trigger, actions=[action])


def _when(*states: str, unless: frozenset[str] = frozenset()) -> dict[str, Any]:
    """One of our runs enters a state; or has entered it, and none of the others since."""
    names = {"after": _events(states), "expect": _events(unless)} if unless else {"expect": _events(states)}
    return {
        **names,
        "match": {"prefect.resource.id": "prefect.flow-run.*"},
        "match_related": OURS,
        "for_each": {"prefect.resource.id"},
        "threshold": 1,
    }


def _events(states: Iterable[str]) -> set[str]:
    return {f"prefect.flow-run.{state}" for state in states}


def _span(span: timedelta) -> str:
    hours = span.total_seconds() / 3600
    return f"{hours:g} hours" if hours >= 1 else f"{hours * 60:g} minutes"


def notification_block(name: str) -> UUID:
    """Id of a block, as type/name; raises NoBlockError unless it notifies."""
    kind, _, own = name.partition("/")
    with get_client(sync_client=True) as client:
        try:
            found = client.read_block_document_by_name(own, kind)
        except ObjectNotFound:
            raise NoBlockError(
                f"there is no block {name}: create one of a notification type in Prefect's UI"
            ) from None
    if not found.block_schema or "notify" not in found.block_schema.capabilities:
        raise NoBlockError(f"block {name} cannot notify: name one of a notification type")
    return found.id


def write_automations(found: Iterable[AutomationCore]) -> None:
    """Creates the automations, or brings those of the same names up to date."""
    for one in found:
        _write(one)
        if one.name == f"{TAG}: {NO_DATA_NAME}":
            begin_watching(TAG, OURS)


def _write(automation: AutomationCore) -> None:
    with get_client(sync_client=True) as client:
        stored = client.read_automations_by_name(automation.name)
        if stored:
            # Prefect sends only what was set, and defaults (an action's type) are not: here all of it is,
            # but for the owner, which the server does not take.
            whole = AutomationCore.model_validate(automation.model_dump(exclude={"owner_resource"}))
            client.update_automation(stored[0].id, whole)
        else:
            client.create_automation(automation)


if __name__ == "__main__":
    sys.exit(app(result_action="return_value"))
