"""Runs of the same playlists at the same time, and one that dies where others have to wait for it."""

from contextlib import closing

import pytest

from tests.conftest import IDLE_ABORT_S
from tests.faults.conftest import EACH_LOAD
from tests.faults.injected import PATIENCE_S
from tests.faults.labels import Label
from tests.faults.looks import Reader
from tests.faults.processes import FlowProcess
from tests.faults.rig import Rig

pytestmark = EACH_LOAD


@pytest.mark.parametrize(
    ("runs", "rounds"),
    [pytest.param(*many, marks=pytest.mark.faults) for many in [(3, 1), (3, 2), (8, 8)]],
)
def test_overlapping_runs(rig: Rig, runs: int, rounds: int) -> None:
    for _ in range(rounds):
        rig.restore()
        rig.pipeline.traffic.reset(together=runs)
        with Reader(rig.place) as reader:
            ends = [process.end() for process in started_together(rig, runs)]

        assert [(end.exit_code, end.state) for end in ends] == [(0, "COMPLETED")] * runs, ends
        assert all(look.is_whole(rig.old.seen, rig.new.seen) for look in reader.looks)
        assert len(rig.place.receipts()) == 1 + runs
        rig.check_new()


@pytest.mark.faults
def test_a_run_waits_for_one_that_died_inside_its_transaction(rig: Rig) -> None:
    lock = Label("snowflake", "UPDATE")
    rig.pipeline.traffic.reset()
    with closing(rig.pipeline.connect()) as dying, Reader(rig.place) as reader:
        dying.cursor().execute("BEGIN")
        dying.cursor().execute("UPDATE writer_lock SET run_id = 'dying'")
        dying.cursor().execute("DELETE FROM songs_history")
        waiting = rig.pipeline.start()
        while lock not in rig.pipeline.traffic.seen:
            dying.cursor().execute("SELECT 1")  # it lives; without a word from it, it is taken for dead
        end = waiting.end()

    assert end.state == "COMPLETED", end
    assert rig.pipeline.traffic.seconds[lock] > IDLE_ABORT_S / 2
    assert all(look.is_of_one_run(rig.old.seen, rig.new.seen) for look in reader.looks)
    rig.check_new()


def started_together(rig: Rig, runs: int) -> list[FlowProcess]:
    """One after the other, for Prefect's server on SQLite; then all go on at the same moment."""
    processes = []
    for number in range(1, runs + 1):
        processes.append(rig.pipeline.start(PATIENCE_S, skip_unchanged=False))
        rig.pipeline.traffic.wait_seen(Label("spotify", "token", number))
    return processes
