"""Shortcuts: the only patches that exist to save time, with the reason why each hides no defect of ours.

Figures are CPU seconds of one ingest of one playlist, test process and Prefect server together: 1.0 in total.
Patches that inject a fault or move a clock are not shortcuts; they are in the test or helper that needs them.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import load_der_private_key, load_pem_private_key
from prefect.blocks.core import Block
from prefect.events.clients import NullEventsClient
from prefect.events.worker import EventsWorker


@contextmanager
def cached_private_keys() -> Iterator[None]:
    """Reads each private key once: cryptography checks the primes each time, 35 ms, twice per login.

    Without: 0.2 s. The loaders are pure functions of key and passphrase, and errors are not cached. A shorter
    key would be as fast, but Snowflake refuses it and PyJWT warns about it at every login.
    """
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("prefect_snowflake.credentials.load_pem_private_key", cache(load_pem_private_key))
        patched.setattr("snowflake.connector.auth.keypair.load_der_private_key", cache(load_der_private_key))
        yield


def switch_events(*, on: bool) -> None:
    """Sends events to the Prefect server, or drops them, by Prefect's own switch.

    Without: 0.4 s, most of it in the server. Runs do not depend on events. The fixture `with_events` sends
    them, for the tests of our own events and of task runs, of which Prefect learns by events.
    """
    EventsWorker.set_client_override(None if on else NullEventsClient)


@contextmanager
def no_reports() -> Iterator[None]:
    """Runs skip the report, whose queries take the stand-in as long as the load.

    Without: 0.4 s. The report comes after COMMIT and can only warn. The fixture `with_reports` restores it,
    for the tests of the report, of the task runs of a run and of the grants; processes never skip it.
    """
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("flows.publish.write_report", lambda *_: None)
        yield


@contextmanager
def saved_blocks() -> Iterator[set[str]]:
    """Yields the names of the blocks that this process saves: tests share blocks until one saves them.

    Without: new blocks for each test, 0.4 s. It only records the name: the block is saved as usual.
    """
    names: set[str] = set()
    save: Any = Block.save

    def record_and_save(block: Block, name: str, **options: Any) -> Any:
        names.add(name)
        return save(block, name, **options)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Block, "save", record_and_save)
        yield names
