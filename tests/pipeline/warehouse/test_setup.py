"""Set-up of the schema: idempotent, versioned, one query if it is up to date."""

import json
import re
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from itertools import chain
from threading import Event
from typing import Any, get_args

import pytest

from pipeline.columns import TABLES, columns, history, pipe
from pipeline.errors import ConfigurationError, Transient
from pipeline.lake.layout import LoadMode
from pipeline.lake.store import Lake
from pipeline.warehouse import setup
from pipeline.warehouse.lock import take_lock
from pipeline.warehouse.session import Session
from pipeline.warehouse.setup import is_current, set_up
from pipeline.warehouse.sql_files import literal
from sandbox.account_objects import create_account_objects
from sandbox.services import BUCKET, Addresses
from sandbox.spotify.catalogue import CHARTS
from tests.places import Place
from tests.statements import recorded
from tests.tiers import enumerated
from tests.warehouses import DAY, OWNER, Warehouse


def test_an_up_to_date_schema_takes_one_query(warehouse: Warehouse) -> None:
    with warehouse.session() as session:
        assert is_current(session, warehouse.lake.url)
        assert len(session.statements) == 1


def test_an_empty_schema_is_not_current(addresses: Addresses) -> None:
    empty = Warehouse(Place.create(addresses))
    with empty.session() as session:
        assert not is_current(session, empty.lake.url)


def test_set_up_can_be_repeated_without_losing_rows(warehouse: Warehouse) -> None:
    warehouse.publish(CHARTS[0])
    before = warehouse.place.contents(TABLES)
    url = literal(warehouse.lake.url)
    with warehouse.session(role=OWNER) as session:
        for part in setup.PARTS["snowpipe"]:
            for name in (setup.CONTROL_TABLES, *chain(*part.versions.values()), part.lake_file):
                for _ in range(2):
                    session.execute_all(name, url=url)
    warehouse.set_up()

    assert warehouse.place.contents(TABLES) == before
    assert warehouse.place.count("writer_lock") == 1


def test_a_new_lake_url_changes_the_stage(warehouse: Warehouse) -> None:
    other_lake = f"{warehouse.lake.url}elsewhere/"
    with warehouse.session() as session:
        assert not is_current(session, other_lake)
        warehouse.set_up(other_lake)
        assert is_current(session, other_lake)


def test_a_newer_schema_is_refused(warehouse: Warehouse) -> None:
    with warehouse.session() as session:
        later = (setup.SCHEMA.newest + 1, warehouse.lake.url, "later")
        session.execute("setup/insert_schema_version", later, table="schema_versions")
        with pytest.raises(ConfigurationError, match="a newer release has upgraded it"):
            is_current(session, warehouse.lake.url)


def test_the_tables_have_the_columns_of_the_dataframely_schemas(warehouse: Warehouse) -> None:
    for table in TABLES:
        described = warehouse.place.query(f"DESCRIBE TABLE {history(table)}")
        found = [(row[0], row[3]) for row in described]
        assert found == [
            (name.upper(), "Y" if nullable else "N") for name, _, nullable, _ in columns(table)
        ], table


COLUMNS_SHA256 = "ed84975406ef0527b3f79c9af45dd01f84750cf78197c00d2746c63c5fe499df"
"""Digest of all columns at VERSIONS, the newest versions of the two set-up parts."""
VERSIONS = (5, 3)


def test_a_change_of_columns_needs_a_new_version_of_both_parts() -> None:
    """Installations must be upgraded, and pipes read columns by position: see docs/architecture.md."""
    found = {table: [column[:3] for column in columns(table)] for table in TABLES}
    digest = sha256(json.dumps(found).encode()).hexdigest()
    assert (digest, setup.SCHEMA.newest, setup.SNOWPIPE.newest) == (COLUMNS_SHA256, *VERSIONS)


def test_account_objects_can_be_created_again_without_losing_rows(
    addresses: Addresses, warehouse: Warehouse
) -> None:
    warehouse.publish(CHARTS[0])
    before = warehouse.place.contents(TABLES)
    create_account_objects(addresses.snowflake, "s3://another-bucket/")

    assert warehouse.place.contents(TABLES) == before
    assert warehouse.publish(CHARTS[1]).partitions == [(CHARTS[1], DAY)]


@pytest.mark.parametrize("name", ['x"; DROP DATABASE y; --', "x'y", "x\ny", "x.y; SELECT 1"])
def test_a_hostile_database_name_is_refused_as_a_name_that_does_not_exist(
    addresses: Addresses, name: str
) -> None:
    with pytest.raises(ConfigurationError, match="correct the block's database"):
        Warehouse(Place(addresses, name)).set_up()


@dataclass(frozen=True)
class HostileFolder(Warehouse):
    """A warehouse whose lake is in a folder with a hostile name."""

    folder: str = ""

    @property
    def lake(self) -> Lake:
        """The folder, below the test's own folder."""
        return Lake(self.place.s3, BUCKET, f"{self.place.name}/{self.folder}")


def test_a_hostile_folder_name_of_the_lake_works(addresses: Addresses) -> None:
    place = Place.create(addresses)
    hostile = HostileFolder(place, folder="a\"b \\ ${x} $1 ?; '); DROP TABLE loads; --\\")
    hostile.set_up()

    assert hostile.publish(CHARTS[0]).rows_by_table["songs"] == place.count("songs_history") == 50
    with hostile.session() as session:
        assert is_current(session, hostile.lake.url)


