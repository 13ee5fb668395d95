"""SQL statements of a load: at most 24, in one transaction, without DDL, with bound values only."""

from datetime import date, timedelta

import polars as pl
import pytest
import sqlglot
from sqlglot import exp

from pipeline.columns import TABLES
from pipeline.records import Manifest, Snapshot
from pipeline.transform.partitions import partition_lines
from pipeline.transform.responses import snapshot_rows
from pipeline.transform.tables import build_tables
from pipeline.warehouse import copy_files
from sandbox.snowflake.copy.copy_into import MAX_FILES
from tests.builders import body, entry, fetched, head, song, write_files
from tests.statements import recorded
from tests.warehouses import DAY, Warehouse

MAX_STATEMENTS = 24
HOSTILE = "'; DROP TABLE songs_history; -- ${x} ?\n\\"
DDL = (exp.Create, exp.Drop, exp.Alter, exp.TruncateTable, exp.Command, exp.Grant, exp.Comment)


def _days(count: int) -> list[date]:
    return [DAY - timedelta(days=age) for age in range(count)]


def _snapshots(names: list[str], count: int, *, snapshot_id: str = "v1") -> dict[date, list[Snapshot]]:
    """Snapshots by date, of playlists with one song and one reject: each table has one file per date."""
    responses = [body(head([entry(song()), None])) for _ in names]
    return {
        day: [
            fetched(name, [response], 2, snapshot_id) for name, response in zip(names, responses, strict=True)
        ]
        for day in _days(count)
    }


def _sent(
    warehouse: Warehouse, snapshots: dict[date, list[Snapshot]], refresh: str = "snapshot"
) -> list[str]:
    """Loads the snapshots and checks the rows; returns the statements between login and logout."""
    run_id = warehouse.new_run_id()
    manifest = warehouse.write_snapshots(run_id, snapshots)
    with recorded() as sent:
        warehouse.load(run_id, manifest, refresh=refresh)
    assert warehouse.place.count("rejects_history") == sum(map(len, snapshots.values()))
    return sent


def _copies(sent: list[str]) -> list[str]:
    return [sql for sql in sent if sql.startswith("COPY")]


@pytest.mark.parametrize("refresh", ["snapshot", "full"])
def test_the_number_of_statements_does_not_depend_on_the_number_of_partitions(
    warehouse: Warehouse, refresh: str
) -> None:
    one = _sent(warehouse, _snapshots(["p"], 1), refresh)
    many = _sent(warehouse, _snapshots([f"p{number}" for number in range(40)] + ["p"], 10), refresh)

    assert len(one) == len(many) <= MAX_STATEMENTS
    assert len(_copies(many)) == len(TABLES)


def test_a_load_is_one_transaction_that_takes_the_lock_first(warehouse: Warehouse) -> None:
    sent = _sent(warehouse, _snapshots(["p"], 1))

    assert (sent[0], sent[-1]) == ("BEGIN", "COMMIT")
    assert [sql for sql in sent if sql in ("BEGIN", "COMMIT", "ROLLBACK")] == ["BEGIN", "COMMIT"]
    assert "UPDATE writer_lock" in sent[1]


def test_more_files_than_one_copy_accepts_are_loaded_by_several_copies_in_one_transaction(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(copy_files, "FILES_PER_COPY", 2)
    sent = _sent(warehouse, _snapshots(["p", "q"], 5))

    copies = _copies(sent)
    assert len(copies) == 3 * len(TABLES)
    assert sorted(sql.count(".csv.gz'") for sql in copies) == [1] * len(TABLES) + [2] * 2 * len(TABLES)
    assert (sent[0], sent[-1], sent.count("BEGIN"), sent.count("COMMIT")) == ("BEGIN", "COMMIT", 1, 1)


def test_a_copy_names_as_many_files_as_snowflake_allows() -> None:
    assert copy_files.FILES_PER_COPY == MAX_FILES == 1000


@pytest.mark.faults
@pytest.mark.parametrize(("files", "copies"), [(1000, 8), (1001, 9)])
def test_a_thousand_files_of_a_table_take_one_copy(warehouse: Warehouse, files: int, copies: int) -> None:
    run_id, (kept,) = warehouse.new_run_id(), _snapshots(["p"], 1).values()
    decoded, written = [snapshot_rows(one) for one in kept], []
    tables = build_tables(decoded, DAY, run_id)
    for day in _days(files):
        dated = {table: frame.with_columns(snapshot_date=pl.lit(day)) for table, frame in tables.items()}
        few = dated if day == DAY else {"playlists": dated["playlists"]}
        files_of_day = write_files(warehouse.lake, few, day, run_id)
        written.append(Manifest(files_of_day, partition_lines(dated, decoded, {"p": "raw"})))
    with recorded() as sent:
        warehouse.load(run_id, Manifest.of(written))

    assert len(_copies(sent)) == copies
    assert len(sent) <= MAX_STATEMENTS + copies - len(TABLES)
    assert warehouse.place.count("playlists_history") == warehouse.place.count("loads") == files


@pytest.mark.parametrize("refresh", ["snapshot", "full"])
def test_no_statement_with_an_implicit_commit_is_in_the_transaction(
    warehouse: Warehouse, refresh: str
) -> None:
    _sent(warehouse, _snapshots(["p"], 1))
    sent = _sent(warehouse, _snapshots(["p"], 1), refresh)

    inside = [sqlglot.parse_one(sql, read="snowflake") for sql in sent[1:-1]]
    assert [statement.sql() for statement in inside if isinstance(statement, DDL)] == []
    changes = exp.Update | exp.Copy | exp.Delete | exp.Insert
    assert len([statement for statement in inside if isinstance(statement, changes)]) > 2 * len(TABLES)


def test_values_are_bound_and_never_part_of_a_statement(warehouse: Warehouse) -> None:
    snapshots = _snapshots([HOSTILE, 'p"'], 2, snapshot_id=HOSTILE)
    sent = _sent(warehouse, snapshots) + _sent(warehouse, snapshots)

    assert [sql for sql in sent if "DROP" in sql or 'p"' in sql] == []
    rows = warehouse.place.query("SELECT playlist_id, snapshot_id FROM loads")
    assert sorted(rows) == sorted([(HOSTILE, HOSTILE), ('p"', HOSTILE)] * 4)
    assert warehouse.place.count("songs_history") == 4
