"""A warehouse for a test, loaded without Prefect: writes files to the lake, then loads them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import partial
from itertools import count
from time import sleep
from typing import Any
from urllib.parse import urlsplit

import snowflake.connector

from pipeline.lake.layout import LoadMode
from pipeline.lake.store import Lake
from pipeline.records import Loaded, Manifest, Run, Snapshot
from pipeline.transform.partitions import partition_lines
from pipeline.transform.responses import snapshot_rows
from pipeline.transform.tables import build_tables
from pipeline.warehouse.copy_files import copy_files
from pipeline.warehouse.landing import Polling
from pipeline.warehouse.session import Login, Session
from pipeline.warehouse.setup import set_up
from pipeline.warehouse.snowflake_errors import Place as Snowflake
from pipeline.warehouse.snowpipe import load_snowpipe
from pipeline.warehouse.transaction import Load
from sandbox.account_objects import key
from sandbox.services import BUCKET
from sandbox.spotify import catalogue
from sandbox.spotify.shapes import response_bodies
from tests.builders import fetched, write_files
from tests.places import Place

DAY = date(2026, 11, 20)
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
OWNER = "SPOTIFY_OWNER"
TIMEOUT: dict[str, Any] = {"network_timeout": 30}
EAGER = Polling(60, lambda _pause: sleep(0.02))
"""Polls the stand-in's pipes with short pauses, because they load within milliseconds."""


@dataclass(frozen=True)
class Warehouse:
    """A place with the schema set up; `mode`: how it is loaded."""

    place: Place
    mode: LoadMode = "copy"
    _numbers: Any = field(default_factory=count)

    @property
    def lake(self) -> Lake:
        """The lake in the place's folder."""
        return Lake(self.place.s3, BUCKET, self.place.name)

    def session(
        self,
        run_id: str = "test",
        *,
        role: str = "SPOTIFY_LOADER",
        user: str = "SPOTIFY_PIPELINE",
        autocommit: bool = True,
    ) -> Session:
        """Opens a session as the flows do."""
        address = urlsplit(self.place.addresses.snowflake)
        where = Snowflake("sandbox", role, self.place.database, "PLAYLISTS")
        connect = partial(
            snowflake.connector.connect,
            account=where.account,
            user=user,
            private_key=key(),  # the key object: parsing a PEM takes longer than a login
            authenticator="SNOWFLAKE_JWT",
            role=role,
            database=where.database,
            schema=where.schema,
            warehouse="SPOTIFY_LOAD",
            host=address.hostname,
            port=address.port,
            protocol=address.scheme,
            **TIMEOUT,
        )
        return Session(Login(connect, where, TIMEOUT), run_id, autocommit=autocommit)

    def set_up(self, lake_url: str | None = None, load: LoadMode | None = None) -> None:
        """Sets up the newest version of the schema."""
        with self.session(role=OWNER) as session, self.session(role=OWNER) as guard:
            set_up(session, guard, lake_url or self.lake.url, "test", load or self.mode)

    def new_run_id(self) -> str:
        """Returns a run id that is unique within this warehouse."""
        return f"20261120T120000Z-{next(self._numbers):08x}"

    def write(
        self, run_id: str, *playlists: str, days: tuple[date, ...] = (DAY,), fetched_at: datetime = NOON
    ) -> Manifest:
        """Writes the tables of synthetic playlists to the lake, as a run does."""
        snapshots = {day: [snapshot(playlist, day, fetched_at) for playlist in playlists] for day in days}
        return self.write_snapshots(run_id, snapshots)

    def write_snapshots(self, run_id: str, snapshots: dict[date, list[Snapshot]]) -> Manifest:
        """Writes the tables of snapshots, given by date, to the lake."""
        days = snapshots.items()
        return Manifest.of(write_day(self.lake, run_id, day, kept, self.mode) for day, kept in days)

    def load(self, run_id: str, manifest: Manifest, **options: Any) -> Loaded:
        """Loads a manifest as a run does."""
        with self.session(run_id, autocommit=False) as session:
            load = Load(session, run_of(run_id), manifest, self.mode, **options)
            if self.mode == "snowpipe":
                return load_snowpipe(load, EAGER)
            return load.replace(partial(copy_files, session, manifest.files))

    def publish(
        self, *playlists: str, days: tuple[date, ...] = (DAY,), fetched_at: datetime = NOON, **options: Any
    ) -> Loaded:
        """Writes and loads synthetic playlists, by default of DAY."""
        run_id = self.new_run_id()
        return self.load(run_id, self.write(run_id, *playlists, days=days, fetched_at=fetched_at), **options)


def write_day(
    lake: Lake, run_id: str, day: date, snapshots: Sequence[Snapshot], load: LoadMode = "copy"
) -> Manifest:
    """Writes the tables of one date to the lake; returns the manifest."""
    decoded = [snapshot_rows(one) for one in snapshots]
    tables = build_tables(decoded, day, run_id)
    files = write_files(lake, tables, day, run_id, load)
    keys = {one.playlist_id: f"raw/{one.playlist_id}/{day}" for one in decoded}
    return Manifest(files, partition_lines(tables, decoded, keys))


def run_of(run_id: str) -> Run:
    """A run with this id on DAY."""
    return Run(run_id, DAY, NOON, "test", "test")


def snapshot(playlist_id: str, day: date, fetched_at: datetime) -> Snapshot:
    """The snapshot of a synthetic playlist."""
    shown = catalogue.playlist(playlist_id, day)
    if shown is None:
        raise LookupError(playlist_id)
    entries = len(shown["entries"])
    return fetched(
        playlist_id, response_bodies(shown, "both"), entries, str(shown["snapshot_id"]), fetched_at
    )
