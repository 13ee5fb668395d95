"""Running stand-ins for the tests that need them: one set per pytest worker, started when first asked for."""

import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from sandbox.account import create_account_objects
from sandbox.services import (
    BUCKET,
    Addresses,
    prefect_settings,
    s3_client,
    start_prefect,
    start_stand_ins,
    wait_for_prefect,
)

RECORDINGS = Path(__file__).parents[2] / "shared" / "data" / "recordings"


@pytest.fixture(scope="session")
def addresses() -> Iterator[Addresses]:
    """The three stand-ins, shared by all tests of this worker: each test makes its own place in them."""
    with ExitStack() as stack:
        addresses = start_stand_ins(stack)
        s3_client(addresses.s3).create_bucket(Bucket=BUCKET)
        create_account_objects(addresses.snowflake, f"s3://{BUCKET}/")
        yield addresses


@pytest.fixture(scope="session")
def prefect_api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """A Prefect server that flows and blocks of this process use; the environment for other processes."""
    from prefect.settings import (  # noqa: PLC0415 - only tests that run flows pay for Prefect
        PREFECT_API_URL,
        PREFECT_FLOWS_HEARTBEAT_FREQUENCY,
        PREFECT_LOGGING_TO_API_ENABLED,
        temporary_settings,
    )

    home = tmp_path_factory.mktemp("prefect")
    with ExitStack() as stack:
        url = start_prefect(stack, home)
        wait_for_prefect(url)
        settings = {
            PREFECT_API_URL: url,
            PREFECT_LOGGING_TO_API_ENABLED: False,
            PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None,
        }
        with temporary_settings(settings):
            yield {**os.environ, **prefect_settings(home), "PREFECT_API_URL": url}


@pytest.fixture(scope="session")
def recordings() -> Path:
    """Real answers of the Web API; they are not part of the project."""
    if not RECORDINGS.is_dir():
        pytest.skip(f"no recordings at ../shared/data ({RECORDINGS.name}): they are not part of the project")
    return RECORDINGS
