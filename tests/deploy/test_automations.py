"""Automations: their triggers and actions, and the notifications that a Prefect server sends."""

import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from prefect import flow, tags
from prefect.automations import AutomationCore, SendNotification
from prefect.blocks.notifications import CustomWebhookNotificationBlock
from prefect.blocks.system import Secret
from prefect.events.filters import EventFilter, EventNameFilter, EventOccurredFilter
from prefect.events.schemas.automations import EventTrigger, Posture
from prefect.states import Completed, Failed, Pending, Running

from deploy import automations, no_data
from deploy.automations import LATE_AFTER, LONG_AFTER, LOST_AFTER, RUNNING, STUCK_AFTER, TAG, WAITING_AFTER
from flows.changes import emit_changes
from pipeline.records import PlaylistChanges, SongChange
from tests.deploy.rehearsal import client
from tests.deploy.webhook import BLOCK, webhook
from tests.waiting import until

ALL = {one.name.removeprefix(f"{TAG}: "): one for one in automations.automations(uuid4())}


def trigger(what: str) -> EventTrigger:
    """The trigger of an automation."""
    found = ALL[what].trigger
    assert isinstance(found, EventTrigger)
    return found


def test_there_is_one_automation_for_each_problem_of_a_run() -> None:
    assert set(ALL) == {"no data", "failed", "crashed", "late", "stuck", "long", "waiting", "lost"}


@pytest.mark.parametrize("what", [name for name in ALL if name != "no data"])
def test_a_trigger_selects_runs_by_our_tag_and_counts_each_run_separately(what: str) -> None:
    found = trigger(what)
    assert found.for_each == {"prefect.resource.id"}
    assert found.model_dump()["match_related"] == {
        "prefect.resource.id": f"prefect.tag.{TAG}",
        "prefect.resource.role": "tag",
    }


@pytest.mark.parametrize("what", ["failed", "crashed"])
def test_failed_and_crashed_runs_are_notified_immediately(what: str) -> None:
    assert trigger(what).expect == {f"prefect.flow-run.{what.capitalize()}"}
    assert trigger(what).posture == Posture.Reactive


@pytest.mark.parametrize(
    ("what", "state", "within"),
    [("late", "Late", LATE_AFTER), ("stuck", "Pending", STUCK_AFTER)],
    ids=["late", "stuck"],
)
def test_a_run_that_does_not_start_triggers_after_its_wait(what: str, state: str, within: object) -> None:
    found = trigger(what)
    assert (found.posture, found.within) == (Posture.Proactive, within)
    assert found.after == {f"prefect.flow-run.{state}"}
    assert {"prefect.flow-run.Running", "prefect.flow-run.Cancelled"} <= found.expect
    assert not found.after & found.expect


def test_a_run_triggers_half_an_hour_after_its_max_hours() -> None:
    found = trigger("long")
    assert (found.posture, found.within) == (Posture.Proactive, LONG_AFTER)
    assert found.after == {f"prefect.flow-run.{name}" for name in RUNNING}
    assert found.after < found.expect  # each new attempt restarts the wait


def test_a_run_that_waits_for_a_concurrency_slot_triggers() -> None:
    found = trigger("waiting")
    assert (found.posture, found.within) == (Posture.Proactive, WAITING_AFTER)
    assert found.after == {"prefect.flow-run.AwaitingConcurrencySlot"}
    assert {"prefect.flow-run.Pending", "prefect.flow-run.Cancelled"} <= found.expect
    assert not found.after & found.expect  # Prefect repeats this state


@pytest.mark.parametrize("what", ["late", "stuck", "waiting"])
def test_a_later_attempt_of_a_run_counts_as_started(what: str) -> None:
    assert {f"prefect.flow-run.{name}" for name in RUNNING} <= trigger(what).expect


def test_a_run_without_heartbeats_triggers_unless_it_has_ended() -> None:
    found = trigger("lost")
    assert (found.posture, found.within) == (Posture.Proactive, LOST_AFTER)
    assert found.after == {"prefect.flow-run.heartbeat"}
    assert {"prefect.flow-run.heartbeat", "prefect.flow-run.Failed"} <= found.expect


def test_no_data_counts_completed_runs_of_the_daily_deployment_only() -> None:
    found = trigger("no data")
    assert (found.posture, found.within) == (Posture.Proactive, timedelta(hours=26))
    assert found.expect == {"prefect.flow-run.Completed"}
    assert found.expect < found.after  # each completed run restarts the wait, and so does the command
    # Otherwise each failed or scheduled run would cause another notification.
    assert not {"prefect.flow-run.Failed", "prefect.flow-run.Scheduled"} & found.after
    assert found.for_each  # otherwise Prefect opens a window without any event
    assert found.model_dump()["match_related"] == [
        {"prefect.resource.id": f"prefect.tag.{TAG}", "prefect.resource.role": "tag"},
        {"prefect.resource.role": "deployment", "prefect.resource.name": no_data.DAILY},
    ]


