"""Fixtures: one pipeline behind proxies per worker and load mode, restored before each test."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache, partial

import pytest

from sandbox.services import Addresses
from sandbox.spotify.server import create_app
from sandbox.spotify.sources import Synthetic
from tests.faults.processes import flow_processes
from tests.faults.proxied_pipeline import ProxiedPipeline, Services
from tests.faults.proxy import Traffic, proxies
from tests.faults.rig import Rig
from tests.serving import running

LOADS = ("copy", "snowpipe")
"""Load modes; the entire suite runs in each."""
EACH_LOAD = pytest.mark.parametrize("load", ["copy", pytest.param("snowpipe", marks=pytest.mark.faults)])


@pytest.fixture(scope="session")
def services(
    addresses: Addresses, prefect_api: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Services]:
    """Stand-ins behind proxies, a Spotify whose date can be changed, and the process to fork from."""
    with ExitStack() as stack:
        stack.enter_context(flow_processes(prefect_api))
        spotify = stack.enter_context(running(create_app(Synthetic(), today=lambda: found.catalogue_date)))
        direct, traffic = Addresses(spotify, addresses.s3, addresses.snowflake), Traffic()
        proxied = stack.enter_context(proxies(direct, traffic))
        found = Services(direct, proxied, traffic, tmp_path_factory.mktemp("runs"))
        yield found


@pytest.fixture(scope="session")
def rigs(services: Services) -> Callable[[str], Rig]:
    """Returns the prepared rig for a load mode."""
    return cache(partial(Rig.prepare, services))


@pytest.fixture
def rig(rigs: Callable[[str], Rig], load: str) -> Iterator[Rig]:
    """A rig in its old state; the playlists have changed since."""
    found = rigs(load)
    found.restore()
    yield found
    found.pipeline.stop_all()


@pytest.fixture
def fresh(rig: Rig) -> Iterator[ProxiedPipeline]:
    """Another pipeline with the same load mode, before its first run."""
    found = ProxiedPipeline.create(rig.pipeline.services, rig.pipeline.load)
    yield found
    found.stop_all()
    found.traffic.wait_quiet()
    found.place.drop()
