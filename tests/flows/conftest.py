"""Flows in this process, with a Spotify stand-in whose content each test sets."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, nullcontext
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from pathlib import Path
from secrets import token_hex
from shutil import copytree
from tempfile import TemporaryDirectory
from typing import Any, get_args

import pytest
from starlette.types import ASGIApp, Receive, Scope, Send

from pipeline.lake.layout import LoadMode
from pipeline.warehouse import sql_files
from sandbox.services import Addresses
from sandbox.spotify.recordings import Recordings
from sandbox.spotify.server import create_app
from sandbox.spotify.sources import Synthetic
from tests.clock import clock_on
from tests.parameters import grouped
from tests.places import Place
from tests.pools import Pool
from tests.serving import running

TODAY = date(2026, 11, 20)
PREFIXES = {
    "spotify": ("SPOTIFY_",),
    "lake": ("LAKE_", "AWS_"),
    "warehouse": ("SNOWFLAKE_",),
    "warehouse-admin": ("SNOWFLAKE_",),
}
"""Prefixes of the environment variables of each block."""


@dataclass(frozen=True)
class Pipeline:
    """The flows, with blocks for one place.

    `serve` sets the content of Spotify and returns its URL. `variables`: environment variables of the blocks.
    `environment`: for flows in other processes.
    """

    place: Place
    serve: Callable[..., str]
    blocks: dict[str, str]
    variables: dict[str, str]
    environment: dict[str, str]

    def with_blocks(self, **variables: str) -> "Pipeline":
        """Returns a copy with new blocks for the variables that differ; the old blocks are not changed."""
        from blocks.environment import build, private_key  # noqa: PLC0415 - imports Prefect
        from blocks.variables import non_empty  # noqa: PLC0415

        differ = tuple(name for name, value in variables.items() if self.variables.get(name) != value)
        environment = non_empty({**self.variables, **variables})
        key = private_key(environment)
        assert key is not None
        changed = {}
        for name, block in build(environment, key).items():
            if any(variable.startswith(PREFIXES.get(name, ())) for variable in differ):
                parameter = name.replace("-", "_")
                changed[parameter] = f"{name}-{self.place.name}-{token_hex(4)}"
                block.save(changed[parameter])
        return replace(self, blocks={**self.blocks, **changed})

    def ingest(self, *playlists: str, on: Any = None, **parameters: Any) -> Any:
        """Runs the flow, on the day `on` or else on the snapshot date; returns the final state."""
        from flows.ingest import ingest_playlists  # noqa: PLC0415 - imports Prefect

        day = on or parameters.get("snapshot_date")
        with clock_on(day) if day else nullcontext():
            return ingest_playlists(
                list(playlists), return_state=True, **grouped({**self.blocks, **parameters})
            )

    @property
    def confirmed(self) -> dict[str, str]:
        """Parameters that confirm a full refresh."""
        return {"refresh": "full", "confirm_delete": f"{self.place.database}.PLAYLISTS"}

    def backfill(self, *playlists: str, **parameters: Any) -> Any:
        """Runs the flow; returns its final state."""
        from flows.backfill import backfill_playlists  # noqa: PLC0415 - imports Prefect

        blocks = {name: block for name, block in self.blocks.items() if name != "spotify"}
        wanted = list(playlists) or None
        return backfill_playlists(wanted, return_state=True, **grouped({**blocks, **parameters}))


class ServedSpotify:
    """A Spotify stand-in whose content can be replaced; its URL stays, so the blocks stay valid."""

    def __init__(self) -> None:
        self._app: ASGIApp = create_app(Synthetic(), today=lambda: TODAY)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes a request to the current stand-in."""
        await self._app(scope, receive, send)

    def serve(self, responses: dict[str, Any] | Path | None = None, today: date = TODAY) -> None:
        """Serves responses by file name, a folder of recordings, or else the catalogue of a day."""
        with TemporaryDirectory() as folder:
            if isinstance(responses, dict):
                responses = _write(Path(folder), responses)
            source = Recordings.read(responses) if responses else Synthetic()
        self._app = create_app(source, today=lambda: today)


@pytest.fixture(scope="session")
def create_pipeline(addresses: Addresses, prefect_api: dict[str, str]) -> Iterator[Callable[..., Pipeline]]:
    """Creates pipelines, each with a new folder, database and Spotify; `load`: set up for this mode."""
    from blocks.registration import register  # noqa: PLC0415
    from tests.shortcuts import no_reports  # noqa: PLC0415
    from tests.warehouses import Warehouse  # noqa: PLC0415 - imports Snowflake

    with ExitStack() as stack:
        stack.enter_context(no_reports())

        def create(load: LoadMode | None = None) -> Pipeline:
            place, spotify = Place.create(addresses), ServedSpotify()
            if load:
                Warehouse(place, load).set_up()
            url = stack.enter_context(running(spotify))
            variables = place.variables(SPOTIFY_API_URL=f"{url}/v1", SPOTIFY_ACCOUNTS_URL=url)
            register(variables, suffix=f"-{place.name}")

            def serve(*content: Any, **options: Any) -> str:
                spotify.serve(*content, **options)
                return url

            blocks = {name.replace("-", "_"): f"{name}-{place.name}" for name in PREFIXES}
            return Pipeline(place, serve, blocks, variables, prefect_api)

        yield create


@pytest.fixture(scope="session")
def changed_blocks() -> Iterator[set[str]]:
    """Names of the blocks that this process has saved since their pipeline was created."""
    from tests.shortcuts import saved_blocks  # noqa: PLC0415 - imports Prefect

    with saved_blocks() as names:
        yield names


@pytest.fixture(scope="session")
def pipelines(
    create_pipeline: Callable[..., Pipeline], changed_blocks: set[str]
) -> dict[LoadMode, Pool[Pipeline]]:
    """Pools of pipelines that are set up, by load mode."""

    def create(load: LoadMode) -> Pipeline:
        created = create_pipeline(load)
        changed_blocks.difference_update(created.blocks.values())
        return created

    def is_dirty(pipeline: Pipeline) -> bool:
        return not changed_blocks.isdisjoint(pipeline.blocks.values())

    return {load: Pool(partial(create, load), is_dirty) for load in get_args(LoadMode)}


@pytest.fixture
def pipeline(pipelines: dict[LoadMode, Pool[Pipeline]]) -> Iterator[Pipeline]:
    """A pipeline that is set up for COPY, without rows and files; Spotify serves the catalogue."""
    with pipelines["copy"].acquire() as acquired:
        acquired.serve()
        yield acquired


@pytest.fixture
def new_pipeline(create_pipeline: Callable[..., Pipeline]) -> Iterator[Pipeline]:
    """A pipeline whose warehouse is not set up yet."""
    created = create_pipeline()
    yield created
    created.place.drop()


@pytest.fixture
def with_reports(create_pipeline: Callable[..., Pipeline], monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs of this test write their report."""
    del create_pipeline  # switches reports off
    import flows.publish  # noqa: PLC0415 - imports Prefect
    from flows.write_report import write_report  # noqa: PLC0415

    monkeypatch.setattr(flows.publish, "write_report", write_report)


def _write(folder: Path, responses: dict[str, Any]) -> Path:
    for name, response in responses.items():
        (folder / f"{name}.json").write_text(json.dumps(response), encoding="utf-8")
    return folder


@pytest.fixture
def sql_copy(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A copy of sql/ that the flows read instead, for tests to damage."""
    copytree(sql_files.SQL, tmp_path / "sql")
    monkeypatch.setattr(sql_files, "SQL", tmp_path / "sql")
    return tmp_path / "sql"