def test_loads_and_the_version_check_execute_no_ddl(warehouse: Warehouse) -> None:
    with recorded() as sent, warehouse.session() as session:
        assert is_current(session, warehouse.lake.url)
    with recorded() as loading:
        warehouse.publish(CHARTS[0])
    verbs = {re.sub("--.*", "", statement).split()[0] for statement in (*sent, *loading)}
    assert verbs <= {"SELECT", "BEGIN", "COMMIT", "UPDATE", "COPY", "DELETE", "INSERT", "ROLLBACK"}


@pytest.fixture
def with_pipes(warehouse: Warehouse) -> Warehouse:
    """A warehouse with pipes."""
    warehouse.set_up(load="snowpipe")
    return warehouse


def is_up_to_date(warehouse: Warehouse, lake_url: str, load: LoadMode) -> bool:
    """Checks the schema with the loader role, as every run does first."""
    with warehouse.session() as session:
        return is_current(session, lake_url, load)


def pipe_states(warehouse: Warehouse) -> set[str]:
    """Execution states of all pipes."""
    texts = [warehouse.place.query(f"SELECT SYSTEM$PIPE_STATUS('{pipe(table)}')") for table in TABLES]
    return {json.loads(text)["executionState"] for ((text,),) in texts}


@pytest.mark.parametrize("load", enumerated(get_args(LoadMode), ["snowpipe"]))
def test_changing_the_lake_url_and_changing_it_back_recreates_the_pipes(
    with_pipes: Warehouse, load: LoadMode
) -> None:
    other_lake = f"{with_pipes.lake.url}elsewhere/"
    with_pipes.set_up(other_lake, load)
    assert is_up_to_date(with_pipes, other_lake, load)
    assert is_up_to_date(with_pipes, other_lake, "snowpipe") == (load == "snowpipe")

    assert not is_up_to_date(with_pipes, with_pipes.lake.url, "snowpipe")
    with_pipes.set_up(load="snowpipe")
    assert is_up_to_date(with_pipes, with_pipes.lake.url, "snowpipe")
    assert pipe_states(with_pipes) == {"RUNNING"}


KILLED = {
    f"{when} {name}": (name, when == "after")
    for name in ("setup/create_stage", "setup/generated/create_pipes", "setup/insert_schema_version")
    for when in ("before", "after")
}


@pytest.mark.parametrize("case", enumerated(KILLED, ["after setup/create_stage"]))
def test_a_set_up_killed_while_the_lake_url_changes_is_repeated(
    with_pipes: Warehouse, monkeypatch: pytest.MonkeyPatch, case: str
) -> None:
    """The old lake URL is up to date only if the stage still points at it."""
    killed_at, executed = KILLED[case]
    execute = Session._execute  # noqa: SLF001 - every statement goes through it
    kills: list[Any] = []

    def kill(session: Session, name: str, text: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
        if name == killed_at and not kills:
            kills.append(execute(session, name, text, values) if executed else None)
            raise KeyboardInterrupt
        return execute(session, name, text, values)

    monkeypatch.setattr(Session, "_execute", kill)
    with pytest.raises(KeyboardInterrupt):
        with_pipes.set_up(f"{with_pipes.lake.url}elsewhere/", "snowpipe")
    assert len(kills) == 1
    if not is_up_to_date(with_pipes, with_pipes.lake.url, "snowpipe"):
        with_pipes.set_up(load="snowpipe")
    assert with_pipes.publish(CHARTS[0]).rows_by_table["songs"] == 50
    assert pipe_states(with_pipes) == {"RUNNING"}


def test_concurrent_set_ups_wait_for_each_other(
    addresses: Addresses, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second has checked the version and waits for the lock when the first replaces stage and pipes."""
    fresh = Warehouse(Place.create(addresses), "snowpipe")
    execute_all, second, waiting = Session.execute_all, list[Future[None]](), Event()

    def signal_and_take_lock(guard: Session) -> None:
        if second:
            waiting.set()
        take_lock(guard)

    def start_second_and_execute_all(session: Session, name: str, **parts: str) -> None:
        if name == "setup/create_stage" and not second:
            second.append(thread.submit(set_up_with_retries, fresh))
            assert waiting.wait(60)
        execute_all(session, name, **parts)

    monkeypatch.setattr(setup, "take_lock", signal_and_take_lock)
    monkeypatch.setattr(Session, "execute_all", start_second_and_execute_all)
    with ThreadPoolExecutor(1) as thread:
        set_up_with_retries(fresh)
        second[0].result()
    assert is_up_to_date(fresh, fresh.lake.url, "snowpipe")
    assert pipe_states(fresh) == {"RUNNING"}
    for table in ("schema_versions", "snowpipe_versions", "writer_lock"):
        assert fresh.place.count(table) == 1


def test_a_set_up_that_loses_the_lock_stops(addresses: Addresses, monkeypatch: pytest.MonkeyPatch) -> None:
    fresh = Warehouse(Place.create(addresses))
    execute_all, ended = Session.execute_all, list[str]()

    def end_the_guard(session: Session, name: str, **parts: str) -> None:
        execute_all(session, name, **parts)
        if name == "setup/generated/create_history_tables":
            guard.rollback()
            ended.append(name)

    monkeypatch.setattr(Session, "execute_all", end_the_guard)
    with fresh.session(role=OWNER) as session, fresh.session("guard", role=OWNER) as guard:
        with pytest.raises(Transient, match="the writer lock was lost"):
            set_up(session, guard, fresh.lake.url, "test")
        assert not {"setup/create_stage", "setup/insert_schema_version"} & set(session.statements)
    assert len(ended) == 1


def set_up_with_retries(warehouse: Warehouse) -> None:
    """Repeats set-up if the stand-in has aborted the idle guard session, which it does after a second."""
    for _ in range(9):
        with suppress(Transient):
            return warehouse.set_up()
    return warehouse.set_up()
