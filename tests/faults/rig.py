"""A pipeline between two states of its warehouse: what an earlier run left, and what the next one makes."""

from collections import Counter
from contextlib import closing
from typing import NamedTuple

from pipeline.columns import TABLES, history
from tests.faults.checks import sizes
from tests.faults.labels import Label
from tests.faults.looks import CREATE_LOOKS, LOOK, Look
from tests.faults.watched import SHOWN_BEFORE, SHOWN_NOW, Services, Watched
from tests.places import Place, Rows

STORED = ["loads", *map(history, TABLES)]


class State(NamedTuple):
    """What a clean run left in the warehouse."""

    contents: dict[str, Rows]
    seen: Look


class Rig(NamedTuple):
    """A pipeline that can be put back to its old state; from there a clean run makes these requests.

    The bytes of bodies are by service and kind; `usage` is what the run's receipt says.
    """

    pipeline: Watched
    old: State
    new: State
    requests: list[Label]
    bytes_sent: Counter[tuple[str, str]]
    bytes_answered: Counter[tuple[str, str]]
    usage: dict[str, int]
    lake: frozenset[str]

    @classmethod
    def prepare(cls, services: Services, load: str) -> "Rig":
        """A run of what was, kept to be put back, then a run of what is now."""
        pipeline = Watched.create(services, load)
        services.shown = SHOWN_BEFORE
        pipeline.rerun()
        pipeline.place.query(CREATE_LOOKS)
        old, lake = _state(pipeline), frozenset(sizes(pipeline.place))
        _keep(pipeline)
        services.shown = SHOWN_NOW
        pipeline.rerun()
        new = _state(pipeline)
        assert old.seen.rows != new.seen.rows
        traffic = pipeline.traffic
        return cls(
            pipeline=pipeline,
            old=old,
            new=new,
            requests=list(traffic.seen),
            bytes_sent=traffic.sent,
            bytes_answered=traffic.answered,
            usage=pipeline.place.receipts()[-1]["usage"],
            lake=lake,
        )

    @property
    def place(self) -> Place:
        """Where the pipeline keeps its things."""
        return self.pipeline.place

    def look(self) -> Look:
        """What a reader sees now."""
        return _look(self.pipeline)

    def check_new(self) -> None:
        """Warehouse, ledger and lake are what a clean run leaves."""
        self.pipeline.check(self.new.contents)
        assert self.look().is_whole(self.new.seen)

    def restore(self) -> None:
        """Puts warehouse and lake back to what was before the run."""
        self.pipeline.traffic.wait_quiet()
        with closing(self.pipeline.connect()) as connection, connection.cursor() as cursor:
            cursor.execute("BEGIN")
            cursor.execute("UPDATE writer_lock SET run_id = NULL")  # waits for what a killed run left open
            for table in STORED:
                cursor.execute(f"DELETE FROM {table}")
                cursor.execute(f"INSERT INTO {table} SELECT * FROM kept.{table}")
            cursor.execute("COMMIT")
        for key in sizes(self.place).keys() - self.lake:
            self.place.delete(key)
        assert self.look() == self.old.seen


def _state(pipeline: Watched) -> State:
    seen = _look(pipeline)
    assert seen.is_of_one_run(seen)
    return State(pipeline.contents(), seen)


def _look(pipeline: Watched) -> Look:
    return Look.of(pipeline.place.query(LOOK))


def _keep(pipeline: Watched) -> None:
    with closing(pipeline.connect()) as connection, connection.cursor() as cursor:
        cursor.execute("CREATE SCHEMA kept")
        cursor.execute("USE SCHEMA playlists")
        for table in STORED:
            cursor.execute(f"CREATE TABLE kept.{table} AS SELECT * FROM {table}")
