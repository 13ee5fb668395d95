"""Word of runs that need somebody: what is watched, and what happens then."""

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
from prefect.events.worker import EventsWorker
from prefect.states import Completed, Failed, Pending, Running

from deploy import automations, no_data
from deploy.automations import LATE, LONG, LOST, RUNNING, STUCK, TAG, WAITING
from flows.changes import emit_changes
from pipeline.records import PlaylistChanges, SongChange
from tests.deploy.rehearsal import client
from tests.deploy.webhook import BLOCK, webhook
from tests.waiting import until

ALL = {one.name.removeprefix(f"{TAG}: "): one for one in automations.automations(uuid4())}


def trigger(what: str) -> EventTrigger:
    """What sets an automation off."""
    found = ALL[what].trigger
    assert isinstance(found, EventTrigger)
    return found


def test_runs_that_need_somebody_are_watched() -> None:
    assert set(ALL) == {"no data", "failed", "crashed", "late", "stuck", "long", "waiting", "lost"}


@pytest.mark.parametrize("what", [name for name in ALL if name != "no data"])
def test_only_our_runs_are_watched_each_by_itself(what: str) -> None:
    found = trigger(what)
    assert found.for_each == {"prefect.resource.id"}
    assert found.model_dump()["match_related"] == {
        "prefect.resource.id": f"prefect.tag.{TAG}",
        "prefect.resource.role": "tag",
    }


@pytest.mark.parametrize("what", ["failed", "crashed"])
def test_the_end_of_a_run_is_told_at_once(what: str) -> None:
    assert trigger(what).expect == {f"prefect.flow-run.{what.capitalize()}"}
    assert trigger(what).posture == Posture.Reactive


@pytest.mark.parametrize(
    ("what", "state", "within"), [("late", "Late", LATE), ("stuck", "Pending", STUCK)], ids=["late", "stuck"]
)
def test_a_run_that_gets_no_further_is_noticed(what: str, state: str, within: object) -> None:
    found = trigger(what)
    assert (found.posture, found.within) == (Posture.Proactive, within)
    assert found.after == {f"prefect.flow-run.{state}"}
    assert {"prefect.flow-run.Running", "prefect.flow-run.Cancelled"} <= found.expect
    assert not found.after & found.expect


def test_a_run_that_hangs_is_noticed_half_an_hour_after_it_should_have_ended_itself() -> None:
    found = trigger("long")
    assert (found.posture, found.within) == (Posture.Proactive, LONG)
    assert found.after == {f"prefect.flow-run.{name}" for name in RUNNING}
    assert found.after < found.expect  # each new start begins a new span


def test_a_run_that_waits_for_a_slot_is_noticed() -> None:
    found = trigger("waiting")
    assert (found.posture, found.within) == (Posture.Proactive, WAITING)
    assert found.after == {"prefect.flow-run.AwaitingConcurrencySlot"}
    assert {"prefect.flow-run.Pending", "prefect.flow-run.Cancelled"} <= found.expect
    assert not found.after & found.expect  # Prefect repeats it


@pytest.mark.parametrize("what", ["late", "stuck", "waiting"])
def test_a_run_that_runs_again_is_not_taken_for_one_that_does_not_start(what: str) -> None:
    assert {f"prefect.flow-run.{name}" for name in RUNNING} <= trigger(what).expect


def test_a_run_that_falls_silent_is_noticed_and_one_that_ends_is_not() -> None:
    found = trigger("lost")
    assert (found.posture, found.within) == (Posture.Proactive, LOST)
    assert found.after == {"prefect.flow-run.heartbeat"}
    assert {"prefect.flow-run.heartbeat", "prefect.flow-run.Failed"} <= found.expect


def test_a_day_without_data_is_noticed_whatever_the_other_deployments_do() -> None:
    found = trigger("no data")
    assert (found.posture, found.within) == (Posture.Proactive, timedelta(hours=26))
    assert found.expect == {"prefect.flow-run.Completed"}
    assert found.expect < found.after  # each that completes begins a new span, and so does the command
    assert not {"prefect.flow-run.Failed", "prefect.flow-run.Scheduled"} & found.after  # or word comes daily
    assert found.for_each  # or Prefect begins a new span by itself
    assert found.model_dump()["match_related"] == [
        {"prefect.resource.id": f"prefect.tag.{TAG}", "prefect.resource.role": "tag"},
        {"prefect.resource.role": "deployment", "prefect.resource.name": no_data.DAILY},
    ]


