"""The COPY load: one transaction that replaces partitions, with a ledger, a writer lock and count checks."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from typing import get_args

import msgspec
import pytest

from pipeline.columns import TABLES, history
from pipeline.errors import AccountingError, Code, ConfigurationError, PipelineError, StopRun, Transient
from pipeline.records import Manifest, Refresh
from pipeline.warehouse import ledger, lock, transaction
from pipeline.warehouse.copy_files import copy_files
from pipeline.warehouse.lock import take_lock
from pipeline.warehouse.session import Session
from pipeline.warehouse.transaction import Load
from sandbox.services import Addresses
from sandbox.spotify.catalogue import CHARTS, EMPTY, MIXTAPE
from tests.places import Place
from tests.statements import recorded, watched
from tests.tiers import enumerated
from tests.warehouses import DAY, NOON, Warehouse, run_of

CHART, OTHER_CHART = CHARTS


def test_row_counts_match_the_manifest(warehouse: Warehouse) -> None:
    run_id = warehouse.new_run_id()
    manifest = warehouse.write(run_id, CHART, MIXTAPE)
    loaded = warehouse.load(run_id, manifest)

    for table in TABLES:
        rows = loaded.rows_by_table[table]
        assert rows == manifest.rows(table) == warehouse.place.count(f"{table}_history"), table


def test_only_partitions_of_the_run_are_replaced(warehouse: Warehouse) -> None:
    warehouse.publish(CHART, OTHER_CHART)
    untouched = warehouse.place.query("SELECT * FROM songs_history WHERE playlist_id = ?", OTHER_CHART)
    loaded = warehouse.publish(CHART)

    assert loaded.partitions_replaced == 1
    assert loaded.partitions == [(CHART, DAY)]
    again = warehouse.place.query("SELECT * FROM songs_history WHERE playlist_id = ?", OTHER_CHART)
    assert sorted(again) == sorted(untouched)
    assert warehouse.place.count("playlists_history") == 2


def test_the_ledger_has_a_row_per_partition(warehouse: Warehouse) -> None:
    run_id = warehouse.new_run_id()
    days = (DAY - timedelta(days=1), DAY)
    manifest = warehouse.write(run_id, CHART, EMPTY, days=days)
    warehouse.load(run_id, manifest)

    ledger = warehouse.place.query(
        "SELECT playlist_id, snapshot_date, source_key, source_fetched_at, snapshot_id, item_count,"
        " rejected, rows_by_table, load, code_version, receipt_key FROM loads WHERE run_id = ?",
        run_id,
    )
    expected = [
        (
            part.playlist_id,
            part.snapshot_date,
            part.source_key,
            NOON.replace(tzinfo=None),
            part.snapshot_id,
            part.total,
            sum(part.rejected.values()),
            part.rows_by_table,
            "copy",
            "test",
            f"runs/dt={DAY}/{run_id}.json",
        )
        for part in manifest.partitions
    ]
    assert sorted(((*row[:7], json.loads(row[7]), *row[8:]) for row in ledger), key=repr) == sorted(
        expected, key=repr
    )


def test_the_ledger_contains_the_load_results_of_copy(warehouse: Warehouse) -> None:
    run_id = warehouse.new_run_id()
    manifest = warehouse.write(run_id, CHART, MIXTAPE, days=(DAY, DAY - timedelta(days=1)))
    loaded = warehouse.load(run_id, manifest)

    for text, day in warehouse.place.query("SELECT load_results, snapshot_date FROM loads"):
        assert json.loads(text) == {
            file.table: {"rows": file.rows, "bytes": file.bytes}
            for file in manifest.files
            if file.snapshot_date == day
        }
    assert warehouse.place.count("loads") == 4
    assert (loaded.statements[0], loaded.statements[-1]) == ("BEGIN", "COMMIT")


@pytest.mark.parametrize("max_partitions", [pytest.param(1, marks=pytest.mark.faults), 3])
def test_the_ledger_is_written_in_several_statements_if_there_are_many_partitions(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch, max_partitions: int
) -> None:
    monkeypatch.setattr(ledger, "PARTITIONS_PER_INSERT", max_partitions)
    run_id = warehouse.new_run_id()
    dates = tuple(DAY - timedelta(days=age) for age in range(4))
    loaded = warehouse.load(run_id, warehouse.write(run_id, CHART, days=dates))

    assert loaded.statements.count("load/insert_loads") == -(-4 // max_partitions)
    assert warehouse.place.count("loads") == 4


def test_if_counts_differ_from_the_manifest_nothing_is_loaded(warehouse: Warehouse) -> None:
    warehouse.publish(CHART)
    before = warehouse.place.contents(TABLES)
    run_id = warehouse.new_run_id()
    manifest = warehouse.write(run_id, MIXTAPE)
    files = [
        msgspec.structs.replace(file, rows=file.rows + 1) if file.table == "albums" else file
        for file in manifest.files
    ]
    with recorded() as sent, pytest.raises(AccountingError, match="tables/albums"):
        warehouse.load(run_id, Manifest(files, manifest.partitions))

    assert sent[-1] == "ROLLBACK"
    assert warehouse.place.contents(TABLES) == before
    assert warehouse.place.query("SELECT COUNT(*) FROM loads WHERE run_id = ?", run_id) == [(0,)]


def test_if_a_file_is_missing_nothing_is_loaded_and_the_file_is_named(warehouse: Warehouse) -> None:
    run_id = warehouse.new_run_id()
    manifest = warehouse.write(run_id, CHART)
    key = next(file.key for file in manifest.files if file.table == "artists")
    warehouse.place.delete(key)
    with pytest.raises(StopRun, match=key.split("/", 1)[1]):
        warehouse.load(run_id, manifest)

    assert {table: warehouse.place.count(f"{table}_history") for table in TABLES} == dict.fromkeys(TABLES, 0)


def test_a_commit_whose_response_is_lost_is_found_in_the_ledger(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = warehouse.new_run_id()
    manifest = warehouse.write(run_id, CHART)
    commit, lost = Session.commit, []

    def commit_and_lose_the_response(session: Session) -> None:
        commit(session)
        lost.append(session)
        raise Transient("connection reset", Code.SNOWFLAKE_UNAVAILABLE)

    with monkeypatch.context() as patched:
        patched.setattr(Session, "commit", commit_and_lose_the_response)
        with pytest.raises(Transient):
            warehouse.load(run_id, manifest)
    assert len(lost) == 1
    loaded = warehouse.load(run_id, manifest)

    assert loaded.rows_by_table["songs"] == warehouse.place.count("songs_history") == 50
    assert loaded.partitions_replaced is None, "not in the ledger"
    assert warehouse.place.count("loads") == 1


def test_files_are_loaded_again_after_their_rows_were_deleted_by_hand(warehouse: Warehouse) -> None:
    """Without FORCE, COPY skips files that are in the load history of the table."""
    run_id = warehouse.new_run_id()
    manifest = warehouse.write(run_id, CHART)
    warehouse.load(run_id, manifest)
    before = warehouse.place.contents(TABLES)
    for table in (*map(history, TABLES), "loads"):
        warehouse.place.query(f"DELETE FROM {table}")
    warehouse.load(run_id, manifest)

    assert warehouse.place.contents(TABLES) == before
    assert warehouse.place.count("songs_history") == 50


def test_after_a_lost_response_superseded_partitions_are_not_reported_as_loaded(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    warehouse.publish(CHART)
    run_id = warehouse.new_run_id()
    manifest = warehouse.write(run_id, CHART, MIXTAPE, fetched_at=NOON - timedelta(hours=1))
    commit = Session.commit

    def commit_and_lose_the_response(session: Session) -> None:
        commit(session)
        raise Transient("connection reset", Code.SNOWFLAKE_UNAVAILABLE)

    with monkeypatch.context() as patched:
        patched.setattr(Session, "commit", commit_and_lose_the_response)
        with pytest.raises(Transient):
            warehouse.load(run_id, manifest)
    loaded = warehouse.load(run_id, manifest)

    assert (loaded.partitions, loaded.superseded) == ([(MIXTAPE, DAY)], [(CHART, DAY)])
    assert loaded.rows_by_table["songs"] < manifest.rows("songs")


def test_a_second_writer_waits_for_the_first(warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    run_id = warehouse.new_run_id()
    manifest = warehouse.write(run_id, CHART)
    waiting = threading.Event()

    def signal_and_take_lock(session: Session) -> None:
        waiting.set()
        take_lock(session)

    monkeypatch.setattr(transaction, "take_lock", signal_and_take_lock)
    second = threading.Thread(target=warehouse.load, args=(run_id, manifest))
    with warehouse.session("first") as first:
        first.begin()
        first.execute("load/lock_writer", ("first",))
        second.start()
        assert waiting.wait(30)
        assert warehouse.place.count("songs_history") == 0
        first.commit()
    second.join(30)

    assert warehouse.place.count("songs_history") == 50


def test_waiting_for_the_writer_lock_is_bounded(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.warehouse.session.LOCK_TIMEOUT_S", 1)
    monkeypatch.setattr(lock, "LOCK_TIMEOUT_S", 1)
    monkeypatch.setattr(lock, "LOCK_ATTEMPTS", 2)
    run_id = warehouse.new_run_id()
    manifest = warehouse.write(run_id, CHART)
    with warehouse.session("first") as first:
        first.begin()
        first.execute("load/lock_writer", ("first",))
        with kept_busy(first), pytest.raises(StopRun, match="another run held the writer lock"):
            warehouse.load(run_id, manifest)


def test_without_the_row_in_writer_lock_nothing_is_loaded(warehouse: Warehouse) -> None:
    warehouse.place.query("DELETE FROM writer_lock")
    with pytest.raises(ConfigurationError, match="INSERT INTO writer_lock"):
        warehouse.publish(CHART)
    assert warehouse.place.count("songs_history") == 0
    warehouse.place.query("INSERT INTO writer_lock (id) SELECT 1")
    assert warehouse.publish(CHART).rows_by_table["songs"] == 50


ABORTED: dict[str, tuple[type[PipelineError], str]] = {
    'COPY INTO "PLAYLISTS': (Transient, "ended the transaction"),
    'COPY INTO "SONGS': (AccountingError, "row counts in the history tables differ"),
    "-- Rows of a run": (AccountingError, "row counts in the history tables differ"),
    "DELETE": (Transient, "ended the transaction"),
    "INSERT": (Transient, "ended the transaction"),
}
"""Statement before which the transaction is aborted, and how the load fails."""
CASES: dict[str, tuple[Refresh, str]] = {
    f"{refresh}, {statement}": (refresh, statement) for refresh in get_args(Refresh) for statement in ABORTED
}


@pytest.mark.parametrize("case", enumerated(CASES, ['snapshot, COPY INTO "SONGS', "full, DELETE"]))
def test_a_load_whose_transaction_is_aborted_changes_nothing(warehouse: Warehouse, case: str) -> None:
    refresh, statement = CASES[case]
    error, message = ABORTED[statement]
    warehouse.publish(CHART, OTHER_CHART)
    before = warehouse.place.contents(TABLES)
    run_id = warehouse.new_run_id()
    manifest = warehouse.write(run_id, CHART)
    aborted: list[str] = []
    with warehouse.session(run_id, autocommit=False) as session:

        def abort(sql: str) -> None:
            if statement in sql and not aborted:
                aborted.append(sql)
                session.rollback()  # as the server does if an idle transaction blocks another

        with watched(before=abort), pytest.raises(error, match=message):
            Load(session, run_of(run_id), manifest, refresh=refresh).replace(
                partial(copy_files, session, manifest.files)
            )

    assert aborted
    assert warehouse.place.contents(TABLES) == before
    assert warehouse.place.query("SELECT COUNT(*) FROM loads WHERE run_id = ?", run_id) == [(0,)]


YESTERDAY = DAY - timedelta(days=1)
IN_LANDING = [
    pytest.param(
        ["INSERT INTO songs_landing SELECT * FROM songs_landing"],
        AccountingError,
        rf"songs of {DAY}: 100 instead of 50.*tables/songs/dt={DAY}/\S+ \(100 rows instead of 50\)",
        id="a file loaded twice",
        marks=pytest.mark.faults,
    ),
    pytest.param(
        [
            f"DELETE FROM songs_landing WHERE snapshot_date = '{YESTERDAY}'",
            "INSERT INTO songs_landing SELECT * FROM songs_landing",
        ],
        AccountingError,
        rf"songs of {YESTERDAY}: 0 instead of 50.*tables/songs/dt={DAY}/\S+ \(100 rows instead of 50\)",
        id="the same number of rows, of another date",
    ),
    pytest.param(
        [
            "CREATE TABLE copies AS SELECT * FROM songs_landing",
            "UPDATE copies SET file_name = 'lake/tables/songs/dt=2026-11-20/copy.csv.gz'",
            "INSERT INTO songs_landing SELECT * FROM copies",
        ],
        AccountingError,
        r"In landing: tables/songs/dt=2026-11-20/copy.csv.gz \(100 rows instead of 0\)",
        id="a copy of a file",
        marks=pytest.mark.faults,
    ),
    pytest.param(
        ["DROP TABLE songs_landing"],
        ConfigurationError,
        "SONGS_LANDING.*DELETE FROM snowpipe_versions",
        id="the landing table dropped",
        marks=pytest.mark.faults,
    ),
]
"""Changes to landing tables while a run waits for the lock, and the expected error."""


@pytest.mark.parametrize(("statements", "error", "message"), IN_LANDING)
def test_changes_to_landing_while_waiting_for_the_lock_stop_the_run(
    addresses: Addresses,
    monkeypatch: pytest.MonkeyPatch,
    statements: list[str],
    error: type[PipelineError],
    message: str,
) -> None:
    with_pipes = Warehouse(Place.create(addresses), "snowpipe")
    with_pipes.set_up()
    run_id = with_pipes.new_run_id()
    manifest = with_pipes.write(run_id, CHART, days=(YESTERDAY, DAY))

    def change_landing(session: Session) -> None:
        for statement in statements:
            with_pipes.place.query(statement)
        take_lock(session)

    monkeypatch.setattr(transaction, "take_lock", change_landing)
    with pytest.raises(error, match=message):
        with_pipes.load(run_id, manifest)
    assert with_pipes.place.count("songs_history") == 0


@contextmanager
def kept_busy(session: Session) -> Iterator[None]:
    """Keeps a session busy, because the stand-in aborts an idle transaction that blocks others."""
    done = threading.Event()

    def work() -> None:
        while not done.wait(0.1):
            session.execute("setup/find_schema_version", table="schema_versions")

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
