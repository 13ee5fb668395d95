"""Test rig: a pipeline whose warehouse can be restored to the state before a run."""

from collections import Counter
from contextlib import closing
from typing import NamedTuple

from pipeline.columns import TABLES, history
from tests.faults.checks import sizes
from tests.faults.labels import Label
from tests.faults.observations import CREATE_OBSERVATION, OBSERVE, Observation
from tests.faults.proxied_pipeline import NEW_CATALOGUE, OLD_CATALOGUE, ProxiedPipeline, Services
from tests.places import Place, Rows

ALL_TABLES = ["loads", *map(history, TABLES)]


class State(NamedTuple):
    """State of the warehouse after a clean run."""

    contents: dict[str, Rows]
    observed: Observation


class Rig(NamedTuple):
    """A pipeline that can be restored to its old state; a clean run turns that into the new state.

    `requests`, `bytes_sent` and `bytes_received` (sizes of bodies by service and kind) are those of the clean
    run, `usage` is that of its receipt; `lake` has the keys of the old state.
    """

    pipeline: ProxiedPipeline
    old: State
    new: State
    requests: list[Label]
    bytes_sent: Counter[tuple[str, str]]
    bytes_received: Counter[tuple[str, str]]
    usage: dict[str, int]
    lake: frozenset[str]

    @classmethod
    def prepare(cls, services: Services, load: str) -> "Rig":
        """Runs the pipeline on the old playlists, copies the result, and runs it on the changed playlists."""
        pipeline = ProxiedPipeline.create(services, load)
        services.catalogue_date = OLD_CATALOGUE
        pipeline.rerun()
        pipeline.place.query(CREATE_OBSERVATION)
        old, lake = _state(pipeline), frozenset(sizes(pipeline.place))
        _copy_tables(pipeline)
        services.catalogue_date = NEW_CATALOGUE
        pipeline.rerun()
        new = _state(pipeline)
        assert old.observed.rows != new.observed.rows
        traffic = pipeline.traffic
        return cls(
            pipeline=pipeline,
            old=old,
            new=new,
            requests=list(traffic.seen),
            bytes_sent=traffic.sent,
            bytes_received=traffic.received,
            usage=pipeline.place.receipts()[-1]["usage"],
            lake=lake,
        )

    @property
    def place(self) -> Place:
        """Folder of the lake and database of the pipeline."""
        return self.pipeline.place

    def observe(self) -> Observation:
        """Returns what a reader sees now."""
        return _observe(self.pipeline)

    def check_new(self) -> None:
        """Checks that warehouse, ledger and lake are in the state after a clean run."""
        self.pipeline.check(self.new.contents)
        assert self.observe().is_consistent(self.new.observed)

    def restore(self) -> None:
        """Restores warehouse and lake to the old state."""
        self.pipeline.traffic.wait_quiet()
        with closing(self.pipeline.connect()) as connection, connection.cursor() as cursor:
            cursor.execute("BEGIN")
            cursor.execute("UPDATE writer_lock SET run_id = NULL")  # waits for a killed run's transaction
            for table in ALL_TABLES:
                cursor.execute(f"DELETE FROM {table}")
                cursor.execute(f"INSERT INTO {table} SELECT * FROM saved.{table}")
            cursor.execute("COMMIT")
        for key in sizes(self.place).keys() - self.lake:
            self.place.delete(key)
        assert self.observe() == self.old.observed


def _state(pipeline: ProxiedPipeline) -> State:
    observed = _observe(pipeline)
    assert observed.is_of_one_run(observed)
    return State(pipeline.contents(), observed)


def _observe(pipeline: ProxiedPipeline) -> Observation:
    return Observation.of(pipeline.place.query(OBSERVE))


def _copy_tables(pipeline: ProxiedPipeline) -> None:
    with closing(pipeline.connect()) as connection, connection.cursor() as cursor:
        cursor.execute("CREATE SCHEMA saved")
        cursor.execute("USE SCHEMA playlists")
        for table in ALL_TABLES:
            cursor.execute(f"CREATE TABLE saved.{table} AS SELECT * FROM {table}")
