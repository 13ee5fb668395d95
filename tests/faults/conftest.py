"""Pipelines behind proxies: one per worker and way of loading, put back to its old state before each test."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache, partial

import pytest

from sandbox.services import Addresses
from sandbox.spotify.server import create_app
from sandbox.spotify.sources import Synthetic
from tests.faults.processes import flow_processes
from tests.faults.proxy import Traffic, proxies
from tests.faults.rig import Rig
from tests.faults.watched import Services, Watched
from tests.serving import running

LOADS = ("copy", "snowpipe")
"""Ways of loading: each passes the whole suite."""
EACH_LOAD = pytest.mark.parametrize("load", ["copy", pytest.param("snowpipe", marks=pytest.mark.faults)])


@pytest.fixture(scope="session")
def services(
    addresses: Addresses, prefect_api: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Services]:
    """The stand-ins behind proxies, with a Spotify that changes on demand, and the process to fork from."""
    with ExitStack() as stack:
        stack.enter_context(flow_processes(prefect_api))
        spotify = stack.enter_context(running(create_app(Synthetic(), today=lambda: found.shown)))
        direct, traffic = Addresses(spotify, addresses.s3, addresses.snowflake), Traffic()
        proxied = stack.enter_context(proxies(direct, traffic))
        found = Services(direct, proxied, traffic, tmp_path_factory.mktemp("runs"))
        yield found


@pytest.fixture(scope="session")
def rigs(services: Services) -> Callable[[str], Rig]:
    """A prepared pipeline by way of loading."""
    return cache(partial(Rig.prepare, services))


@pytest.fixture
def rig(rigs: Callable[[str], Rig], load: str) -> Iterator[Rig]:
    """The pipeline in its old state, with playlists that have changed since."""
    found = rigs(load)
    found.restore()
    yield found
    found.pipeline.stop_all()


@pytest.fixture
def fresh(rig: Rig) -> Iterator[Watched]:
    """Another pipeline for the same way of loading, before its first run."""
    found = Watched.create(rig.pipeline.services, rig.pipeline.load)
    yield found
    found.stop_all()
    found.traffic.wait_quiet()
    found.place.drop()
