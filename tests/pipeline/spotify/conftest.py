"""Fixtures: running stand-ins for Spotify, and clients of them."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from sandbox.spotify.server import create_app
from sandbox.spotify.shapes import Shape
from sandbox.spotify.sources import Source, Synthetic
from tests.serving import running
from tests.spotify import TODAY, Spotify, Start
from tests.spotify_standin import OF_SHAPE, Standin


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts stand-ins; they stop after the test."""
    with ExitStack() as stack:

        def one(shape: Shape = "both", source: Source | None = None) -> Spotify:
            app = create_app(source or Synthetic(), today=lambda: TODAY, **OF_SHAPE[shape])
            return Spotify(Standin(stack.enter_context(running(app))))

        yield one


@pytest.fixture(scope="module")
def _running() -> Iterator[Standin]:
    with running(create_app(Synthetic(), today=lambda: TODAY)) as url:
        yield Standin(url)


@pytest.fixture
def spotify(_running: Standin) -> Iterator[Spotify]:
    """One stand-in per module; each test starts without faults and with an empty request log."""
    _running.put("/sandbox/faults", [])
    _running.delete("/sandbox/requests")
    yield Spotify(_running)
    _running.put("/sandbox/today", {"date": None})