def test_stuck_and_lost_runs_become_crashed_and_all_others_are_notified() -> None:
    assert {what: one.actions[0].type for what, one in ALL.items()} == {
        "no data": "send-notification",
        "failed": "send-notification",
        "crashed": "send-notification",  # also for stuck and lost runs, which become Crashed
        "late": "send-notification",
        "long": "send-notification",
        "waiting": "send-notification",
        "stuck": "change-flow-run-state",
        "lost": "change-flow-run-state",
    }


def test_repeating_the_command_creates_no_duplicates(
    prefect_api: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert prefect_api["PREFECT_API_URL"]
    kind: Any = CustomWebhookNotificationBlock
    kind(name="data-team", url="http://127.0.0.1:9").save("data-team", overwrite=True)
    for _ in range(2):
        assert automations.create(notify="custom-webhook/data-team") == 0, capsys.readouterr().err
    with client() as api:
        stored = [one for one in api.read_automations() if one.name.startswith(TAG)]
    assert sorted(one.name for one in stored) == sorted(one.name for one in ALL.values())
    assert all(one.enabled for one in stored)


CHANGES = PlaylistChanges(
    "p", "Party <mix>", date(2026, 11, 28), date(2026, 11, 27), [SongChange("s", "Song", "A", 1, None, "me")]
)


@pytest.mark.faults
@pytest.mark.usefixtures("with_events")
def test_changes_of_a_playlist_are_sent_with_the_songs() -> None:
    @flow
    def changing() -> None:
        emit_changes("run", [CHANGES])

    with webhook() as received, client() as api:
        assert automations.create(notify=BLOCK, changes=True) == 0
        try:
            with tags(TAG):
                changing()
            until(lambda: received, "the notification of the change")
        finally:
            for one in api.read_automations():
                api.delete_automation(one.id)
    (sent,) = received
    assert sent["subject"] == "Party \u2039mix\u203a"
    assert "1 added since 2026-11-27" in sent["body"]
    assert "added by me (1) A: Song" in sent["body"]


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("slack-webhook/nobody", "there is no block slack-webhook/nobody"),
        ("nobody", "there is no block nobody"),
        ("secret/data-team", "block secret/data-team cannot notify"),
    ],
    ids=["no such block", "no type", "another type"],
)
def test_without_a_notification_block_nothing_is_created(
    prefect_api: dict[str, str], capsys: pytest.CaptureFixture[str], name: str, says: str
) -> None:
    assert prefect_api["PREFECT_API_URL"]
    kind: Any = Secret
    kind(value="s").save("data-team", overwrite=True)
    assert automations.create(notify=name) == 1
    assert capsys.readouterr().err.startswith(f"nothing is created: {says}")


SHORTEST_WAIT = timedelta(seconds=10)
"""Minimum of `within` of a proactive trigger."""

SILENT_FLOW = f"""
from prefect import flow, tags

@flow
def silent():
    input()

with tags("{TAG}"):
    silent()
"""


@pytest.fixture
def shortest_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sets the waits of the automations to Prefect's minimum."""
    for name in ("LATE_AFTER", "LOST_AFTER", "LONG_AFTER", "WAITING_AFTER"):
        monkeypatch.setattr(automations, name, SHORTEST_WAIT)


@pytest.fixture
def notifications(prefect_api: dict[str, str], shortest_waits: None) -> Iterator[list[dict[str, str]]]:
    """Notifications that the automations send."""
    del prefect_api, shortest_waits  # only needed to be active
    with webhook() as received, client() as api:
        assert automations.create(notify=BLOCK) == 0
        yield received
        for one in api.read_automations():
            api.delete_automation(one.id)


@pytest.mark.faults
def test_a_late_run_is_notified(notifications: list[dict[str, str]]) -> None:
    with client() as api:
        flow_id = api.create_flow(flow(print))
        deployment = api.create_deployment(flow_id, "daily", tags=[TAG])
        run = api.create_flow_run_from_deployment(deployment)
    until(lambda: notifications, "the notification of the run")
    assert [one["subject"] for one in notifications] == [f"{run.name} of daily: Late"]
    assert "No worker picked up the run" in notifications[0]["body"]


