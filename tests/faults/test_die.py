"""A run is killed at each of its requests and simply run again: as if nothing had happened."""

import signal
from typing import get_args

import pytest

from tests.faults.clean_run import COMMITTED, cases, labels
from tests.faults.conftest import LOADS
from tests.faults.injected import When, killed
from tests.faults.labels import Label
from tests.faults.looks import Reader
from tests.faults.rig import Rig

ALWAYS = {
    ("copy", "snowflake COMMIT 1", "after"),
}
"""What every run of the tests tries; `make test-faults` tries all."""


@pytest.mark.parametrize(
    ("load", "label", "when"), cases({load: labels(load) for load in LOADS}, get_args(When), ALWAYS)
)
def test_killed_at_a_request_and_run_again(rig: Rig, label: Label, when: When) -> None:
    rig.pipeline.arm(label, killed(when, rig.pipeline.latest))
    with Reader(rig.place) as reader:
        process = rig.pipeline.start()
        assert process.end().exit_code == -signal.SIGKILL
        assert rig.pipeline.traffic.fired == [label]
        now = rig.new if is_loaded(rig.pipeline.load, label, when) else rig.old
        assert rig.look().is_of_one_run(now.seen)
        rig.pipeline.rerun()

    assert all(look.is_of_one_run(rig.old.seen, rig.new.seen) for look in reader.looks)
    rig.check_new()


def is_loaded(load: str, label: Label, when: When) -> bool:
    """Whether a run that dies there has committed its load."""
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
"""What a run asks for once its load is committed."""
