"""Snowflake responses that trickle below the read timeout: the run retries, or ends at its deadline."""

from time import monotonic

import pytest

from tests.faults.clean_run import COMMITTED
from tests.faults.injected import TRICKLE, TRICKLE_ALWAYS
from tests.faults.labels import Label
from tests.faults.observations import Reader
from tests.faults.rig import Rig

READ_TIMEOUT_S = 1.0
"""A request has a deadline of five times this, see tests/faults/child.py."""
MAX_RUN_S = 90
MAX_HOURS = 15 / 3600
REQUESTS = {
    "login": Label("snowflake", "login", 2),
    "COPY": Label("snowflake", "COPY", 3),
    "COMMIT": COMMITTED["copy"],
}

pytestmark = pytest.mark.parametrize("load", ["copy"])


@pytest.mark.faults
@pytest.mark.parametrize("name", REQUESTS)
def test_a_trickling_response_ends_at_its_deadline_and_the_task_is_retried(rig: Rig, name: str) -> None:
    rig.pipeline.arm(REQUESTS[name], TRICKLE)
    with Reader(rig.place) as reader:
        end = rig.pipeline.start(READ_TIMEOUT_S).end(MAX_RUN_S)

    assert rig.pipeline.traffic.fired == [REQUESTS[name]]
    assert (end.exit_code, end.state) == (0, "COMPLETED"), end
    assert all(one.is_of_one_run(rig.old.observed, rig.new.observed) for one in reader.observations)
    rig.check_new()


@pytest.mark.faults
@pytest.mark.parametrize("name", REQUESTS)
def test_if_every_response_trickles_the_run_ends_at_its_deadline(rig: Rig, name: str) -> None:
    rig.pipeline.arm(REQUESTS[name], TRICKLE_ALWAYS)
    start = monotonic()
    end = rig.pipeline.start(max_hours=MAX_HOURS).end(MAX_RUN_S)  # the timeout of a statement is 60 s

    assert rig.pipeline.traffic.fired == [REQUESTS[name]]
    assert monotonic() - start < MAX_RUN_S
    assert (end.exit_code, end.state) == (0, "FAILED"), end
    assert str(end.message).endswith("[RUN_DEADLINE]")
    assert rig.observe() == rig.old.observed
    rig.pipeline.rerun()
    rig.check_new()
