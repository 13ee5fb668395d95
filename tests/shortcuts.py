"""Shortcuts: the only patches that exist to save time, with the reason why each hides no defect of ours.

Figures are CPU seconds of one ingest of one playlist in all processes, about 1.1 with all shortcuts.
Patches that inject a fault or move a clock are not shortcuts; they are in the test or helper that needs them.
"""

import pickle
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

    Without: 0.1 s more. The loaders are pure functions of key and passphrase, and errors are not cached.
    A shorter key would save as much, but Snowflake refuses it and PyJWT warns about it at every login.
    """
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("prefect_snowflake.credentials.load_pem_private_key", cache(load_pem_private_key))
        patched.setattr("snowflake.connector.auth.keypair.load_der_private_key", cache(load_der_private_key))
        yield


@contextmanager
def cached_block_schemas() -> Iterator[None]:
    """Builds the JSON schema of a block class once and registers the class once per process.

    Without: tests/blocks/test_register.py takes 60 s of CPU time instead of 25 s. Schema
    and registration depend on the class only, not on the values of a block; the first use is not replaced.
    """
    build_schema: Any = Block.__dict__["model_json_schema"]
    register: Any = Block.__dict__["register_type_and_schema"]
    registered: set[type[Block]] = set()

    @cache
    def pickled(kind: type[Block], arguments: tuple[Any, ...], options: tuple[Any, ...]) -> bytes:
        return pickle.dumps(build_schema.__func__(kind, *arguments, **dict(options)))

    def cached_schema(kind: type[Block], *arguments: Any, **options: Any) -> Any:
        # A new copy, because Prefect changes the schema that it gets.
        return pickle.loads(pickled(kind, arguments, tuple(options.items())))  # noqa: S301

    def register_once(kind: type[Block], *arguments: Any, **options: Any) -> None:
        if kind not in registered:
            register.__func__(kind, *arguments, **options)
            registered.add(kind)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Block, "model_json_schema", classmethod(cached_schema))
        patched.setattr(Block, "register_type_and_schema", classmethod(register_once))
        yield


def switch_events(*, on: bool) -> None:
    """Sends events to the Prefect server, or drops them, by Prefect's own switch.

    Without: 0.1 s more, most of it in the server. Runs do not depend on events. The fixture `with_events`
    sends them, for tests of our own events and of task runs, which Prefect records from events.
    """
    EventsWorker.set_client_override(None if on else NullEventsClient)


@contextmanager
def no_reports() -> Iterator[None]:
    """Runs skip the report, whose queries take the stand-in as long as the load.

    Without: 0.6 s more. The report comes after COMMIT and can only warn. The fixture `with_reports` restores
    it, for tests of the report and of a run's task runs. Flows in other processes never skip it.
    """
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("flows.publish.write_report", lambda *_: None)
        yield


@contextmanager
def saved_blocks() -> Iterator[set[str]]:
    """Yields the names of the blocks that this process saves: tests share blocks until one saves them.

    Without: five new blocks for each test, 0.03 s each. It only records names: blocks are saved as usual.
    """
    names: set[str] = set()
    save: Any = Block.save

    def record_and_save(block: Block, name: str, **options: Any) -> Any:
        names.add(name)
        return save(block, name, **options)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Block, "save", record_and_save)
        yield names