def test_stuck_and_lost_runs_are_ended_and_all_others_told() -> None:
    assert {what: one.actions[0].type for what, one in ALL.items()} == {
        "no data": "send-notification",
        "failed": "send-notification",
        "crashed": "send-notification",  # of stuck and lost runs too: they end as Crashed
        "late": "send-notification",
        "long": "send-notification",
        "waiting": "send-notification",
        "stuck": "change-flow-run-state",
        "lost": "change-flow-run-state",
    }


def test_the_command_creates_them_once(
    prefect_api: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert prefect_api["PREFECT_API_URL"]
    kind: Any = CustomWebhookNotificationBlock
    kind(name="word", url="http://127.0.0.1:9").save("word", overwrite=True)
    for _ in range(2):
        assert automations.create(notify="custom-webhook/word") == 0, capsys.readouterr().err
    with client() as api:
        stored = [one for one in api.read_automations() if one.name.startswith(TAG)]
    assert sorted(one.name for one in stored) == sorted(one.name for one in ALL.values())
    assert all(one.enabled for one in stored)


TOLD = PlaylistChanges(
    "p", "Party <mix>", date(2026, 11, 28), date(2026, 11, 27), [SongChange("s", "Song", "A", 1, None, "me")]
)


@pytest.mark.faults
def test_what_changed_in_a_playlist_is_sent_with_its_songs(
    prefect_api: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert prefect_api["PREFECT_API_URL"]
    monkeypatch.setattr(EventsWorker, "_client_override", None)  # other tests send no events

    @flow
    def changing() -> None:
        emit_changes("run", [TOLD])

    with webhook() as received, client() as api:
        assert automations.create(notify=BLOCK, changes=True) == 0
        try:
            with tags(TAG):
                changing()
            until(lambda: received, "word of the change")
        finally:
            for one in api.read_automations():
                api.delete_automation(one.id)
    (word,) = received
    assert word["subject"] == "Party \u2039mix\u203a"
    assert "1 added since 2026-11-27" in word["body"]
    assert "added by me (1) A: Song" in word["body"]


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("slack-webhook/nobody", "there is no block slack-webhook/nobody"),
        ("nobody", "there is no block nobody"),
        ("secret/word", "block secret/word cannot notify"),
    ],
    ids=["no such block", "no type", "another type"],
)
def test_without_a_block_that_notifies_nothing_is_created(
    prefect_api: dict[str, str], capsys: pytest.CaptureFixture[str], name: str, says: str
) -> None:
    assert prefect_api["PREFECT_API_URL"]
    kind: Any = Secret
    kind(value="s").save("word", overwrite=True)
    assert automations.create(notify=name) == 1
    assert capsys.readouterr().err.startswith(f"nothing is created: {says}")


SHORTEST = timedelta(seconds=10)
"""Prefect allows no shorter wait for what does not happen."""

