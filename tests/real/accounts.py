"""The accounts that the contract tests use: blocks in this process, a schema and a folder of the lake."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property, partial
from secrets import token_hex
from typing import Any

from botocore.exceptions import ClientError
from msgspec.structs import replace
from prefect.settings import PREFECT_API_URL

from blocks import SpotifyCredentials
from blocks.environment import build, private_key
from blocks.prefect_api import connected
from blocks.registration import wanted_blocks
from blocks.stored import OK, state
from blocks.variables import Environment, read_variables, refuse_incomplete
from flows.connections import lake_of, login_of
from flows.run import run_id_of
from pipeline import CODE_VERSION
from pipeline.errors import PipelineError
from pipeline.lake.layout import LoadMode
from pipeline.lake.s3_errors import code_of
from pipeline.lake.store import Lake
from pipeline.records import Loaded, Manifest, Run, Snapshot
from pipeline.spotify.client import SpotifyClient
from pipeline.warehouse.copy_files import copy_files
from pipeline.warehouse.landing import Polling
from pipeline.warehouse.session import Session
from pipeline.warehouse.setup import set_up
from pipeline.warehouse.snowpipe import load_snowpipe
from pipeline.warehouse.sql_files import SQL
from pipeline.warehouse.transaction import Load
from tests.warehouses import write_day

FILES_PER_REQUEST = 1000
"""What one DeleteObjects takes at most."""
CREATED = re.compile(
    r"^CREATE (?:OR REPLACE |TRANSIENT )?(PIPE|VIEW|TABLE|STAGE|FILE FORMAT) (?:IF NOT EXISTS )?(\w+)",
    re.MULTILINE,
)
NOT_IN_STAND_INS = ("STAGE", "FILE FORMAT")
"""What the stand-in cannot drop."""
OBJECTS = "SELECT table_type, table_name FROM information_schema.tables WHERE table_schema = CURRENT_SCHEMA()"


class Asking(Session):
    """A session that also takes statements which are no files of the product."""

    def query(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        """The rows of a statement."""
        return self._execute(sql, sql, values)


@dataclass(frozen=True)
class Accounts:
    """What the flows reach through blocks; `are_real`: not the stand-ins.

    `polling`: how to wait for pipes.
    """

    blocks: Mapping[str, Any] = field(repr=False)
    are_real: bool
    polling: Polling

    @cached_property
    def lake(self) -> Lake:
        """The lake."""
        return lake_of(self.blocks["lake"])

    @property
    def spotify(self) -> SpotifyClient:
        """A new client of Spotify."""
        return SpotifyClient(self.blocks["spotify"])

    @property
    def owner(self) -> str:
        """Name of the block that changes the schema."""
        return "warehouse-admin" if "warehouse-admin" in self.blocks else "warehouse"

    def session(
        self, run_id: str = "contract-tests", block: str = "warehouse", *, autocommit: bool = True
    ) -> Asking:
        """A session of the loader, or of another block."""
        connector = self.blocks[block].model_copy()  # each has one connection
        return Asking(login_of(connector), run_id, autocommit=autocommit)

    def set_up(self, load: LoadMode = "copy") -> None:
        """Sets up the schema for a way of loading."""
        with self.session(block=self.owner) as session, self.session(block=self.owner) as guard:
            set_up(session, guard, self.lake.url, CODE_VERSION, load)

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

    def files(self) -> Iterator[str]:
        """URLs of the files of the lake, which may be many."""
        return (f"{self.lake.url}{key}" for key in self.lake.keys(""))

    def objects(self) -> list[str]:
        """Tables and views of the schema that owner or loader may see."""
        found: dict[str, None] = {}
        for block in dict.fromkeys((self.owner, "warehouse")):
            with self.session(block=block) as session:
                found |= dict.fromkeys(f"{kind} {name}" for kind, name in sorted(session.query(OBJECTS)))
        return list(found)

    def remove(self) -> list[str]:
        """Drops what set-up creates and deletes all files; returns what went wrong."""
        return [*self._drop(), *self._delete_files()]

    def _drop(self) -> Iterator[str]:
        with self.session(block=self.owner) as session:
            for kind, name in created():
                if kind in NOT_IN_STAND_INS and not self.are_real:
                    continue
                try:
                    session.query(f"DROP {kind} IF EXISTS {name}")
                except PipelineError as error:
                    yield str(error)

    def _delete_files(self) -> Iterator[str]:
        """In plain requests: nothing of the product deletes files."""
        client = self.blocks["lake"].credentials.get_s3_client()
        folder = self.lake.url.removeprefix(f"s3://{self.lake.bucket}/")
        found = list(self.lake.keys(""))
        for start in range(0, len(found), FILES_PER_REQUEST):
            keys = found[start : start + FILES_PER_REQUEST]
            wanted = {"Objects": [{"Key": f"{folder}{key}"} for key in keys], "Quiet": True}
            try:
                refused = client.delete_objects(Bucket=self.lake.bucket, Delete=wanted).get("Errors", [])
            except ClientError as error:
                refused = [{"Code": code_of(error)}] * len(keys)
            if refused:
                yield (
                    f"S3 did not delete {len(refused)} files ({refused[0]['Code']}). Run "
                    f"aws s3 rm --recursive {self.lake.url}"
                )


def created() -> list[tuple[str, str]]:
    """Kind and name of all that set-up creates, in the order in which it can be dropped."""
    files = [path for folder in ("setup", "insights") for path in sorted((SQL / folder).rglob("*.sql"))]
    found = [one for path in files for one in CREATED.findall(path.read_text(encoding="utf-8"))]
    kinds = ("PIPE", "VIEW", "TABLE", "STAGE", "FILE FORMAT")
    return sorted(found, key=lambda one: kinds.index(one[0]))


def new_run() -> Run:
    """A run of today, with an id of its own."""
    now = datetime.now(UTC)
    return Run(f"{run_id_of(now)}-{token_hex(4)}", now.date(), now, "contract-tests", CODE_VERSION)


def blocks_of(environment: Environment) -> dict[str, Any]:
    """The blocks of complete variables, which hold all secrets; raises NotRegistered."""
    key = private_key(environment)
    refuse_incomplete(environment, has_key=key is not None)
    assert key is not None
    return build(environment, key)


def blocks_at_hand() -> dict[str, Any]:
    """The blocks as `python -m blocks register` would write them now; raises NotRegistered, PrefectFailed.

    What only Prefect holds, a generated private key and Spotify's newest refresh token, comes from there.
    """
    environment = read_variables().values
    if not PREFECT_API_URL.value():
        return blocks_of(environment)
    with connected({}):
        blocks = wanted_blocks(environment)
        if state(blocks["spotify"], "spotify") == OK:
            blocks["spotify"] = SpotifyCredentials.load("spotify")  # writes back a token that is rotated
        return blocks
