"""Fixtures with running stand-ins and a Prefect server: one set per pytest worker, started at first use."""

import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import certifi
import pytest

from sandbox.account_objects import create_account_objects
from sandbox.lake import create_lake
from sandbox.prefect_server import PrefectServer, prefect_settings
from sandbox.services import BUCKET, Addresses, s3_client, start_stand_ins
from tests.places import Place, open_connections
from tests.pools import Pool

if TYPE_CHECKING:
    from tests.warehouses import Warehouse

RECORDINGS = Path(__file__).parents[2] / "shared" / "data" / "recordings"

# All servers are on loopback. Without this, each request searches the environment for a proxy.
os.environ["NO_PROXY"] = os.environ["no_proxy"] = "127.0.0.1,localhost"

IDLE_ABORT_S = 1.0
"""Seconds after which an idle transaction that blocks another is aborted; Snowflake takes minutes."""


@pytest.fixture(scope="session")
def addresses() -> Iterator[Addresses]:
    """The three stand-ins, shared by all tests of this worker; each test uses its own `Place`."""
    with ExitStack() as stack:
        addresses = start_stand_ins(stack, idle_abort_s=IDLE_ABORT_S)
        create_lake(s3_client(addresses.s3), BUCKET, addresses.snowflake)
        create_account_objects(addresses.snowflake, f"s3://{BUCKET}/")
        yield addresses
        for connection in open_connections:
            connection.close()


@pytest.fixture(scope="session")
def warehouses(addresses: Addresses) -> "Pool[Warehouse]":
    """Pool of warehouses with the schema set up, used without Prefect."""
    from tests.warehouses import Warehouse  # noqa: PLC0415 - imports Snowflake

    def create() -> Warehouse:
        created = Warehouse(Place.create(addresses))
        created.set_up()
        return created

    return Pool(create)


@pytest.fixture
def warehouse(warehouses: "Pool[Warehouse]") -> Iterator["Warehouse"]:
    """An empty warehouse with the schema set up, exclusive to the test, used without Prefect."""
    with warehouses.acquire() as acquired:
        yield acquired


@pytest.fixture(scope="session")
def prefect_api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """A Prefect server for flows and blocks of this process; yields the environment for child processes."""
    from prefect.settings import (  # noqa: PLC0415 - only tests that run flows pay for Prefect
        PREFECT_API_SSL_CERT_FILE,
        PREFECT_API_URL,
        PREFECT_FLOWS_HEARTBEAT_FREQUENCY,
        PREFECT_LOGGING_TO_API_ENABLED,
        temporary_settings,
    )

    from tests.shortcuts import cached_block_schemas, cached_private_keys, switch_events  # noqa: PLC0415

    home = tmp_path_factory.mktemp("prefect")
    with ExitStack() as stack:
        server = PrefectServer(stack, home)
        server.wait()
        settings = {
            # Each client of the API reads this file: with the default, over a hundred certificates, in 17 ms.
            PREFECT_API_SSL_CERT_FILE: _one_certificate(home),
            PREFECT_API_URL: server.url,
            PREFECT_LOGGING_TO_API_ENABLED: False,
            PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None,
        }
        switch_events(on=False)
        with temporary_settings(settings), cached_private_keys(), cached_block_schemas():
            yield {**os.environ, **prefect_settings(home), "PREFECT_API_URL": server.url}


def _one_certificate(folder: Path) -> str:
    """Writes one root certificate to a file; returns its path."""
    first, end, _ = Path(certifi.where()).read_text(encoding="ascii").partition("-----END CERTIFICATE-----")
    file = folder / "certificate.pem"
    file.write_text(first + end, encoding="ascii")
    return str(file)


@pytest.fixture
def with_events(prefect_api: dict[str, str]) -> Iterator[None]:
    """Events of this test are sent to the Prefect server."""
    del prefect_api  # switches them off
    from tests.shortcuts import switch_events  # noqa: PLC0415 - imports Prefect

    switch_events(on=True)
    yield
    switch_events(on=False)


@pytest.fixture(scope="session")
def recordings() -> Path:
    """Folder of recorded responses of the real Web API, which is not part of the project."""
    if not RECORDINGS.is_dir():
        pytest.skip(f"no recordings at ../shared/data ({RECORDINGS.name}): they are not part of the project")
    return RECORDINGS
