"""Contract tests of Snowflake features that the stand-in only imitates."""

import os

import msgspec
import pytest

from pipeline.columns import TABLES, landing
from pipeline.errors import Code, ConfigurationError, LockTimeout, StopRun, Transient
from pipeline.records import Manifest, Snapshot
from pipeline.warehouse.ledger import PARTITIONS_PER_INSERT, insert_loads, is_loaded
from pipeline.warehouse.lock import take_lock
from pipeline.warehouse.setup import is_current
from tests.builders import body, entry, fetched, head, song
from tests.hostile_texts import TEXTS, check, hostile_snapshot, read_landed
from tests.pipeline.warehouse.test_request_size import RESULTS, full_statement
from tests.real.accounts import Accounts
from tests.warehouses import DAY

SHORT_TEXTS = [text for text in TEXTS.values() if len(text) < 1000]
SMALL = "contractTests000000001"
"""Id of a playlist of one song."""


def small_playlist(text: str | None = "") -> Snapshot:
    """A playlist of one song, with this text or null in nullable columns."""
    response = head([entry(song(external_ids={"isrc": text}))], id_=SMALL, description=text)
    return fetched(SMALL, [body(response)], 1)


def test_an_up_to_date_schema_takes_one_query(accounts: Accounts) -> None:
    url = accounts.lake.url
    with accounts.session() as session:
        assert is_current(session, url)
        assert len(session.statements) == 1
    accounts.set_up()


def test_the_loader_cannot_change_the_schema(accounts: Accounts) -> None:
    if accounts.owner == "warehouse":
        pytest.skip("one role loads and changes the schema: SNOWFLAKE_ADMIN_ROLE is not set")
    with accounts.session() as session:
        for name in ("setup/add_load_results", "setup/create_stage", "setup/generated/create_views"):
            with pytest.raises(ConfigurationError) as refused:
                session.execute_all(name, url="'s3://other/'")
            assert refused.value.code == Code.SNOWFLAKE_DENIED, name


def test_hostile_texts_and_null_are_stored_unchanged(accounts: Accounts) -> None:
    run = accounts.new_run()
    hostile = [hostile_snapshot(number, text) for number, text in enumerate(SHORT_TEXTS)]
    accounts.load(run, accounts.write(run, [*hostile, small_playlist(None)]))

    description = "SELECT description FROM playlists_history WHERE run_id = ? AND playlist_id = ?"
    isrc = "SELECT isrc FROM songs_history WHERE run_id = ? AND playlist_id = ?"
    with accounts.session() as session:
        for text, landed in zip(SHORT_TEXTS, read_landed(session.query, run.run_id, hostile), strict=True):
            check(text, landed)
        for query in (description, isrc):
            assert session.query(query, run.run_id, SMALL) == [(None,)]


def test_a_missing_file_loads_nothing(accounts: Accounts) -> None:
    run, other = accounts.new_run(), accounts.new_run()
    written = accounts.write(run, [small_playlist()])
    *files, last = written.files
    missing = msgspec.structs.replace(last, key=last.key.replace(run.run_id, other.run_id))
    with pytest.raises(StopRun, match=other.run_id) as error:
        accounts.load(run, Manifest([*files, missing], written.partitions))

    assert error.value.code == Code.SNOWFLAKE_STAGE
    with accounts.session() as session:
        assert session.execute("load/generated/count_rows", (run.run_id,) * len(TABLES)) == []


def test_a_second_writer_times_out_while_the_first_holds_the_lock(
    accounts: Accounts, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock_timeout_s = 1 if accounts.are_real else 0  # the stand-in can refuse immediately
    monkeypatch.setattr("pipeline.warehouse.session.LOCK_TIMEOUT_S", lock_timeout_s)
    with accounts.session("first") as first, accounts.session("second") as second:
        take_lock(first)
        with pytest.raises(LockTimeout):
            is_loaded(second)
        first.rollback()
        assert not is_loaded(second)


def test_the_largest_ledger_statement_is_accepted(accounts: Accounts) -> None:
    run = msgspec.structs.replace(accounts.new_run(), snapshot_date=DAY)
    with accounts.session(run.run_id, autocommit=False) as session:
        take_lock(session)
        insert_loads(session, run, "copy", full_statement(), RESULTS)
        assert session.rowcount == PARTITIONS_PER_INSERT


def test_a_statement_timeout_is_transient(accounts: Accounts) -> None:
    if not accounts.are_real:
        pytest.skip("the stand-in has neither SYSTEM$WAIT nor STATEMENT_TIMEOUT_IN_SECONDS")
    with accounts.session() as session:
        session.query("ALTER SESSION SET STATEMENT_TIMEOUT_IN_SECONDS = 1")
        with pytest.raises(Transient) as error:
            session.query("CALL SYSTEM$WAIT(30)")
    assert error.value.code == Code.SNOWFLAKE_SLOW


@pytest.mark.faults
def test_pipes_load_files_that_the_run_promotes(accounts: Accounts) -> None:
    accounts.set_up("snowpipe")
    with accounts.session() as session:
        assert is_current(session, accounts.lake.url, "snowpipe")
    if accounts.are_real and not os.environ.get("SNOWPIPE"):
        pytest.skip("SNOWPIPE is not set: set it to 1 if the bucket notifies the pipes of the tests' folder")
    run = accounts.new_run()
    manifest = accounts.write(run, [small_playlist()], "snowpipe")
    loaded = accounts.load(run, manifest, "snowpipe")

    assert loaded.rows_by_table == {table: manifest.rows(table) for table in TABLES}
    with accounts.session() as session:
        for table in TABLES:
            assert session.query(f"SELECT COUNT(*) FROM {landing(table)}") == [(0,)]
