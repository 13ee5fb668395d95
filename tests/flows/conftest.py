"""Flows run in this process, against a stand-in of Spotify that shows what each test wants."""

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
VARIABLES = {
    "spotify": ("SPOTIFY_",),
    "lake": ("LAKE_", "AWS_"),
    "warehouse": ("SNOWFLAKE_",),
    "warehouse-admin": ("SNOWFLAKE_",),
}
"""How the variables of a block begin."""


@dataclass(frozen=True)
class Pipeline:
    """The flows with blocks for one place; `show` sets what Spotify answers from now on.

    `variables`: what the blocks were registered from.
    """

    place: Place
    show: Callable[..., str]
    blocks: dict[str, str]
    variables: dict[str, str]
    environment: dict[str, str]

    def with_blocks(self, **variables: str) -> "Pipeline":
        """The same with other blocks, saved beside its own, where these variables differ."""
        from blocks.environment import build, private_key  # noqa: PLC0415 - imports Prefect
        from blocks.variables import that_are_set  # noqa: PLC0415

        differ = tuple(name for name, value in variables.items() if self.variables.get(name) != value)
        environment = that_are_set({**self.variables, **variables})
        key = private_key(environment)
        assert key is not None
        others = {}
        for name, block in build(environment, key).items():
            if any(variable.startswith(VARIABLES.get(name, ())) for variable in differ):
                parameter = name.replace("-", "_")
                others[parameter] = f"{name}-{self.place.name}-{token_hex(4)}"
                block.save(others[parameter])
        return replace(self, blocks={**self.blocks, **others})

    def ingest(self, *playlists: str, on: Any = None, **parameters: Any) -> Any:
        """Runs the flow on a day, else on the snapshot date; returns its final state."""
        from flows.ingest import ingest_playlists  # noqa: PLC0415 - imports Prefect

        day = on or parameters.get("snapshot_date")
        with clock_on(day) if day else nullcontext():
            return ingest_playlists(
                list(playlists), return_state=True, **grouped({**self.blocks, **parameters})
            )

    @property
    def confirmed(self) -> dict[str, str]:
        """Parameters of a full refresh."""
        return {"refresh": "full", "confirm_delete": f"{self.place.database}.PLAYLISTS"}

    def backfill(self, *playlists: str, **parameters: Any) -> Any:
        """Runs the flow; returns its final state."""
        from flows.backfill import backfill_playlists  # noqa: PLC0415 - imports Prefect

        blocks = {name: block for name, block in self.blocks.items() if name != "spotify"}
        wanted = list(playlists) or None
        return backfill_playlists(wanted, return_state=True, **grouped({**blocks, **parameters}))


class ShownSpotify:
    """A Spotify whose content changes and whose address stays, so that the blocks need not change."""

    def __init__(self) -> None:
        self._app: ASGIApp = create_app(Synthetic(), today=lambda: TODAY)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes a request on."""
        await self._app(scope, receive, send)

    def show(self, answers: dict[str, Any] | Path | None = None, today: date = TODAY) -> None:
        """Serves answers by file name, a folder of recordings, or the catalogue."""
        with TemporaryDirectory() as folder:
            if isinstance(answers, dict):
                answers = _write(Path(folder), answers)
            source = Recordings.read(answers) if answers else Synthetic()
        self._app = create_app(source, today=lambda: today)


@pytest.fixture(scope="session")
def create_pipeline(addresses: Addresses, prefect_api: dict[str, str]) -> Iterator[Callable[..., Pipeline]]:
    """Makes pipelines with a folder, a database and a Spotify of their own, set up for a way of loading."""
    from prefect.events.clients import NullEventsClient  # noqa: PLC0415 - imports Prefect
    from prefect.events.worker import EventsWorker  # noqa: PLC0415

    import flows.publish  # noqa: PLC0415
    from blocks.registration import register  # noqa: PLC0415
    from tests.warehouses import Warehouse  # noqa: PLC0415 - imports Snowflake

    with ExitStack() as stack:
        patched = stack.enter_context(pytest.MonkeyPatch.context())
        # Half of what a run costs the server; test_many_playlists, which counts task runs, has them.
        patched.setattr(EventsWorker, "_client_override", (NullEventsClient, ()))
        # Its queries take the stand-in as long as the load; tests of the report use `with_reports`.
        patched.setattr(flows.publish, "write_report", lambda *_: None)

        def create(load: LoadMode | None = None) -> Pipeline:
            place, spotify = Place.create(addresses), ShownSpotify()
            if load:
                Warehouse(place, load).set_up()
            url = stack.enter_context(running(spotify))
            variables = place.variables(SPOTIFY_API_URL=f"{url}/v1", SPOTIFY_ACCOUNTS_URL=url)
            register(variables, suffix=f"-{place.name}")

            def show(*shown: Any, **how: Any) -> str:
                spotify.show(*shown, **how)
                return url

            blocks = {name.replace("-", "_"): f"{name}-{place.name}" for name in VARIABLES}
            return Pipeline(place, show, blocks, variables, prefect_api)

        yield create


@pytest.fixture(scope="session")
def changed_blocks() -> Iterator[set[str]]:
    """Names of the blocks that this process has saved."""
    from prefect.blocks.core import Block  # noqa: PLC0415 - imports Prefect

    changed: set[str] = set()
    save: Any = Block.save

    def note_and_save(block: Block, name: str, **options: Any) -> Any:
        changed.add(name)
        return save(block, name, **options)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Block, "save", note_and_save)
        yield changed


@pytest.fixture(scope="session")
def pipelines(
    create_pipeline: Callable[..., Pipeline], changed_blocks: set[str]
) -> dict[LoadMode, Pool[Pipeline]]:
    """Pipelines that are set up, by the way of loading they are set up for."""

    def create(load: LoadMode) -> Pipeline:
        made = create_pipeline(load)
        changed_blocks.difference_update(made.blocks.values())
        return made

    def is_dirty(pipeline: Pipeline) -> bool:
        return not changed_blocks.isdisjoint(pipeline.blocks.values())

    return {load: Pool(partial(create, load), is_dirty) for load in get_args(LoadMode)}


@pytest.fixture
def pipeline(pipelines: dict[LoadMode, Pool[Pipeline]]) -> Iterator[Pipeline]:
    """A pipeline with a folder, a database and a Spotify of its own: set up for COPY, and empty."""
    with pipelines["copy"].acquire() as lent:
        lent.show()
        yield lent


@pytest.fixture
def new_pipeline(create_pipeline: Callable[..., Pipeline]) -> Iterator[Pipeline]:
    """A pipeline whose warehouse is not set up yet."""
    made = create_pipeline()
    yield made
    made.place.drop()


@pytest.fixture
def with_reports(create_pipeline: Callable[..., Pipeline], monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs of this test write their reports."""
    del create_pipeline  # which leaves them out
    import flows.publish  # noqa: PLC0415 - imports Prefect
    from flows.write_report import write_report  # noqa: PLC0415

    monkeypatch.setattr(flows.publish, "write_report", write_report)


def _write(folder: Path, answers: dict[str, Any]) -> Path:
    for name, answer in answers.items():
        (folder / f"{name}.json").write_text(json.dumps(answer), encoding="utf-8")
    return folder


@pytest.fixture
def sql_copy(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A copy of sql/ that the flows read instead."""
    copytree(sql_files.SQL, tmp_path / "sql")
    monkeypatch.setattr(sql_files, "SQL", tmp_path / "sql")
    return tmp_path / "sql"
