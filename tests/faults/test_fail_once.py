"""A request fails once: the run succeeds all the same, with the tables of a clean run."""

import pytest

from tests.faults.clean_run import cases, first_and_last_of_each_table_loop, labels
from tests.faults.conftest import LOADS
from tests.faults.injected import FAILURES
from tests.faults.labels import Label
from tests.faults.looks import Reader
from tests.faults.rig import Rig

ALWAYS = {
    ("copy", "snowflake COMMIT 1", "lost answer"),
}
"""What every run of the tests tries; `make test-faults` tries all."""
SHORT_TIMEOUT_S = 1.0


@pytest.mark.parametrize(
    ("load", "label", "failure"),
    cases({load: first_and_last_of_each_table_loop(labels(load)) for load in LOADS}, FAILURES, ALWAYS),
)
def test_a_request_that_fails_once(rig: Rig, label: Label, failure: str) -> None:
    rig.pipeline.arm(label, FAILURES[failure])
    with Reader(rig.place) as reader:
        end = rig.pipeline.start(SHORT_TIMEOUT_S if failure == "silence" else None).end()

    assert rig.pipeline.traffic.fired == [label]
    assert (end.exit_code, end.state) == (0, "COMPLETED"), end
    assert all(look.is_of_one_run(rig.old.seen, rig.new.seen) for look in reader.looks)
    assert len(rig.place.receipts()) == 2
    rig.check_new()
