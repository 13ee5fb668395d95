"""Prefect's API as checks ask it."""

from collections.abc import Iterator
from contextlib import contextmanager

from prefect.client.orchestration import SyncPrefectClient, get_client

from flows.prefect_errors import prefect_errors


@contextmanager
def api() -> Iterator[SyncPrefectClient]:
    """A client; what it raises for a failed request becomes an error with a code."""
    with prefect_errors(), get_client(sync_client=True) as client:
        yield client
