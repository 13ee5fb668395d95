"""Playlists change, runs break off and are run again: the warehouse is always what the model says."""

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
from tests.property.crashes import Crash, Died, Run, crashes
from tests.property.model import Look, Model, Partition
from tests.property.readers import Readers, song_name, version
from tests.warehouses import DAY, NOON, Warehouse

PLAYLISTS = [name * 22 for name in "xyz"]
DAYS = [DAY - timedelta(days=age) for age in range(3)]
"""Playlists are read on all but the first of them: today's, or the day before's."""
Content = tuple[str, tuple[str | None, ...]]

a_playlist, a_day = st.sampled_from(PLAYLISTS), st.sampled_from(DAYS)
some_playlists = st.sets(a_playlist, min_size=1).map(sorted)
some_entries = st.lists(st.sampled_from(["a", "b", "c", None]), max_size=4).map(tuple)
edited = st.builds(lambda entries: lambda was: (was[0], entries), some_entries)
renamed = st.builds(lambda name: lambda was: (name, was[1]), st.sampled_from(["new", "old", ""]))
reordered = st.just(lambda was: (was[0], was[1][1:] + was[1][:1]))
emptied = st.just(lambda was: (was[0], ()))
changes: st.SearchStrategy[Callable[[Content], Content]] = edited | renamed | reordered | emptied
maybe_crash = st.booleans().flatmap(lambda breaks: crashes if breaks else st.none())


class Job(NamedTuple):
    """What one run publishes, and how."""

    run_id: str
    looks: dict[Partition, Look]
    refresh: str = "snapshot"
    undo: bool = False


