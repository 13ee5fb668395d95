"""State machine: playlists change, runs crash and are repeated; the warehouse always equals the model."""

from collections import Counter
from collections.abc import Callable
from contextlib import closing, nullcontext, suppress
from datetime import date, timedelta
from functools import partial
from typing import NamedTuple, cast, get_args

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from pipeline.errors import StopRun, Transient
from pipeline.lake.layout import LoadMode
from pipeline.lake.raw_files import RawFile
from pipeline.lake.snapshot_files import keep_snapshot, read_snapshot
from pipeline.lake.snapshots import find_snapshots
from pipeline.records import Envelope, Snapshot
from sandbox.services import Addresses
from tests.builders import body, entry, head, song
from tests.places import Place
from tests.property.crashes import Crash, ProcessKilled, Run, crashes
from tests.property.model import Model, Partition, PlaylistState
from tests.property.readers import Readers, song_name, version
from tests.warehouses import DAY, NOON, Warehouse

PLAYLISTS = [name * 22 for name in "xyz"]
DAYS = [DAY - timedelta(days=age) for age in range(3)]
"""Snapshot dates; runs read playlists on all except the first, for that date or the day before."""
Content = tuple[str, tuple[str | None, ...]]

a_playlist, a_day = st.sampled_from(PLAYLISTS), st.sampled_from(DAYS)
some_playlists = st.sets(a_playlist, min_size=1).map(sorted)
some_entries = st.lists(st.sampled_from(["a", "b", "c", None]), max_size=4).map(tuple)
edited = st.builds(lambda entries: lambda was: (was[0], entries), some_entries)
renamed = st.builds(lambda name: lambda was: (name, was[1]), st.sampled_from(["new", "old", ""]))
reordered = st.just(lambda was: (was[0], was[1][1:] + was[1][:1]))
emptied = st.just(lambda was: (was[0], ()))
changes: st.SearchStrategy[Callable[[Content], Content]] = edited | renamed | reordered | emptied
maybe_crash = st.booleans().flatmap(lambda crash: crashes if crash else st.none())


class Job(NamedTuple):
    """Playlist states that one run publishes, and its options."""

    run_id: str
    states: dict[Partition, PlaylistState]
    refresh: str = "snapshot"
    undo: bool = False


