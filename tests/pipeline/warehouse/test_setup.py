"""Set-up: idempotent, versioned, one query where nothing is to be done."""

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


def test_an_up_to_date_schema_costs_one_query(warehouse: Warehouse) -> None:
    with warehouse.session() as session:
        assert is_current(session, warehouse.lake.url)
        assert len(session.statements) == 1


def test_an_empty_schema_is_not_current(addresses: Addresses) -> None:
    empty = Warehouse(Place.create(addresses))
    with empty.session() as session:
        assert not is_current(session, empty.lake.url)


def test_set_up_may_be_repeated_and_loses_no_rows(warehouse: Warehouse) -> None:
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


def test_another_lake_moves_the_stage(warehouse: Warehouse) -> None:
    elsewhere = f"{warehouse.lake.url}elsewhere/"
    with warehouse.session() as session:
        assert not is_current(session, elsewhere)
        warehouse.set_up(elsewhere)
        assert is_current(session, elsewhere)


def test_a_newer_schema_is_refused(warehouse: Warehouse) -> None:
    with warehouse.session() as session:
        later = (setup.SCHEMA.newest + 1, warehouse.lake.url, "later")
        session.execute("setup/insert_schema_version", later, table="schema_versions")
        with pytest.raises(ConfigurationError, match="a newer release has upgraded it"):
            is_current(session, warehouse.lake.url)


def test_the_tables_have_the_columns_of_the_schema(warehouse: Warehouse) -> None:
    for table in TABLES:
        described = warehouse.place.query(f"DESCRIBE TABLE {history(table)}")
        found = [(row[0], row[3]) for row in described]
        assert found == [
            (name.upper(), "Y" if nullable else "N") for name, _, nullable, _ in columns(table)
        ], table


COLUMNS = "ed84975406ef0527b3f79c9af45dd01f84750cf78197c00d2746c63c5fe499df"
"""SHA-256 of all columns, as of the newest versions of both parts."""
VERSIONS = (5, 3)


def test_columns_that_change_come_with_the_next_version_of_both_parts() -> None:
    """Installations exist, and pipes read columns by position: docs/architecture.md says what to add."""
    found = {table: [column[:3] for column in columns(table)] for table in TABLES}
    digest = sha256(json.dumps(found).encode()).hexdigest()
    assert (digest, setup.SCHEMA.newest, setup.SNOWPIPE.newest) == (COLUMNS, *VERSIONS)


def test_account_objects_may_be_created_again(addresses: Addresses, warehouse: Warehouse) -> None:
    warehouse.publish(CHARTS[0])
    before = warehouse.place.contents(TABLES)
    create_account_objects(addresses.snowflake, "s3://another-bucket/")

    assert warehouse.place.contents(TABLES) == before
    assert warehouse.publish(CHARTS[1]).partitions == [(CHARTS[1], DAY)]


@pytest.mark.parametrize("name", ['x"; DROP DATABASE y; --', "x'y", "x\ny", "x.y; SELECT 1"])
def test_a_hostile_database_name_is_a_name_that_does_not_exist(addresses: Addresses, name: str) -> None:
    with pytest.raises(ConfigurationError, match="correct the block's database"):
        Warehouse(Place(addresses, name)).set_up()


@dataclass(frozen=True)
class HostileFolder(Warehouse):
    """A warehouse whose lake lies in a folder of any name."""

    folder: str = ""

    @property
    def lake(self) -> Lake:
        """The folder below the place's own."""
        return Lake(self.place.s3, BUCKET, f"{self.place.name}/{self.folder}")


def test_a_hostile_folder_of_the_lake_is_only_a_folder(addresses: Addresses) -> None:
    place = Place.create(addresses)
    hostile = HostileFolder(place, folder="a\"b \\ ${x} $1 ?; '); DROP TABLE loads; --\\")
    hostile.set_up()

    assert hostile.publish(CHARTS[0]).rows_by_table["songs"] == place.count("songs_history") == 50
    with hostile.session() as session:
        assert is_current(session, hostile.lake.url)


def test_with_an_owner_for_setup_the_loader_runs_no_ddl(warehouse: Warehouse) -> None:
    with recorded() as sent, warehouse.session() as session:
        assert is_current(session, warehouse.lake.url)
    with recorded() as loading:
        warehouse.publish(CHARTS[0])
    verbs = {re.sub("--.*", "", statement).split()[0] for statement in (*sent, *loading)}
    assert verbs <= {"SELECT", "BEGIN", "COMMIT", "UPDATE", "COPY", "DELETE", "INSERT", "ROLLBACK"}


