"""Responses of Snowflake that no read timeout ends: the run retries, or ends at its deadline."""

from time import monotonic

import pytest

from tests.faults.clean_run import COMMITTED
from tests.faults.injected import TRICKLE, TRICKLE_ALWAYS
from tests.faults.labels import Label
from tests.faults.looks import Reader
from tests.faults.rig import Rig

SHORT_TIMEOUT_S = 1.0
"""Of a read; a whole request has five seconds, see tests/faults/child.py."""
ENDED_S = 90
MAX_HOURS = 15 / 3600
REQUESTS = {
    "login": Label("snowflake", "login", 2),
    "COPY": Label("snowflake", "COPY", 3),
    "COMMIT": COMMITTED["copy"],
}

pytestmark = pytest.mark.parametrize("load", ["copy"])


@pytest.mark.faults
@pytest.mark.parametrize("name", REQUESTS)
def test_a_response_that_trickles_is_given_up_and_the_task_is_retried(rig: Rig, name: str) -> None:
    rig.pipeline.arm(REQUESTS[name], TRICKLE)
    with Reader(rig.place) as reader:
        end = rig.pipeline.start(SHORT_TIMEOUT_S).end(ENDED_S)

    assert rig.pipeline.traffic.fired == [REQUESTS[name]]
    assert (end.exit_code, end.state) == (0, "COMPLETED"), end
    assert all(look.is_of_one_run(rig.old.seen, rig.new.seen) for look in reader.looks)
    rig.check_new()


@pytest.mark.faults
@pytest.mark.parametrize("name", REQUESTS)
def test_a_run_whose_warehouse_only_trickles_ends_at_its_deadline(rig: Rig, name: str) -> None:
    rig.pipeline.arm(REQUESTS[name], TRICKLE_ALWAYS)
    start = monotonic()
    end = rig.pipeline.start(max_hours=MAX_HOURS).end(ENDED_S)  # a statement has 60 s

    assert rig.pipeline.traffic.fired == [REQUESTS[name]]
    assert monotonic() - start < ENDED_S
    assert (end.exit_code, end.state) == (0, "FAILED"), end
    assert str(end.message).endswith("[RUN_DEADLINE]")
    assert rig.look() == rig.old.seen
    rig.pipeline.rerun()
    rig.check_new()