class Pipeline(RuleBasedStateMachine):
    """Rules change playlists or run the pipeline; after each run the warehouse is compared with the model.

    Renaming a rule changes the examples: Hypothesis orders rules by name. Check the counts at the end then.
    """

    def __init__(self, warehouse: Warehouse, readers: Readers, seen: Counter[str]) -> None:
        super().__init__()
        self.warehouse, self.readers, self.seen = warehouse, readers, seen
        self.playlists: dict[str, Content] = dict.fromkeys(PLAYLISTS, ("new", ("a",)))
        self.keys: dict[str, str] = {}
        self.model, self.now, self.has_run = Model(), NOON - timedelta(days=1), False
        self.crashed_job: Job | None = None
        for key in warehouse.place.keys("raw/"):
            warehouse.place.delete(key)
        readers.empty()

    @rule(playlist=a_playlist, change=changes)
    def change(self, playlist: str, change: Callable[[Content], Content]) -> None:
        """Edits, renames, reorders or empties a playlist."""
        self.playlists[playlist] = change(self.playlists[playlist])

    @precondition(lambda self: self.now.date() < DAY)
    @rule()
    def start_next_day(self) -> None:
        """Advances the clock to the next day."""
        self.now += timedelta(days=1)

    @rule(playlists=some_playlists, late=st.booleans(), crash=maybe_crash)
    def ingest(self, playlists: list[str], late: bool, crash: Crash | None) -> None:
        """Runs an ingest for today or for the day before."""
        self._publish(self._keep(playlists, late=late), crash)

    @rule(playlists=some_playlists, late=st.booleans())
    def keep(self, playlists: list[str], late: bool) -> None:
        """Runs an ingest that is killed after it has kept its snapshots; backfills find them."""
        self._keep(playlists, late=late)

    @rule(playlists=some_playlists, late=st.booleans(), crash=maybe_crash)
    def refresh_fully(self, playlists: list[str], late: bool, crash: Crash | None) -> None:
        """Runs an ingest with a full refresh."""
        self._publish(self._keep(playlists, late=late)._replace(refresh="full"), crash)

    @precondition(lambda self: self.model.kept)
    @rule(data=st.data(), one_day=a_day, other_day=a_day, crash=maybe_crash)
    def backfill(self, data: st.DataObject, one_day: date, other_day: date, crash: Crash | None) -> None:
        """Runs a backfill of a date range, with or without `fetched_before`."""
        playlists = data.draw(some_playlists)
        every = sorted(state.fetched_at for states in self.model.kept.values() for state in states)
        before = data.draw(st.none() | st.sampled_from(every))
        first, last = sorted([one_day, other_day])
        best = {
            partition: self.model.best(partition, before)
            for partition in self.model.kept
            if partition[0] in playlists and first <= partition[1] <= last
        }
        states = {partition: state for partition, state in best.items() if state}
        found, left_out, failed = find_snapshots(self.warehouse.lake, playlists, first, last, before)
        assert sorted(one.key for one in found) == sorted(
            self.keys[version(state)] for state in states.values()
        )
        assert {(one.playlist_id, one.snapshot_date) for one in left_out} == best.keys() - states.keys()
        assert failed == []
        if states:
            self._publish(Job(self.warehouse.new_run_id(), states, undo=before is not None), crash)

    @precondition(lambda self: self.model.outranked())
    @rule(data=st.data(), how=st.sampled_from(["snapshot"] * 3 + ["undo", "full"]), crash=maybe_crash)
    def complete_late_run(self, data: st.DataObject, how: str, crash: Crash | None) -> None:
        """Publishes a state that was fetched before another one of the same partition."""
        partition, state = data.draw(st.sampled_from(self.model.outranked()))
        refresh = "full" if how == "full" else "snapshot"
        job = Job(self.warehouse.new_run_id(), {partition: state}, refresh, undo=how == "undo")
        self._publish(job, crash)

    @precondition(lambda self: self.crashed_job)
    @rule(crash=maybe_crash)
    def try_again_after_crash(self, crash: Crash | None) -> None:
        """Repeats the crashed run with the same run id and states."""
        assert self.crashed_job
        self._publish(self.crashed_job, crash)

    @invariant()
    def warehouse_equals_model(self) -> None:
        """Compares after each run, also if it crashed."""
        if self.has_run:
            self.readers.compare(self.model)
        self.has_run = False

    def _keep(self, playlists: list[str], *, late: bool) -> Job:
        """Keeps the current states of playlists, one minute apart."""
        run_id, states = self.warehouse.new_run_id(), {}
        day = self.now.date() - timedelta(days=late)
        for playlist in playlists:
            self.now += timedelta(minutes=1)
            states[playlist, day] = state = PlaylistState(*self.playlists[playlist], self.now)
            total = len(state.entries)
            envelope = Envelope(run_id, playlist, version(state), self.now, "items", total, "test")
            kept = keep_snapshot(self.warehouse.lake, RawFile.of(envelope, [_response(playlist, state)]), day)
            self.keys[version(state)] = kept.key
            self.model.keep((playlist, day), state)
        return Job(run_id, states)

    def _publish(self, job: Job, crash: Crash | None) -> None:
        """Publishes a job in the warehouse and in the model; only a COMMIT changes what readers see."""
        refused = self.model.refuses(job.run_id, job.states, job.refresh)
        outranks_later = self._outranks_later_fetch(job)
        run, done = Run(crash), False
        with suppress(Transient, ProcessKilled), run.injecting():
            self._write_and_load(job, refused=refused)
            done = True
        assert done or run.crashed
        if run.committed or (done and not refused):
            self.model.load(job.run_id, job.states, job.refresh, undo=job.undo)
            self.seen["same day over next day"] += outranks_later and not job.undo
        if not done:
            self.crashed_job = job
        elif job == self.crashed_job:
            self.crashed_job = None
        self.has_run = True
        self._count(run, done=done, refused=refused, loaded=self.model.has_loaded(job.run_id))

    def _write_and_load(self, job: Job, *, refused: bool) -> None:
        kept: dict[date, list[Snapshot]] = {}
        for (_, day), state in job.states.items():
            kept.setdefault(day, []).append(read_snapshot(self.warehouse.lake, self.keys[version(state)]))
        manifest = self.warehouse.write_snapshots(job.run_id, kept)
        with pytest.raises(StopRun, match="that rank higher") if refused else nullcontext():
            self.warehouse.load(job.run_id, manifest, refresh=job.refresh, ignore_rank=job.undo)

    def _outranks_later_fetch(self, job: Job) -> bool:
        """Returns True if a state fetched on its date replaces one fetched on the next day."""
        shown = [
            (state, self.model.published[part].state, part[1])
            for part, state in job.states.items()
            if part in self.model.published
        ]
        return any(
            state.fetched_at.date() == day < current.fetched_at.date() for state, current, day in shown
        )

    def _count(self, run: Run, *, done: bool, refused: bool, loaded: bool) -> None:
        self.seen["runs"] += 1
        self.seen["refused"] += refused and done
        self.seen["outranked"] += done and not refused and not loaded
        if run.crashed and run.crash:
            how = f"{run.crash.where} {'applied' if run.crash.applied else 'not sent'}"
            self.seen.update(["crashes", how, "killed" if run.crash.kills else "lost"])


def _response(playlist: str, state: PlaylistState) -> bytes:
    entries = [one and entry(song(one, name=song_name(one, state))) for one in state.entries]
    return body(head(entries, id_=playlist, name=state.name, snapshot_id=version(state)))


def _run(addresses: Addresses, mode: LoadMode, examples: int, steps: int) -> Counter[str]:
    warehouse, seen = Warehouse(Place.create(addresses), mode), Counter[str]()
    warehouse.set_up()
    with closing(Readers(warehouse.place)) as readers:
        run_state_machine_as_test(
            cast("type[RuleBasedStateMachine]", partial(Pipeline, warehouse, readers, seen)),
            settings=settings(
                max_examples=examples,
                stateful_step_count=steps,
                deadline=None,
                derandomize=True,
                phases=[Phase.generate],  # shrinking a failure would take minutes
                suppress_health_check=list(HealthCheck),
            ),
        )
    return seen


CRASHES = {f"{where} {how}" for where in ("statement", "file", "commit") for how in ("applied", "not sent")}


@pytest.mark.parametrize("mode", ["copy", pytest.param("snowpipe", marks=pytest.mark.faults)])
def test_the_warehouse_equals_the_model(addresses: Addresses, mode: LoadMode) -> None:
    seen = _run(addresses, mode, examples=3, steps=12)
    assert seen["runs"] > seen["crashes"] >= 3
    assert seen["commit applied"] > 0


@pytest.mark.faults
@pytest.mark.parametrize("mode", get_args(LoadMode))
def test_the_warehouse_equals_the_model_in_long_sequences(addresses: Addresses, mode: LoadMode) -> None:
    seen = _run(addresses, mode, examples=12, steps=25)
    assert seen["runs"] > seen["crashes"] >= 40
    assert {what for what in seen if seen[what]} >= CRASHES | {
        "killed",
        "lost",
        "refused",
        "outranked",
        "same day over next day",
    }