@pytest.fixture
def piped(warehouse: Warehouse) -> Warehouse:
    """A warehouse with pipes."""
    warehouse.set_up(load="snowpipe")
    return warehouse


def current(warehouse: Warehouse, lake_url: str, load: LoadMode) -> bool:
    """What a run asks first."""
    with warehouse.session() as session:
        return is_current(session, lake_url, load)


def states(warehouse: Warehouse) -> set[str]:
    """What the pipes say of themselves."""
    texts = [warehouse.place.query(f"SELECT SYSTEM$PIPE_STATUS('{pipe(table)}')") for table in TABLES]
    return {json.loads(text)["executionState"] for ((text,),) in texts}


@pytest.mark.parametrize("load", enumerated(get_args(LoadMode), ["snowpipe"]))
def test_a_lake_that_moves_takes_its_pipes_along_and_back(piped: Warehouse, load: LoadMode) -> None:
    elsewhere = f"{piped.lake.url}elsewhere/"
    piped.set_up(elsewhere, load)
    assert current(piped, elsewhere, load)
    assert current(piped, elsewhere, "snowpipe") == (load == "snowpipe")

    assert not current(piped, piped.lake.url, "snowpipe")
    piped.set_up(load="snowpipe")
    assert current(piped, piped.lake.url, "snowpipe")
    assert states(piped) == {"RUNNING"}


CUT_OFF = {
    f"{when} {name}": (name, when == "after")
    for name in ("setup/create_stage", "setup/generated/create_pipes", "setup/insert_schema_version")
    for when in ("before", "after")
}


@pytest.mark.parametrize("case", enumerated(CUT_OFF, ["after setup/create_stage"]))
def test_a_move_that_was_cut_off_is_done_again(
    piped: Warehouse, monkeypatch: pytest.MonkeyPatch, case: str
) -> None:
    """The old lake counts as current only where the stage still shows it."""
    cut_off, done = CUT_OFF[case]
    execute = Session._execute  # noqa: SLF001 - every statement passes there
    died: list[Any] = []

    def die(session: Session, name: str, text: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
        if name == cut_off and not died:
            died.append(execute(session, name, text, values) if done else None)
            raise KeyboardInterrupt
        return execute(session, name, text, values)

    monkeypatch.setattr(Session, "_execute", die)
    with pytest.raises(KeyboardInterrupt):
        piped.set_up(f"{piped.lake.url}elsewhere/", "snowpipe")
    assert len(died) == 1
    if not current(piped, piped.lake.url, "snowpipe"):
        piped.set_up(load="snowpipe")
    assert piped.publish(CHARTS[0]).rows_by_table["songs"] == 50
    assert states(piped) == {"RUNNING"}


def test_two_set_ups_at_once_take_turns(addresses: Addresses, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second has looked, and comes to the lock, while the first is about to replace stage and pipes."""
    fresh = Warehouse(Place.create(addresses), "snowpipe")
    execute_all, second, waiting = Session.execute_all, list[Future[None]](), Event()

    def lock_and_note(guard: Session) -> None:
        if second:
            waiting.set()
        take_lock(guard)

    def execute_all_beside_another(session: Session, name: str, **parts: str) -> None:
        if name == "setup/create_stage" and not second:
            second.append(thread.submit(set_up_as_a_task_does, fresh))
            assert waiting.wait(60)
        execute_all(session, name, **parts)

    monkeypatch.setattr(setup, "take_lock", lock_and_note)
    monkeypatch.setattr(Session, "execute_all", execute_all_beside_another)
    with ThreadPoolExecutor(1) as thread:
        set_up_as_a_task_does(fresh)
        second[0].result()
    assert current(fresh, fresh.lake.url, "snowpipe")
    assert states(fresh) == {"RUNNING"}
    for noted in ("schema_versions", "snowpipe_versions", "writer_lock"):
        assert fresh.place.count(noted) == 1


def test_a_set_up_that_has_lost_the_lock_stops(addresses: Addresses, monkeypatch: pytest.MonkeyPatch) -> None:
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


def set_up_as_a_task_does(warehouse: Warehouse) -> None:
    """Again where the stand-in has ended the idle guard, for which it takes but a second."""
    for _ in range(9):
        with suppress(Transient):
            return warehouse.set_up()
    return warehouse.set_up()
