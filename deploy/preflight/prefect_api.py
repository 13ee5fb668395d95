"""A Prefect API client for checks."""

from collections.abc import Iterator
from contextlib import contextmanager

from prefect.client.orchestration import SyncPrefectClient, get_client

from flows.prefect_errors import prefect_errors


@contextmanager
def api() -> Iterator[SyncPrefectClient]:
    """A client. A failed request raises PipelineError with a code instead of Prefect's exception."""
    with prefect_errors(), get_client(sync_client=True) as client:
        yield client