@pytest.mark.faults
def test_a_run_that_hangs_and_one_that_waits_for_a_slot_are_notified(
    notifications: list[dict[str, str]],
) -> None:
    with client() as api:
        flow_id = api.create_flow(flow(print))
        deployment = api.create_deployment(flow_id, "limited", tags=[TAG], concurrency_limit=1)
        hangs, waits = (api.create_flow_run_from_deployment(deployment) for _ in range(2))
        api.set_flow_run_state(hangs.id, Pending())
        api.set_flow_run_state(hangs.id, Running())

        def ask_for_a_slot() -> bool:
            """Requests Pending as a worker does; Prefect refuses and sets AwaitingConcurrencySlot again."""
            api.set_flow_run_state(waits.id, Pending())
            assert api.read_flow_run(waits.id).state_name == "AwaitingConcurrencySlot"
            return len(notifications) > 1

        until(ask_for_a_slot, "both notifications")
    assert {one["subject"] for one in notifications} == {
        f"{hangs.name} of limited: Running",
        f"{waits.name} of limited: AwaitingConcurrencySlot",
    }
    bodies = " ".join(one["body"] for one in notifications)
    assert "A run ends itself after `max_hours`" in bodies
    assert "occupy its concurrency limit" in bodies


def heartbeats_since(moment: datetime) -> EventFilter:
    """Heartbeats of all runs since a moment."""
    beats = EventNameFilter(name=["prefect.flow-run.heartbeat"])
    return EventFilter(event=beats, occurred=EventOccurredFilter.model_validate({"since": moment}))


@pytest.mark.usefixtures("notifications")
@pytest.mark.faults
def test_a_run_without_heartbeats_becomes_crashed(prefect_api: dict[str, str]) -> None:
    began = datetime.now(UTC)
    process = subprocess.Popen([sys.executable, "-c", SILENT_FLOW], env=prefect_api, stdin=subprocess.PIPE)
    with client() as api:
        try:
            (beat,) = until(lambda: api.read_events(heartbeats_since(began), limit=1).events, "a heartbeat")
        finally:
            process.kill()
            process.wait()
        run = UUID(beat.resource.id.rpartition(".")[2])
        assert api.read_flow_run(run).state_name == "Running"
        until(lambda: api.read_flow_run(run).state_name == "Crashed", "the end of the run")
        state = api.read_flow_run(run).state
    assert state
    assert str(state.message) == "The run sends no heartbeats: see the container's log"


@pytest.fixture
def shortest_no_data(shortest_waits: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also sets the wait of `no data`; in other tests it would send an additional notification."""
    del shortest_waits
    monkeypatch.setattr(no_data, "NO_DATA", SHORTEST_WAIT)


def ticking() -> AutomationCore:
    """An automation that sends `tick` repeatedly, once in each SHORTEST_WAIT."""
    trigger = EventTrigger(posture=Posture.Proactive, within=SHORTEST_WAIT, expect={"never"})
    block = automations.notification_block(BLOCK)
    send = SendNotification(block_document_id=block, subject="tick", body="tick")
    return AutomationCore(name="ticking", trigger=trigger, actions=[send])


@pytest.mark.faults
def test_no_data_is_notified_once_and_again_after_the_next_completed_daily_run(
    shortest_no_data: None, notifications: list[dict[str, str]]
) -> None:
    del shortest_no_data

    def bodies_of(subject: str = "no data today") -> list[str]:
        return [one["body"] for one in notifications if one["subject"] == subject]

    with client() as api:
        flow_id = api.create_flow(flow(print))
        deployments = {
            name: api.create_deployment(flow_id, name, tags=[TAG]) for name in ("daily", "on-demand")
        }

        def ended(name: str, state: Any) -> datetime:
            run = api.create_flow_run_from_deployment(deployments[name])
            api.set_flow_run_state(run.id, Pending())
            api.set_flow_run_state(run.id, Running())
            api.set_flow_run_state(run.id, state)
            ended_at = api.read_flow_run(run.id).end_time
            assert ended_at
            return ended_at

        ended("on-demand", Completed())  # does not count
        until(bodies_of, "the notification that no daily run has ever completed")
        ended("daily", Failed())
        api.create_automation(ticking())
        until(lambda: len(bodies_of("tick")) == 4, "ticks")  # long enough for a second, wrong notification
        assert len(bodies_of()) == 1
        completed = ended("daily", Completed())
        until(lambda: len(bodies_of()) > 1, "the notification after the completed run")
        assert len(bodies_of()) == 2
    assert f"has completed since {completed:%Y-%m-%d %H:%M} UTC" in bodies_of()[1]
