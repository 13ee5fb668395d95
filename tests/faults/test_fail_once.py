"""A request that fails once: the run still completes, with the tables of a clean run."""

import pytest

from tests.faults.clean_run import cases, first_and_last_of_each_table_loop, labels
from tests.faults.conftest import LOADS
from tests.faults.injected import FAILURES
from tests.faults.labels import Label
from tests.faults.observations import Reader
from tests.faults.rig import Rig

ALWAYS = {
    ("copy", "snowflake COMMIT 1", "lost response"),
}
"""Cases of `make test`; `make test-faults` runs all."""
READ_TIMEOUT_S = 1.0


@pytest.mark.parametrize(
    ("load", "label", "failure"),
    cases({load: first_and_last_of_each_table_loop(labels(load)) for load in LOADS}, FAILURES, ALWAYS),
)
def test_a_run_completes_if_a_request_fails_once(rig: Rig, label: Label, failure: str) -> None:
    rig.pipeline.arm(label, FAILURES[failure])
    with Reader(rig.place) as reader:
        end = rig.pipeline.start(READ_TIMEOUT_S if failure == "silence" else None).end()

    assert rig.pipeline.traffic.fired == [label]
    assert (end.exit_code, end.state) == (0, "COMPLETED"), end
    assert all(one.is_of_one_run(rig.old.observed, rig.new.observed) for one in reader.observations)
    assert len(rig.place.receipts()) == 2
    rig.check_new()
