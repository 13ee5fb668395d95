"""Time from container start to the first request to Spotify, relative to an empty Prefect flow."""

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event
from time import perf_counter

from prefect.client.orchestration import get_client
from prefect.settings import PREFECT_API_URL, temporary_settings
from starlette.types import ASGIApp, Receive, Scope, Send

from sandbox.prefect_server import PrefectServer, prefect_settings
from sandbox.services import Addresses, block_variables
from sandbox.spotify.catalogue import CHARTS
from sandbox.spotify.server import create_app
from sandbox.spotify.sources import Synthetic
from tests.deploy.image import Image, build
from tests.serving import running

ROUNDS = 3
ALLOWED = "1.40"
MAX_WAIT_S = 60
EMPTY = """
import os
import urllib.request
from prefect import flow

@flow
def empty(playlists: list[str]):
    urllib.request.urlopen(os.environ["SPOTIFY"]).read()
"""
"""A flow that only sends one request: the time that Prefect itself needs."""


class FirstRequest:
    """Records the time of the first request."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self.arrived = Event()
        self.at = 0.0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Forwards the request."""
        if not self.arrived.is_set():
            self.at = perf_counter()
            self.arrived.set()
        await self._app(scope, receive, send)


def measure() -> list[tuple[str, str, str]]:
    """Rows of the table: what, measured, allowed."""
    ours, empty = [], []
    with TemporaryDirectory() as folder, _started(Path(folder)) as (image, spotify):
        (image.workdir / "empty.py").write_text(EMPTY, encoding="utf-8")
        for _ in range(ROUNDS):
            ours.append(_seconds(image, spotify, "flows/ingest.py:ingest_playlists"))
            empty.append(_seconds(image, spotify, "empty.py:empty"))
    what = f"container start to the first request to Spotify ({min(ours):.1f} s) / an empty flow's"
    return [(what, f"{min(ours) / min(empty):.2f}", ALLOWED)]


@contextmanager
def _started(folder: Path) -> Iterator[tuple[Image, FirstRequest]]:
    """Starts a Spotify stand-in and a Prefect server with blocks: all that a run needs before Spotify."""
    spotify = FirstRequest(create_app(Synthetic(), today=lambda: date(2026, 11, 20)))
    with ExitStack() as stack:
        server = PrefectServer(stack, folder / "prefect")
        image, url = build(folder / "image"), stack.enter_context(running(spotify))
        server.wait()
        stack.enter_context(temporary_settings({PREFECT_API_URL: server.url}))
        from blocks.registration import register  # noqa: PLC0415 - after the settings above

        register({**block_variables(Addresses(url, url, url)), "SPOTIFY_REQUESTS_PER_SECOND": "0"})
        variables = {**prefect_settings(folder / "home"), "PREFECT_API_URL": server.url, "SPOTIFY": url}
        yield Image(image.workdir, image.bin, image.environment | variables), spotify


def _seconds(image: Image, spotify: FirstRequest, entrypoint: str) -> float:
    """Starts the container of a run as ECS does, and kills it after its first request."""
    variables = image.variables(PREFECT__FLOW_RUN_ID=_create_run(entrypoint))
    spotify.arrived.clear()
    start = perf_counter()
    container = subprocess.Popen(
        [str(image.bin / "prefect"), "flow-run", "execute"],
        cwd=image.workdir,
        env=variables,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        if not spotify.arrived.wait(MAX_WAIT_S):
            raise TimeoutError(f"{entrypoint} sent no request within {MAX_WAIT_S} s")
    finally:
        os.killpg(container.pid, signal.SIGKILL)
        container.wait()
    return spotify.at - start


def _create_run(entrypoint: str) -> str:
    """Creates a run of a deployment whose code is in the image."""
    with get_client(sync_client=True) as api:
        flow = api.create_flow_from_name(entrypoint.partition(":")[2])
        deployment = api.create_deployment(flow, "bench", entrypoint=entrypoint, pull_steps=[])
        run = api.create_flow_run_from_deployment(deployment, parameters={"playlists": [CHARTS[0]]})
    return str(run.id)
