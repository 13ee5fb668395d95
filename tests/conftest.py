"""Fixtures with running stand-ins and a Prefect server: one set per pytest worker, started at first use."""

import os
import pickle
import ssl
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.serialization import load_der_private_key, load_pem_private_key

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
        result = Warehouse(Place.create(addresses))
        result.set_up()
        return result

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
        PREFECT_API_URL,
        PREFECT_FLOWS_HEARTBEAT_FREQUENCY,
        PREFECT_LOGGING_TO_API_ENABLED,
        temporary_settings,
    )

    home = tmp_path_factory.mktemp("prefect")
    with ExitStack() as stack:
        server = PrefectServer(stack, home)
        server.wait()
        settings = {
            PREFECT_API_URL: server.url,
            PREFECT_LOGGING_TO_API_ENABLED: False,
            PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None,
        }
        with temporary_settings(settings), remembered():
            yield {**os.environ, **prefect_settings(home), "PREFECT_API_URL": server.url}


@contextmanager
def remembered() -> Iterator[None]:
    """What is always the same, once: a block type's JSON schema, the certificates, the test of an RSA key."""
    from prefect.blocks.core import Block  # noqa: PLC0415 - only tests that run flows pay for Prefect

    original: Any = Block.__dict__["model_json_schema"]

    @cache
    def schema(kind: type[Block], arguments: tuple[Any, ...], options: tuple[Any, ...]) -> bytes:
        return pickle.dumps(original.__func__(kind, *arguments, **dict(options)))

    def schema_again(kind: type[Block], *arguments: Any, **options: Any) -> dict[str, Any]:
        again: dict[str, Any] = pickle.loads(schema(kind, arguments, tuple(options.items())))  # noqa: S301
        return again

    register: Any = Block.__dict__["register_type_and_schema"]
    known: set[type[Block]] = set()

    def register_once(kind: type[Block], *arguments: Any, **options: Any) -> None:
        if kind not in known:
            register.__func__(kind, *arguments, **options)
            known.add(kind)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Block, "model_json_schema", classmethod(schema_again))
        patched.setattr(Block, "register_type_and_schema", classmethod(register_once))
        patched.setattr(ssl, "create_default_context", cache(ssl.create_default_context))
        patched.setattr("prefect_snowflake.credentials.load_pem_private_key", cache(load_pem_private_key))
        patched.setattr("snowflake.connector.auth.keypair.load_der_private_key", cache(load_der_private_key))
        yield


@pytest.fixture(scope="session")
def recordings() -> Path:
    """Folder of recorded responses of the real Web API, which is not part of the project."""
    if not RECORDINGS.is_dir():
        pytest.skip(f"no recordings at ../shared/data ({RECORDINGS.name}): they are not part of the project")
    return RECORDINGS
