"""Queries and DML in the SQL that the project uses, and their results."""

import datetime as dt
import json
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

Run = Callable[..., list[tuple[Any, ...]]]
NOON = dt.datetime(2026, 11, 1, 12, 0, 0, 123000, tzinfo=dt.UTC)


class Case(NamedTuple):
    """A query on the table `plays`, and the expected rows."""

    name: str
    sql: str
    rows: list[tuple[Any, ...]]


@pytest.fixture
def plays(run: Run) -> Run:
    run("CREATE OR REPLACE TABLE plays (list VARCHAR, day DATE, song VARCHAR, n NUMBER(38,0), live BOOLEAN)")
    run(
        "INSERT INTO plays VALUES ('a', '2026-11-01', 'x', 1, TRUE), ('a', '2026-11-02', 'y', 2, FALSE),"
        " ('b', '2026-11-01', 'x', 5, NULL), ('b', '2026-11-04', 'z', NULL, TRUE)"
    )
    return run


@pytest.mark.parametrize(
    "case",
    [
        Case(
            "QUALIFY",
            "SELECT list, day FROM plays QUALIFY ROW_NUMBER() OVER (PARTITION BY list ORDER BY day DESC) = 1"
            " ORDER BY 1",
            [("a", dt.date(2026, 11, 2)), ("b", dt.date(2026, 11, 4))],
        ),
        Case(
            "CTE and RANK",
            "WITH r AS (SELECT list, song, RANK() OVER (PARTITION BY list ORDER BY day DESC) AS k FROM plays)"
            " SELECT list, song FROM r WHERE k = 1 ORDER BY 1",
            [("a", "y"), ("b", "z")],
        ),
        Case(
            "GROUP BY ALL", "SELECT list, COUNT(*) FROM plays GROUP BY ALL ORDER BY 1", [("a", 2), ("b", 2)]
        ),
        Case("integer sums", "SELECT SUM(n), MAX(n), COUNT_IF(live) FROM plays", [(8, 5, 2)]),
        Case(
            "LISTAGG",
            "SELECT list, LISTAGG(song, ',') WITHIN GROUP (ORDER BY song) FROM plays"
            " GROUP BY list ORDER BY 1",
            [("a", "x,y"), ("b", "x,z")],
        ),
        Case(
            "IFF",
            "SELECT IFF(n > 1, 'many', 'one') FROM plays WHERE list = 'a' ORDER BY n",
            [("one",), ("many",)],
        ),
        Case("DATEDIFF", "SELECT DATEDIFF('day', MIN(day), MAX(day)) FROM plays", [(3,)]),
        Case(
            "LAG and DENSE_RANK",
            "SELECT song, LAG(song) OVER (PARTITION BY list ORDER BY day), DENSE_RANK() OVER (ORDER BY day)"
            " FROM plays WHERE list = 'a' ORDER BY day",
            [("x", None, 1), ("y", "x", 2)],
        ),
        Case(
            "FULL OUTER JOIN",
            "SELECT p.song, q.song FROM (SELECT song FROM plays WHERE list = 'a') p FULL OUTER JOIN"
            " (SELECT song FROM plays WHERE list = 'b') q ON p.song = q.song ORDER BY 1 NULLS LAST",
            [("x", "x"), ("y", None), (None, "z")],
        ),
        Case(
            "UNION ALL of counts",
            "SELECT 'a', COUNT(*) FROM plays WHERE list = 'a' UNION ALL"
            " SELECT 'c', COUNT(*) FROM plays WHERE list = 'c'",
            [("a", 2), ("c", 0)],
        ),
    ],
    ids=lambda case: case.name,
)
def test_query_returns(plays: Run, case: Case) -> None:
    assert plays(case.sql) == case.rows


def test_view_shows_new_rows_of_its_table(plays: Run) -> None:
    plays(
        "CREATE OR REPLACE VIEW newest COMMENT = 'today' AS"
        " WITH d AS (SELECT list, MAX(day) AS day FROM plays GROUP BY list)"
        " SELECT p.* FROM plays p JOIN d ON p.list = d.list AND p.day = d.day"
    )
    plays("INSERT INTO plays (list, day, song) VALUES ('a', '2026-12-01', 'new')")
    assert plays("SELECT song FROM newest ORDER BY list") == [("new",), ("z",)]
    assert plays("SELECT table_name FROM information_schema.views WHERE table_name = 'NEWEST'") == [
        ("NEWEST",)
    ]


