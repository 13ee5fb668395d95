"""Accounts used by the contract tests: blocks in this process, a schema, and a folder of the lake."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property, partial
from typing import Any

from botocore.exceptions import ClientError
from msgspec.structs import replace

from flows.connections import lake_of, login_of
from flows.run import run_id_of
from pipeline import VERSION
from pipeline.errors import PipelineError
from pipeline.lake.layout import LoadMode
from pipeline.lake.s3_errors import S3_ERRORS, code_of
from pipeline.lake.store import Lake
from pipeline.masking import external_message
from pipeline.records import Loaded, Manifest, Run, Snapshot
from pipeline.spotify.client import SpotifyClient
from pipeline.warehouse.copy_files import copy_files
from pipeline.warehouse.landing import Polling
from pipeline.warehouse.session import Session
from pipeline.warehouse.setup import set_up
from pipeline.warehouse.snowpipe import load_snowpipe
from pipeline.warehouse.transaction import Load
from tests.real.cleanup import (
    Object,
    created,
    delete_commands,
    drop_commands,
    lines,
    new_suffix,
    run_id_in,
)
from tests.warehouses import write_day

FILES_PER_REQUEST = 1000
"""Limit of one DeleteObjects request."""
OWN_NAME = re.compile(r"[\w/-]*contract_tests", re.IGNORECASE)
"""Names of the schema and folder that these tests may write to; production must not use such names."""
NOT_IN_STAND_INS = ("STAGE", "FILE FORMAT")
"""Kinds of objects that the stand-in cannot drop."""
RELATIONS = (
    "SELECT table_type, table_name FROM information_schema.tables WHERE table_schema = CURRENT_SCHEMA()"
)
LISTED_BY_SHOW = ("PIPE", "STAGE", "FILE FORMAT")
"""Kinds of objects listed with SHOW; RELATIONS lists tables and views."""


class QuerySession(Session):
    """A session that can also execute SQL that is not in a file of sql/."""

    def query(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        """Executes a statement; returns its rows."""
        return self._execute(sql, sql, values)

    def objects(self, schema: str) -> set[Object]:
        """Objects that the role may see in the current schema; `schema` is its full name."""
        found = {Object(kind.removeprefix("BASE "), name) for kind, name in self.query(RELATIONS)}
        for kind in LISTED_BY_SHOW:
            rows = self.query(f"SHOW {kind}S IN SCHEMA {schema}")
            names = [column.name for column in self._cursor.description]
            found |= {Object(kind, row[names.index("name")]) for row in rows}
        return found


@dataclass(frozen=True)
class Accounts:
    """Accounts that the flows reach through blocks; `are_real`: False on the stand-ins.

    `polling`: how to wait for pipes. `run_ids`, `loads`: runs of these tests, and the load modes that
    the schema was set up for; only what belongs to them is removed.
    """

    blocks: Mapping[str, Any] = field(repr=False)
    are_real: bool
    polling: Polling
    run_ids: set[str] = field(default_factory=set)
    loads: set[LoadMode] = field(default_factory=set)

    @cached_property
    def lake(self) -> Lake:
        """The lake of the block."""
        return lake_of(self.blocks["lake"])

    @property
    def spotify(self) -> SpotifyClient:
        """A new client of Spotify."""
        return SpotifyClient(self.blocks["spotify"])

    @property
    def owner(self) -> str:
        """Name of the block with the owner role."""
        return "warehouse-admin" if "warehouse-admin" in self.blocks else "warehouse"

    @property
    def schema(self) -> str:
        """Full name of the schema."""
        connector = self.blocks["warehouse"]
        return f"{connector.database}.{connector.schema_}"

    def shared(self) -> list[str]:
        """Variables (with values) that name a schema or folder which others could use."""
        names = {
            "SNOWFLAKE_SCHEMA": self.blocks["warehouse"].schema_,
            "LAKE_FOLDER": self.blocks["lake"].bucket_folder.strip("/"),
        }
        return [f"{variable}={name}" for variable, name in names.items() if not OWN_NAME.fullmatch(name)]

    def new_run(self) -> Run:
        """A run of today with a new run id."""
        now = datetime.now(UTC)
        run = Run(f"{run_id_of(now)}-{new_suffix()}", now.date(), now, "contract-tests", VERSION)
        self.run_ids.add(run.run_id)
        return run

    def session(
        self, run_id: str = "contract-tests", block: str = "warehouse", *, autocommit: bool = True
    ) -> QuerySession:
        """A session with the block of the loader, or with another block."""
        connector = self.blocks[block].model_copy()  # a connector has only one connection
        return QuerySession(login_of(connector), run_id, autocommit=autocommit)

    def set_up(self, load: LoadMode = "copy") -> None:
        """Sets up the schema for a load mode."""
        self.loads.add(load)
        with self.session(block=self.owner) as session, self.session(block=self.owner) as guard:
            set_up(session, guard, self.lake.url, VERSION, load)

    def write(self, run: Run, snapshots: Sequence[Snapshot], load: LoadMode = "copy") -> Manifest:
        """Writes the tables of snapshots as if the run had fetched them."""
        own = {"run_id": run.run_id, "fetched_at": run.started_at}
        fetched = [one._replace(envelope=replace(one.envelope, **own)) for one in snapshots]
        return write_day(self.lake, run.run_id, run.snapshot_date, fetched, load)

    def load(self, run: Run, manifest: Manifest, mode: LoadMode = "copy") -> Loaded:
        """Loads what a run wrote."""
        with self.session(run.run_id, autocommit=False) as session:
            load = Load(session, run, manifest, mode)
            if mode == "snowpipe":
                return load_snowpipe(load, self.polling)
            return load.replace(partial(copy_files, session, manifest.files))

    def objects(self) -> list[Object]:
        """Objects of the schema that the owner or the loader may see."""
        found: set[Object] = set()
        for block in dict.fromkeys((self.owner, "warehouse")):
            with self.session(block=block) as session:
                found |= session.objects(self.schema)
        return sorted(found)

    def remove(self) -> list[str]:
        """Drops the objects of set-up and deletes the files of these tests; returns the problems.

        An error in one part does not stop the other.
        """
        problems = []
        for part in (self._drop, self._delete_files):
            try:
                for problem in part():
                    problems.append(problem)  # noqa: PERF402 - keeps the problems before an error
            except Exception as error:  # noqa: BLE001 - the other part must still run
                problems.append(f"removal stopped: {external_message(error)}")
        return problems

    def _drop(self) -> Iterator[str]:
        known = created(sorted(self.loads))
        if not self.are_real:
            known = [one for one in known if one.kind not in NOT_IN_STAND_INS]
        if not known:
            return
        commands = list(drop_commands(self.schema, known))
        try:
            with self.session(block=self.owner) as session:
                while commands:
                    try:
                        session.query(commands[0].rstrip(";"))
                    except PipelineError as error:
                        yield lines(f"{error}\nRun as the owner of the schema:", commands[:1])
                    del commands[0]
        except PipelineError as error:
            yield lines(f"{error}\nRun as the owner of the schema:", commands)

    def _delete_files(self) -> Iterator[str]:
        """Deletes with plain S3 requests, because our code never deletes files."""
        if not self.run_ids:
            return
        client = self.blocks["lake"].credentials.get_s3_client()
        folder = self.lake.url.removeprefix(f"s3://{self.lake.bucket}/")
        found = [key for key in self.lake.keys("") if run_id_in(key) in self.run_ids]
        for start in range(0, len(found), FILES_PER_REQUEST):
            keys = found[start : start + FILES_PER_REQUEST]
            wanted = {"Objects": [{"Key": f"{folder}{key}"} for key in keys], "Quiet": True}
            try:
                response = client.delete_objects(Bucket=self.lake.bucket, Delete=wanted)
                refused = {one["Key"].removeprefix(folder): one["Code"] for one in response.get("Errors", [])}
            except S3_ERRORS as error:
                code = code_of(error) if isinstance(error, ClientError) else type(error).__name__
                refused = dict.fromkeys(keys, code)
            if refused:
                reasons = ", ".join(sorted(set(refused.values())))
                problem = f"S3 did not delete {len(refused)} files ({reasons}). Run with other credentials:"
                yield lines(problem, delete_commands(self.lake.url, refused))
