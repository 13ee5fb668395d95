"""SIGTERM at any step: the run exits in time, reports its state, and leaves nothing half done."""

import re

import pytest
import requests

from tests.faults.clean_run import COMMITTED
from tests.faults.injected import terminated
from tests.faults.labels import Label
from tests.faults.observations import Reader
from tests.faults.processes import End
from tests.faults.rig import Rig

GRACE_S = 30
"""Time between SIGTERM and SIGKILL of a container."""
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
        "stale": Label("snowflake", "DELETE", 4),  # stale rows in landing
        "pipes": Label("snowflake", "POLL", 4),
        "load": Label("snowflake", "DELETE", 12),
        "commit": COMMITTED["snowpipe"],
        "promoted": Label("snowflake", "DELETE", 20),
    },
}
ALWAYS = {("copy", "load", "responsive")}
"""Cases of `make test`; `make test-faults` runs all."""


def cases() -> list[object]:
    """Every step, with a responsive and with an unresponsive service."""
    return [
        pytest.param(
            load,
            label,
            service == "responsive",
            marks=[] if (load, step, service) in ALWAYS else pytest.mark.faults,
            id=f"{load}-{step}-{service}",
        )
        for load, steps in STEPS.items()
        for step, label in steps.items()
        for service in ("responsive", "unresponsive")
    ]


@pytest.mark.parametrize(("load", "label", "responsive"), cases())
def test_a_run_terminated_at_a_step_exits_in_time_and_the_next_run_completes(
    rig: Rig, prefect_api: dict[str, str], label: Label, responsive: bool
) -> None:
    rig.pipeline.arm(label, terminated(rig.pipeline.latest, responsive=responsive))
    with Reader(rig.place) as reader:
        process = rig.pipeline.start()
        rig.pipeline.traffic.wait_seen(label)
        end = process.end(within_s=GRACE_S)
        assert rig.pipeline.traffic.fired == [label]
        assert state_of(prefect_api, end) in {"CRASHED", "CANCELLED", "FAILED"}, end
        rig.pipeline.rerun()

    assert all(one.is_of_one_run(rig.old.observed, rig.new.observed) for one in reader.observations)
    rig.check_new()


def state_of(environment: dict[str, str], end: End) -> str:
    """State type of the flow run in Prefect."""
    (flow_run,) = set(re.findall(r"flow-run/([0-9a-f-]{36})", end.log))
    response = requests.get(f"{environment['PREFECT_API_URL']}/flow_runs/{flow_run}", timeout=10)
    return str(response.json()["state_type"])
