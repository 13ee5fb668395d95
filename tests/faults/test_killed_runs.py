"""A run killed at any of its requests: the next run completes as if nothing had happened."""

import signal
from typing import get_args

import pytest

from tests.faults.clean_run import COMMITTED, cases, labels
from tests.faults.conftest import LOADS
from tests.faults.injected import When, killed
from tests.faults.labels import Label
from tests.faults.observations import Reader
from tests.faults.rig import Rig

ALWAYS = {
    ("copy", "snowflake COMMIT 1", "after"),
}
"""Cases of `make test`; `make test-faults` runs all."""


@pytest.mark.parametrize(
    ("load", "label", "when"), cases({load: labels(load) for load in LOADS}, get_args(When), ALWAYS)
)
def test_a_run_killed_at_a_request_is_completed_by_the_next_run(rig: Rig, label: Label, when: When) -> None:
    rig.pipeline.arm(label, killed(when, rig.pipeline.latest))
    with Reader(rig.place) as reader:
        process = rig.pipeline.start()
        assert process.end().exit_code == -signal.SIGKILL
        assert rig.pipeline.traffic.fired == [label]
        now = rig.new if is_loaded(rig.pipeline.load, label, when) else rig.old
        assert rig.observe().is_of_one_run(now.observed)
        rig.pipeline.rerun()

    assert all(one.is_of_one_run(rig.old.observed, rig.new.observed) for one in reader.observations)
    rig.check_new()


def is_loaded(load: str, label: Label, when: When) -> bool:
    """Returns True if a run killed there has committed its load."""
    return label in LATER[load] or (label == COMMITTED[load] and when == "after")


AFTER_EVERY_LOAD = {
    Label("s3", "PUT runs"),
    Label("s3", "PUT reports"),
    Label("snowflake", "login", 4),
    *(Label("snowflake", "WITH", number) for number in range(1, 8)),
    *(Label("snowflake", "logout", number) for number in (3, 4)),
}
LATER = {
    "copy": AFTER_EVERY_LOAD,
    "snowpipe": AFTER_EVERY_LOAD
    | {Label("snowflake", "COMMIT", 3)}
    | {Label("snowflake", "DELETE", number) for number in range(17, 25)},  # in landing
}
"""Requests after the COMMIT of the load."""
