"""A first run killed at any request that sets up the schema: the next run completes."""

import signal
from typing import get_args

import pytest

from tests.faults.clean_run import FIRST_RUN, cases, expand, without_further_polls
from tests.faults.conftest import LOADS
from tests.faults.injected import When, killed
from tests.faults.labels import Label
from tests.faults.proxied_pipeline import ProxiedPipeline
from tests.faults.rig import Rig

pytestmark = pytest.mark.faults


def set_up(load: str) -> list[Label]:
    """Requests that set up the schema; the others renew the lock, or are those of any run."""
    return [label for label in expand(FIRST_RUN[load]) if label.kind in {"CREATE", "ALTER", "INSERT"}]


@pytest.mark.parametrize("load", LOADS)
def test_a_first_run_sends_the_expected_requests(fresh: ProxiedPipeline) -> None:
    fresh.rerun()
    assert sorted(without_further_polls(fresh.traffic.seen)) == sorted(expand(FIRST_RUN[fresh.load]))


@pytest.mark.parametrize(
    ("load", "label", "when"), cases({load: set_up(load) for load in LOADS}, get_args(When))
)
def test_a_first_run_killed_during_set_up_is_completed_by_the_next_run(
    rig: Rig, fresh: ProxiedPipeline, label: Label, when: When
) -> None:
    fresh.arm(label, killed(when, fresh.latest))
    process = fresh.start()
    assert process.end().exit_code == -signal.SIGKILL
    assert fresh.traffic.fired == [label]

    fresh.rerun()
    fresh.check(rig.new.contents)
