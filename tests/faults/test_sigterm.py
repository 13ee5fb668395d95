"""A run is told to stop at each of its steps: it is gone in time, says so, and leaves nothing half done."""

import re

import pytest
import requests

from tests.faults.clean_run import COMMITTED
from tests.faults.injected import terminated
from tests.faults.labels import Label
from tests.faults.looks import Reader
from tests.faults.processes import End
from tests.faults.rig import Rig

GRACE_S = 30
"""What a container has between SIGTERM and SIGKILL."""
EITHER_LOAD = {
    "keep": Label("spotify", "page", 3),
    "kept": Label("s3", "PUT raw", 2),
    "setup": Label("snowflake", "login", 2),
    "version": Label("snowflake", "SELECT", 2),
    "read": Label("s3", "GET raw", 2),
    "write": Label("s3", "PUT tables", 4),
    "receipt": Label("s3", "PUT runs"),
}
STEPS = {
    "copy": {
        **EITHER_LOAD,
        "load": Label("snowflake", "DELETE", 4),
        "commit": COMMITTED["copy"],
    },
    "snowpipe": {
        **EITHER_LOAD,
        "stale": Label("snowflake", "DELETE", 4),  # what dead runs left in landing
        "pipes": Label("snowflake", "POLL", 4),
        "load": Label("snowflake", "DELETE", 12),
        "commit": COMMITTED["snowpipe"],
        "promoted": Label("snowflake", "DELETE", 20),
    },
}
ALWAYS = {("copy", "load", "answered")}
"""What every run of the tests tries; `make test-faults` tries all."""


def cases() -> list[object]:
    """Every step, while its service answers and while it hangs."""
    return [
        pytest.param(
            load,
            label,
            service == "answered",
            marks=[] if (load, step, service) in ALWAYS else pytest.mark.faults,
            id=f"{load}-{step}-{service}",
        )
        for load, steps in STEPS.items()
        for step, label in steps.items()
        for service in ("answered", "hanging")
    ]


@pytest.mark.parametrize(("load", "label", "answered"), cases())
def test_terminated_at_a_step(rig: Rig, prefect_api: dict[str, str], label: Label, answered: bool) -> None:
    rig.pipeline.arm(label, terminated(rig.pipeline.latest, answered=answered))
    with Reader(rig.place) as reader:
        process = rig.pipeline.start()
        rig.pipeline.traffic.wait_seen(label)
        end = process.end(within_s=GRACE_S)
        assert rig.pipeline.traffic.fired == [label]
        assert state_of(prefect_api, end) in {"CRASHED", "CANCELLED", "FAILED"}, end
        rig.pipeline.rerun()

    assert all(look.is_of_one_run(rig.old.seen, rig.new.seen) for look in reader.looks)
    rig.check_new()


def state_of(environment: dict[str, str], end: End) -> str:
    """The state of the flow run that Prefect shows."""
    (flow_run,) = set(re.findall(r"flow-run/([0-9a-f-]{36})", end.log))
    answer = requests.get(f"{environment['PREFECT_API_URL']}/flow_runs/{flow_run}", timeout=10)
    return str(answer.json()["state_type"])
