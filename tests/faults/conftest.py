"""Pipelines behind proxies: one per worker and way of loading, put back to its old state before each test."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache
from pathlib import Path

import pytest

from sandbox.services import Addresses
from sandbox.spotify.server import create_app
from sandbox.spotify.serving import running
from sandbox.spotify.sources import Synthetic
from tests.faults.processes import flow_processes
from tests.faults.proxy import Traffic, proxies
from tests.faults.rig import SHOWN_BEFORE, Rig
from tests.places import Place

LOADS = ("copy",)
"""Ways of loading: each passes the whole suite."""

Rigs = Callable[[str], Rig]


@pytest.fixture(scope="session")
def rigs(
    addresses: Addresses, prefect_api: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Rigs]:
    """A pipeline for a way of loading, which has run before and after its playlists changed."""
    with ExitStack() as stack:
        stack.enter_context(flow_processes(prefect_api))

        @cache
        def rig(load: str) -> Rig:
            return prepared(stack, addresses, tmp_path_factory.mktemp("runs"), load)

        yield rig


def prepared(stack: ExitStack, addresses: Addresses, home: Path, load: str) -> Rig:
    """A place, a Spotify and proxies of its own."""
    from blocks.register import register  # noqa: PLC0415 - imports Prefect

    place, traffic, shown = Place.create(addresses), Traffic(), [SHOWN_BEFORE]
    spotify = stack.enter_context(running(create_app(Synthetic(), today=lambda: shown[0])))
    direct = Addresses(spotify, addresses.s3, addresses.snowflake)
    watched = Place(stack.enter_context(proxies(direct, traffic)), place.name)
    register(watched.variables(), suffix=f"-{place.name}")
    blocks = {name: f"{name}-{place.name}" for name in ("spotify", "lake", "warehouse")}
    rig = Rig(place, traffic, blocks, home, load, shown)
    rig.prepare()
    return rig


@pytest.fixture
def rig(rigs: Rigs, load: str) -> Rig:
    """The pipeline in its old state, with playlists that have changed since."""
    found = rigs(load)
    found.restore()
    return found
