"""Word of runs that need somebody: what is watched, and what happens then."""

from uuid import uuid4

import pytest
from prefect.events.schemas.automations import EventTrigger, Posture

from deploy import automations
from deploy.automations import LATE, STUCK, TAG

BLOCK = uuid4()
ALL = {one.name.removeprefix(f"{TAG}: "): one for one in automations.automations(BLOCK)}


def trigger(what: str) -> EventTrigger:
    """What sets an automation off."""
    found = ALL[what].trigger
    assert isinstance(found, EventTrigger)
    return found


def test_failed_crashed_late_and_stuck_runs_are_watched() -> None:
    assert set(ALL) == {"failed", "crashed", "late", "stuck"}


@pytest.mark.parametrize("what", ALL)
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


def test_stuck_runs_are_ended_and_all_others_told() -> None:
    assert {what: one.actions[0].type for what, one in ALL.items()} == {
        "failed": "send-notification",
        "crashed": "send-notification",  # of stuck runs too: they end as Crashed
        "late": "send-notification",
        "stuck": "change-flow-run-state",
    }
