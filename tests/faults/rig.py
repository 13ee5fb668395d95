"""One pipeline behind proxies, and the two states of its warehouse: before a run and after it."""

from contextlib import closing
from dataclasses import dataclass, field
from datetime import date
from itertools import count
from pathlib import Path
from typing import NamedTuple

from snowflake.connector import SnowflakeConnection

from flows.transform.schema import TABLES
from sandbox.account import connect
from sandbox.spotify.catalogue import CHARTS, EMPTIED, MIXTAPE
from tests.faults.checks import ledger_gaps, missing_files, repeated_keys, sizes
from tests.faults.injected import Fault
from tests.faults.labels import Label
from tests.faults.looks import CREATE_LOOKS, LOOK, Look
from tests.faults.processes import End, FlowProcess
from tests.faults.proxy import Traffic
from tests.places import Place, Rows

DAY = date(2026, 11, 20)
SHOWN_BEFORE, SHOWN_NOW = date(2026, 11, 13), date(2026, 11, 20)
"""What Spotify shows of that day, first and later: every playlist has changed."""
PLAYLISTS = [CHARTS[0], MIXTAPE, EMPTIED]
"""A short one; one of 320 entries with rejects; one that is emptied meanwhile."""
STORED = ["writer_lock", "loads", *(f"{table}_history" for table in TABLES)]


class State(NamedTuple):
    """What a clean run left in the warehouse."""

    contents: dict[str, Rows]
    seen: Look


@dataclass
class Rig:
    """A pipeline whose requests pass through proxies; `prepare` makes the two states."""

    place: Place
    traffic: Traffic
    blocks: dict[str, str]
    home: Path
    load: str
    shown: list[date] = field(default_factory=lambda: [SHOWN_BEFORE])

    def prepare(self) -> None:
        """A run of what was, kept for later tests, then a run of what is now."""
        self._numbers = count()
        self._clean_run()
        self.place.query(CREATE_LOOKS)
        self.old = self._state()
        self._keep()
        self.shown[:] = [SHOWN_NOW]
        self._clean_run()
        self.new, self.requests = self._state(), list(self.traffic.seen)
        for seen in (self.old.seen, self.new.seen):
            assert seen.is_of_one_run(seen)
        assert self.old.seen.rows != self.new.seen.rows

    def start(self, timeout_s: float | None = None, **parameters: object) -> FlowProcess:
        """Starts a run in a process of its own."""
        given = {"playlists": PLAYLISTS, "snapshot_date": DAY, "load": self.load, **self.blocks, **parameters}
        return FlowProcess(given, self.home / f"run-{next(self._numbers)}.log", timeout_s)

    def arm(self, label: Label, fault: Fault) -> None:
        """The next run meets the fault at this request."""
        self.traffic.reset(label, fault)

    def rerun(self) -> End:
        """Runs the flow undisturbed."""
        self.traffic.wait_quiet()
        self.traffic.reset()
        return self.start().end()

    def look(self) -> Look:
        """What a reader sees now."""
        return Look.of(self.place.query(LOOK))

    def check_new(self) -> None:
        """Warehouse, ledger and lake are what a clean run leaves."""
        assert self.place.contents(TABLES) == self.new.contents
        assert self.look().is_whole(self.new.seen)
        assert repeated_keys(self.place) == []
        assert ledger_gaps(self.place) == []
        assert missing_files(self.place) == []

    def restore(self) -> None:
        """Puts warehouse and lake back to what was before the run."""
        self.traffic.wait_quiet()
        with closing(self.connect()) as connection, connection.cursor() as cursor:
            cursor.execute("BEGIN")
            cursor.execute("UPDATE writer_lock SET run_id = NULL")  # waits for what a killed run left open
            for table in STORED[1:]:
                cursor.execute(f"DELETE FROM {table}")
                cursor.execute(f"INSERT INTO {table} SELECT * FROM kept.{table}")
            cursor.execute("COMMIT")
        later = sizes(self.place).keys() - self._lake
        for key in later:
            self.place.delete(key)
        assert self.look() == self.old.seen

    def _clean_run(self) -> None:
        end = self.rerun()
        assert (end.exit_code, end.state) == (0, "COMPLETED"), end

    def _state(self) -> State:
        return State(self.place.contents(TABLES), self.look())

    def _keep(self) -> None:
        self._lake = set(sizes(self.place))
        with closing(self.connect()) as connection, connection.cursor() as cursor:
            cursor.execute("CREATE SCHEMA kept")
            cursor.execute("USE SCHEMA playlists")
            for table in STORED:
                cursor.execute(f"CREATE TABLE kept.{table} AS SELECT * FROM {table}")

    def connect(self) -> SnowflakeConnection:
        """A session beside the proxies."""
        return connect(self.place.addresses.snowflake, database=self.place.database, schema="PLAYLISTS")
