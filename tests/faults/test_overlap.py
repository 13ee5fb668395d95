"""Concurrent runs of the same playlists, and a run killed while it holds the writer lock."""

from contextlib import closing

import pytest

from tests.conftest import IDLE_ABORT_S
from tests.faults.conftest import EACH_LOAD
from tests.faults.injected import MAX_WAIT_S
from tests.faults.labels import Label
from tests.faults.observations import Reader
from tests.faults.processes import FlowProcess
from tests.faults.rig import Rig

pytestmark = EACH_LOAD


@pytest.mark.parametrize(
    ("runs", "rounds"),
    [pytest.param(*many, marks=pytest.mark.faults) for many in [(3, 1), (3, 2), (8, 8)]],
)
def test_concurrent_runs_complete_and_readers_see_consistent_states(rig: Rig, runs: int, rounds: int) -> None:
    for _ in range(rounds):
        rig.restore()
        rig.pipeline.traffic.reset(together=runs)
        with Reader(rig.place) as reader:
            ends = [process.end() for process in started_together(rig, runs)]

        assert [(end.exit_code, end.state) for end in ends] == [(0, "COMPLETED")] * runs, ends
        assert all(one.is_consistent(rig.old.observed, rig.new.observed) for one in reader.observations)
        assert len(rig.place.receipts()) == 1 + runs
        rig.check_new()


@pytest.mark.faults
def test_a_run_waits_until_the_transaction_of_a_killed_run_is_aborted(rig: Rig) -> None:
    lock = Label("snowflake", "UPDATE")
    rig.pipeline.traffic.reset()
    with closing(rig.pipeline.connect()) as killed, Reader(rig.place) as reader:
        killed.cursor().execute("BEGIN")
        killed.cursor().execute("UPDATE writer_lock SET run_id = 'killed'")
        killed.cursor().execute("DELETE FROM songs_history")
        waiting = rig.pipeline.start()
        while lock not in rig.pipeline.traffic.seen:
            killed.cursor().execute(
                "SELECT 1"
            )  # keeps the session alive: an idle transaction would be aborted
        end = waiting.end()

    assert end.state == "COMPLETED", end
    assert rig.pipeline.traffic.seconds[lock] > IDLE_ABORT_S / 2
    assert all(one.is_of_one_run(rig.old.observed, rig.new.observed) for one in reader.observations)
    rig.check_new()


def started_together(rig: Rig, runs: int) -> list[FlowProcess]:
    """Starts runs one by one, to spare Prefect's SQLite; they wait for each other at their token request."""
    processes = []
    for number in range(1, runs + 1):
        processes.append(rig.pipeline.start(MAX_WAIT_S, skip_unchanged=False))
        rig.pipeline.traffic.wait_seen(Label("spotify", "token", number))
    return processes
