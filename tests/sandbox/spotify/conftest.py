"""Fixtures that start the Spotify stand-in on loopback."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import date
from functools import cache

import pytest

from sandbox.spotify.server import create_app
from sandbox.spotify.shapes import Shape
from sandbox.spotify.sources import Source, Synthetic
from tests.serving import running
from tests.spotify_standin import OF_SHAPE, Standin, Start


def _starting(stack: ExitStack) -> Start:
    def start(
        shape: Shape = "both",
        source: Source | None = None,
        now: Callable[[], float] = lambda: 0.0,
        **settings: object,
    ) -> Standin:
        today = date(2026, 11, 21)
        app = create_app(source or Synthetic(), today=lambda: today, now=now, **(OF_SHAPE[shape] | settings))
        return Standin(stack.enter_context(running(app)))

    return start


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts stand-ins with the date 2026-11-21, stopped after the test; `now`: their clock in seconds."""
    with ExitStack() as stack:
        yield _starting(stack)


@pytest.fixture(scope="session")
def shared() -> Iterator[Start]:
    """Returns one stand-in per shape, for tests that change no state: stopping a server takes 0.2 s."""
    with ExitStack() as stack:
        yield cache(_starting(stack))