class Pipeline(RuleBasedStateMachine):
    """Rules change playlists or run the pipeline; whatever a run did is compared with the model."""

    def __init__(self, warehouse: Warehouse, readers: Readers, seen: Counter[str]) -> None:
        super().__init__()
        self.warehouse, self.readers, self.seen = warehouse, readers, seen
        self.playlists: dict[str, Content] = dict.fromkeys(PLAYLISTS, ("new", ("a",)))
        self.keys: dict[str, str] = {}
        self.model, self.now, self.has_run = Model(), NOON - timedelta(days=1), False
        self.broken_off: Job | None = None
        for key in warehouse.place.keys("raw/"):
            warehouse.place.delete(key)
        readers.empty()

    @rule(playlist=a_playlist, change=changes)
    def change(self, playlist: str, change: Callable[[Content], Content]) -> None:
        """A playlist is edited, renamed, reordered or emptied."""
        self.playlists[playlist] = change(self.playlists[playlist])

    @precondition(lambda self: self.now.date() < DAY)
    @rule()
    def sleep(self) -> None:
        """The next day begins."""
        self.now += timedelta(days=1)

    @rule(playlists=some_playlists, late=st.booleans(), crash=maybe_crash)
    def ingest(self, playlists: list[str], late: bool, crash: Crash | None) -> None:
        """A run reads playlists as they are now, for today or for the day before."""
        self._publish(self._keep(playlists, late=late), crash)

    @rule(playlists=some_playlists, late=st.booleans())
    def keep(self, playlists: list[str], late: bool) -> None:
        """A run that dies once it has kept playlists; backfills find them."""
        self._keep(playlists, late=late)

    @rule(playlists=some_playlists, late=st.booleans(), crash=maybe_crash)
    def refresh_fully(self, playlists: list[str], late: bool, crash: Crash | None) -> None:
        """A run that leaves nothing else in the warehouse."""
        self._publish(self._keep(playlists, late=late)._replace(refresh="full"), crash)

    @precondition(lambda self: self.model.kept)
    @rule(data=st.data(), one_day=a_day, other_day=a_day, crash=maybe_crash)
    def backfill(self, data: st.DataObject, one_day: date, other_day: date, crash: Crash | None) -> None:
        """A run that publishes again what is kept of the dates, or what was fetched before a look."""
        playlists = data.draw(some_playlists)
        every = sorted(look.fetched_at for looks in self.model.kept.values() for look in looks)
        before = data.draw(st.none() | st.sampled_from(every))
        first, last = sorted([one_day, other_day])
        best = {
            partition: self.model.best(partition, before)
            for partition in self.model.kept
            if partition[0] in playlists and first <= partition[1] <= last
        }
        looks = {partition: look for partition, look in best.items() if look}
        found, left_out, failed = find_snapshots(self.warehouse.lake, playlists, first, last, before)
        assert sorted(one.key for one in found) == sorted(self.keys[version(look)] for look in looks.values())
        assert {(one.playlist_id, one.snapshot_date) for one in left_out} == best.keys() - looks.keys()
        assert failed == []
        if looks:
            self._publish(Job(self.warehouse.new_run_id(), looks, undo=before is not None), crash)

    @precondition(lambda self: self.model.beaten())
    @rule(data=st.data(), how=st.sampled_from(["as ever"] * 3 + ["undo", "full"]), crash=maybe_crash)
    def come_late(self, data: st.DataObject, how: str, crash: Crash | None) -> None:
        """A run that has read a playlist before another one did, and publishes it now."""
        partition, look = data.draw(st.sampled_from(self.model.beaten()))
        refresh = "full" if how == "full" else "snapshot"
        job = Job(self.warehouse.new_run_id(), {partition: look}, refresh, undo=how == "undo")
        self._publish(job, crash)

    @precondition(lambda self: self.broken_off)
    @rule(crash=maybe_crash)
    def try_again(self, crash: Crash | None) -> None:
        """The run that broke off once more: same run id, same looks."""
        assert self.broken_off
        self._publish(self.broken_off, crash)

    @invariant()
    def readers_see_what_the_model_says(self) -> None:
        """After each run, whether or not it broke off."""
        if self.has_run:
            self.readers.compare(self.model)
        self.has_run = False

    def _keep(self, playlists: list[str], *, late: bool) -> Job:
        """Keeps playlists as they are now, each a minute after the other."""
        run_id, looks = self.warehouse.new_run_id(), {}
        day = self.now.date() - timedelta(days=late)
        for playlist in playlists:
            self.now += timedelta(minutes=1)
            looks[playlist, day] = look = Look(*self.playlists[playlist], self.now)
            total = len(look.entries)
            envelope = Envelope(run_id, playlist, version(look), self.now, "items", total, "test")
            kept = keep_snapshot(self.warehouse.lake, RawFile.of(envelope, [_answer(playlist, look)]), day)
            self.keys[version(look)] = kept.key
            self.model.keep((playlist, day), look)
        return Job(run_id, looks)

    def _publish(self, job: Job, crash: Crash | None) -> None:
        """Runs what follows the keeping, here and in the model; only a COMMIT changes what readers see."""
        refused = self.model.refuses(job.run_id, job.looks, job.refresh)
        beats_later = self._beats_what_was_fetched_later(job)
        run, done = Run(crash), False
        with suppress(Transient, Died), run.breaking():
            self._write_and_load(job, refused=refused)
            done = True
        assert done or run.crashed
        if run.committed or (done and not refused):
            self.model.load(job.run_id, job.looks, job.refresh, undo=job.undo)
            self.seen["true over late"] += beats_later and not job.undo
        if not done:
            self.broken_off = job
        elif job == self.broken_off:
            self.broken_off = None
        self.has_run = True
        self._count(run, done=done, refused=refused, placed=self.model.has_loaded(job.run_id))

    def _write_and_load(self, job: Job, *, refused: bool) -> None:
        kept: dict[date, list[Snapshot]] = {}
        for (_, day), look in job.looks.items():
            kept.setdefault(day, []).append(read_snapshot(self.warehouse.lake, self.keys[version(look)]))
        manifest = self.warehouse.write_snapshots(job.run_id, kept)
        with pytest.raises(StopRun, match="that rank higher") if refused else nullcontext():
            self.warehouse.load(job.run_id, manifest, refresh=job.refresh, ignore_rank=job.undo)

    def _beats_what_was_fetched_later(self, job: Job) -> bool:
        """Whether a look of the day itself meets one of the day after in the warehouse."""
        shown = [
            (look, self.model.shown[part].look, part[1])
            for part, look in job.looks.items()
            if part in self.model.shown
        ]
        return any(look.fetched_at.date() == day < there.fetched_at.date() for look, there, day in shown)

    def _count(self, run: Run, *, done: bool, refused: bool, placed: bool) -> None:
        self.seen["runs"] += 1
        self.seen["refused"] += refused and done
        self.seen["too late"] += done and not refused and not placed
        if run.crashed and run.crash:
            how = f"{run.crash.where} {'applied' if run.crash.applied else 'not sent'}"
            self.seen.update(["crashes", how, "died" if run.crash.dies else "lost"])


def _answer(playlist: str, look: Look) -> bytes:
    entries = [one and entry(song(one, name=song_name(one, look))) for one in look.entries]
    return body(head(entries, id_=playlist, name=look.name, snapshot_id=version(look)))


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
                phases=[Phase.generate],  # to shrink a failure would take minutes
                suppress_health_check=list(HealthCheck),
            ),
        )
    return seen


BREAKS = {f"{where} {how}" for where in ("statement", "file", "commit") for how in ("applied", "not sent")}


@pytest.mark.parametrize("mode", ["copy", pytest.param("snowpipe", marks=pytest.mark.faults)])
def test_the_warehouse_is_what_the_model_says(addresses: Addresses, mode: LoadMode) -> None:
    seen = _run(addresses, mode, examples=3, steps=12)
    assert seen["runs"] > seen["crashes"] >= 3
    assert seen["commit applied"] > 0


@pytest.mark.faults
@pytest.mark.parametrize("mode", get_args(LoadMode))
def test_the_warehouse_is_what_the_model_says_for_long(addresses: Addresses, mode: LoadMode) -> None:
    seen = _run(addresses, mode, examples=12, steps=25)
    assert seen["runs"] > seen["crashes"] >= 40
    assert {what for what in seen if seen[what]} >= BREAKS | {
        "died",
        "lost",
        "refused",
        "too late",
        "true over late",
    }