@pytest.mark.usefixtures("plays")
def test_column_names_are_those_of_snowflake(connection: Any) -> None:
    cursor = connection.cursor().execute("SELECT COUNT(*), SUM(n), list AS who FROM plays GROUP BY list")
    assert [column.name for column in cursor.description] == ["COUNT(*)", "SUM(N)", "WHO"]


def test_delete_with_in_subquery_replaces_partitions(connection: Any, run: Run) -> None:
    run("CREATE TABLE lists_history (list VARCHAR, day DATE, run_id VARCHAR)")
    run("CREATE TABLE songs_history (list VARCHAR, day DATE, run_id VARCHAR)")
    for run_id in ("old", "new"):
        run("INSERT INTO lists_history SELECT 'a', '2026-11-01'::DATE, ?", run_id)
        run("INSERT INTO songs_history SELECT 'a', '2026-11-01'::DATE, ?", run_id)
    run("INSERT INTO songs_history VALUES ('a', '2026-10-31', 'old'), ('b', '2026-11-01', 'old')")
    deleted = {}
    for table in ("songs_history", "lists_history"):
        cursor = connection.cursor()
        cursor.execute(
            f"DELETE FROM {table} WHERE run_id <> ? AND (list, day) IN"
            " (SELECT list, day FROM lists_history WHERE run_id = ?)",
            ("new", "new"),
        )
        deleted[table] = cursor.rowcount
    assert deleted == {"songs_history": 1, "lists_history": 1}
    assert run("SELECT list, run_id FROM songs_history ORDER BY day, list") == [
        ("a", "old"),
        ("a", "new"),
        ("b", "old"),
    ]


def test_insert_from_flattened_json(connection: Any, run: Run) -> None:
    run(
        "CREATE TABLE loads (run_id VARCHAR, list VARCHAR, day DATE, fetched TIMESTAMP_TZ,"
        " items NUMBER(38,0), rows_by_table VARIANT, loaded_at TIMESTAMP_TZ)"
    )
    entry = {
        "id": "a'\"\\ü",
        "day": "2026-11-01",
        "fetched": "2026-11-01T12:00:00.123Z",
        "items": 7,
        "rows": {"songs": 3},
    }
    entries = [entry, *({**entry, "id": "x" * 1000} for _ in range(2000))]
    cursor = connection.cursor()
    cursor.execute(
        "INSERT INTO loads (run_id, list, day, fetched, items, rows_by_table, loaded_at)"
        " SELECT ?, f.value:id::VARCHAR, f.value:day::DATE, f.value:fetched::TIMESTAMP_TZ,"
        " f.value:items::NUMBER, f.value:rows, CURRENT_TIMESTAMP()"
        " FROM TABLE(FLATTEN(INPUT => PARSE_JSON(?))) f",
        ("run", json.dumps(entries)),
    )
    assert cursor.rowcount == len(entries)
    *row, rows_by_table, loaded_at = run("SELECT * FROM loads WHERE list = ?", entry["id"])[0]
    assert row == ["run", entry["id"], dt.date(2026, 11, 1), NOON, 7]
    assert json.loads(rows_by_table) == {"songs": 3}
    assert abs(dt.datetime.now(dt.UTC) - loaded_at) < dt.timedelta(minutes=1)
    assert run("SELECT rows_by_table:songs::NUMBER FROM loads LIMIT 1") == [(3,)]


@pytest.mark.parametrize(
    ("column_type", "expected"), [("TIMESTAMP_TZ", NOON), ("TIMESTAMP_NTZ(3)", NOON.replace(tzinfo=None))]
)
def test_timestamps_keep_milliseconds_and_nulls(run: Run, column_type: str, expected: dt.datetime) -> None:
    run(f"CREATE OR REPLACE TABLE moments (t {column_type})")
    run("INSERT INTO moments SELECT '2026-11-01T12:00:00.123Z'")
    run("INSERT INTO moments VALUES (NULL)")
    assert run("SELECT t FROM moments ORDER BY t NULLS LAST") == [(expected,), (None,)]
    assert run("SELECT COUNT(*) FROM moments WHERE t = ?", "2026-11-01T12:00:00.123Z") == [(1,)]


def test_bound_texts_are_unchanged(run: Run) -> None:
    texts = ["", "\\N", 'a"b', "it's", "line\r\nbreak", "$x ?", "=1+1", "🎧" * 1000]
    run("CREATE TABLE texts (n INT, t VARCHAR)")
    for number, text in enumerate(texts):
        run("INSERT INTO texts VALUES (?, ?)", number, text)
    assert [text for (text,) in run("SELECT t FROM texts ORDER BY n")] == texts