SILENT = f"""
from prefect import flow, tags

@flow
def silent():
    input()

with tags("{TAG}"):
    silent()
"""


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Automations wait as briefly as Prefect lets them."""
    for name in ("LATE", "LOST", "LONG", "WAITING"):
        monkeypatch.setattr(automations, name, SHORTEST)


@pytest.fixture
def told(prefect_api: dict[str, str], quick: None) -> Iterator[list[dict[str, str]]]:
    """What the automations send."""
    del prefect_api, quick  # it is up, they are
    with webhook() as received, client() as api:
        assert automations.create(notify=BLOCK) == 0
        yield received
        for one in api.read_automations():
            api.delete_automation(one.id)


@pytest.mark.faults
def test_word_of_a_late_run_comes(told: list[dict[str, str]]) -> None:
    with client() as api:
        flow_id = api.create_flow(flow(print))
        deployment = api.create_deployment(flow_id, "daily", tags=[TAG])
        run = api.create_flow_run_from_deployment(deployment)
    until(lambda: told, "word of the run")
    assert [one["subject"] for one in told] == [f"{run.name} of daily: Late"]
    assert "is the worker up" in told[0]["body"]


@pytest.mark.faults
def test_word_of_a_run_that_hangs_and_of_one_that_waits_for_its_slot_comes(
    told: list[dict[str, str]],
) -> None:
    with client() as api:
        flow_id = api.create_flow(flow(print))
        deployment = api.create_deployment(flow_id, "limited", tags=[TAG], concurrency_limit=1)
        hangs, waits = (api.create_flow_run_from_deployment(deployment) for _ in range(2))
        api.set_flow_run_state(hangs.id, Pending())
        api.set_flow_run_state(hangs.id, Running())

        def ask_for_a_slot() -> bool:
            """As a worker does, which is refused; Prefect repeats the state then."""
            api.set_flow_run_state(waits.id, Pending())
            assert api.read_flow_run(waits.id).state_name == "AwaitingConcurrencySlot"
            return len(told) > 1

        until(ask_for_a_slot, "word of both")
    assert {one["subject"] for one in told} == {
        f"{hangs.name} of limited: Running",
        f"{waits.name} of limited: AwaitingConcurrencySlot",
    }
    bodies = " ".join(one["body"] for one in told)
    assert "should have ended itself" in bodies
    assert "hold its concurrency limit" in bodies


def beats_since(moment: datetime) -> EventFilter:
    """Signs of life of all runs, until now."""
    beats = EventNameFilter(name=["prefect.flow-run.heartbeat"])
    return EventFilter(event=beats, occurred=EventOccurredFilter.model_validate({"since": moment}))


@pytest.mark.usefixtures("told")
@pytest.mark.faults
def test_a_run_that_falls_silent_is_ended(prefect_api: dict[str, str]) -> None:
    began = datetime.now(UTC)
    process = subprocess.Popen([sys.executable, "-c", SILENT], env=prefect_api, stdin=subprocess.PIPE)
    with client() as api:
        try:
            (beat,) = until(lambda: api.read_events(beats_since(began), limit=1).events, "a sign of life")
        finally:
            process.kill()
            process.wait()
        run = UUID(beat.resource.id.rpartition(".")[2])
        assert api.read_flow_run(run).state_name == "Running"
        until(lambda: api.read_flow_run(run).state_name == "Crashed", "the end of the run")
        state = api.read_flow_run(run).state
    assert state
    assert str(state.message) == "Nothing more was heard of the container: see its log"


@pytest.fixture
def quick_no_data(quick: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """So does the automation that every other test would wait for, too."""
    del quick
    monkeypatch.setattr(no_data, "NO_DATA", SHORTEST)


def ticking() -> AutomationCore:
    """An automation that sends `tick` again and again, each time after the shortest wait."""
    trigger = EventTrigger(posture=Posture.Proactive, within=SHORTEST, expect={"never"})
    block = automations.notification_block(BLOCK)
    send = SendNotification(block_document_id=block, subject="tick", body="tick")
    return AutomationCore(name="ticking", trigger=trigger, actions=[send])


@pytest.mark.faults
def test_word_comes_once_when_no_daily_run_completes_and_once_more_after_the_next_that_did(
    quick_no_data: None, told: list[dict[str, str]]
) -> None:
    del quick_no_data

    def words(subject: str = "no data today") -> list[str]:
        return [one["body"] for one in told if one["subject"] == subject]

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

        ended("on-demand", Completed())  # silences nothing
        until(words, "word of a daily run that has never completed")
        ended("daily", Failed())
        api.create_automation(ticking())
        until(lambda: len(words("tick")) == 4, "ticks")  # in half of which Prefect would begin anew, and fire
        assert len(words()) == 1
        completed = ended("daily", Completed())
        until(lambda: len(words()) > 1, "word of the day after")
        assert len(words()) == 2
    assert f"has completed since {completed:%Y-%m-%d %H:%M} UTC" in words()[1]
