"""A pipeline whose requests pass through proxies and whose runs are separate processes."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from itertools import count
from pathlib import Path
from threading import Lock

from snowflake.connector import SnowflakeConnection

from pipeline.columns import TABLES
from sandbox.services import Addresses
from sandbox.spotify.catalogue import CHARTS, EMPTIED, MIXTAPE
from tests.faults.checks import ledger_gaps, missing_files, repeated_keys
from tests.faults.injected import Fault
from tests.faults.labels import Label
from tests.faults.processes import End, FlowProcess
from tests.faults.proxy import Traffic
from tests.parameters import grouped
from tests.places import Place, Rows

DAY = datetime.now(UTC).date()
"""Date of the runs, also after midnight: their clocks are shifted to it."""
OLD_CATALOGUE, NEW_CATALOGUE = date(2026, 11, 13), date(2026, 11, 20)
"""Catalogue dates that the Spotify stand-in serves for the old and the new state: every playlist differs."""
PLAYLISTS = [CHARTS[0], MIXTAPE, EMPTIED]
"""A short playlist; one of 320 entries with rejects; one that is empty in the new state."""


@dataclass
class Services:
    """Services shared by the pipelines of a test worker, with and without proxies; the catalogue date."""

    direct: Addresses
    proxied: Addresses
    traffic: Traffic
    home: Path
    catalogue_date: date = OLD_CATALOGUE


@dataclass
class ProxiedPipeline:
    """A pipeline with its own database and folder, not set up."""

    services: Services
    load: str
    place: Place
    blocks: dict[str, str]
    _numbers: Iterator[int] = field(default_factory=count)
    _processes: list[FlowProcess] = field(default_factory=list)
    _starting: Lock = field(default_factory=Lock)

    @classmethod
    def create(cls, services: Services, load: str) -> "ProxiedPipeline":
        """Creates the place and its blocks."""
        from blocks.registration import register  # noqa: PLC0415 - imports Prefect

        place = Place.create(services.direct)
        register(Place(services.proxied, place.name).variables(), suffix=f"-{place.name}")
        blocks = {
            name.replace("-", "_"): f"{name}-{place.name}"
            for name in ("spotify", "lake", "warehouse", "warehouse-admin")
        }
        return cls(services, load, place, blocks)

    @property
    def traffic(self) -> Traffic:
        """Requests of the runs."""
        return self.services.traffic

    def start(self, timeout_s: float | None = None, **parameters: object) -> FlowProcess:
        """Starts a run."""
        given = {"playlists": PLAYLISTS, "snapshot_date": DAY, "load": self.load, **self.blocks, **parameters}
        log = self.services.home / f"{self.place.name}-{next(self._numbers)}.log"
        with self._starting:
            self._processes.append(FlowProcess(grouped(given), log, timeout_s))
            return self._processes[-1]

    def latest(self) -> FlowProcess:
        """The run started last; waits if one is being started."""
        with self._starting:
            return self._processes[-1]

    def stop_all(self) -> None:
        """Kills all runs that are still running."""
        while self._processes:
            self._processes.pop().stop()

    def arm(self, label: Label, fault: Fault) -> None:
        """Injects the fault into this request of the next run."""
        self.traffic.reset(label, fault)

    def rerun(self) -> End:
        """Runs the flow without a fault and checks that it completes."""
        self.traffic.wait_quiet()
        self.traffic.reset()
        end = self.start().end()
        assert (end.exit_code, end.state) == (0, "COMPLETED"), end
        return end

    def connect(self) -> SnowflakeConnection:
        """Opens an administrator session that bypasses the proxies."""
        connection: SnowflakeConnection = self.place.connect("ACCOUNTADMIN")
        return connection

    def contents(self) -> dict[str, Rows]:
        """All rows, without the columns that differ between runs."""
        return self.place.contents(TABLES)

    def check(self, contents: dict[str, Rows]) -> None:
        """Checks that the warehouse has these rows, and that keys, ledger and lake are consistent."""
        assert self.contents() == contents
        assert repeated_keys(self.place) == []
        assert ledger_gaps(self.place) == []
        assert missing_files(self.place) == []
