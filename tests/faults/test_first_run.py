"""The very first run is killed at each request that sets the schema up, and simply run again."""

import signal
from typing import get_args

import pytest

from tests.faults.clean_run import FIRST_RUN, cases, expand, without_further_polls
from tests.faults.conftest import LOADS
from tests.faults.injected import When, killed
from tests.faults.labels import Label
from tests.faults.rig import Rig
from tests.faults.watched import Watched

pytestmark = pytest.mark.faults


def set_up(load: str) -> list[Label]:
    """Every request that sets something up; the others hold the lock meanwhile, or are those of any run."""
    return [label for label in expand(FIRST_RUN[load]) if label.kind in {"CREATE", "ALTER", "INSERT"}]


@pytest.mark.parametrize("load", LOADS)
def test_the_requests_of_a_first_run(fresh: Watched) -> None:
    fresh.rerun()
    assert sorted(without_further_polls(fresh.traffic.seen)) == sorted(expand(FIRST_RUN[fresh.load]))


@pytest.mark.parametrize(
    ("load", "label", "when"), cases({load: set_up(load) for load in LOADS}, get_args(When))
)
def test_a_first_run_killed_and_run_again(rig: Rig, fresh: Watched, label: Label, when: When) -> None:
    fresh.arm(label, killed(when, fresh.latest))
    process = fresh.start()
    assert process.end().exit_code == -signal.SIGKILL
    assert fresh.traffic.fired == [label]

    fresh.rerun()
    fresh.check(rig.new.contents)
