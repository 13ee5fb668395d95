"""COPY INTO a table FROM a stage: values, result, errors, options and load history."""

import datetime as dt
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
from snowflake.connector.errors import DatabaseError, ProgrammingError

Run = Callable[..., list[tuple[Any, ...]]]
Put = Callable[[str, str], None]

FORMAT = "FORMAT_NAME = 'playlist_csv'"
LAKE = "s3://lake-bucket/tables"
RESULT_COLUMNS = (
    "file status rows_parsed rows_loaded error_limit errors_seen first_error first_error_line"
    " first_error_character first_error_column_name"
)


def copy(table: str, columns: str, *files: str, options: str = "", file_format: str = FORMAT) -> str:
    names = ", ".join(f"'{file}'" for file in files)
    return (
        f"COPY INTO {table} ({columns}) FROM @lake/tables/ FILES = ({names})"
        f" FILE_FORMAT = ({file_format}) {options}"
    )


@pytest.fixture
def notes(run: Run) -> Run:
    """Runs statements; the table `notes` exists and is empty."""
    run("CREATE OR REPLACE TABLE notes (n NUMBER(38,0), note VARCHAR)")
    return run


class Value(NamedTuple):
    """A field of the file, the type of the column, and the expected value."""

    field: str
    type: str
    expected: Any


NOON = dt.datetime(2026, 11, 1, 12, 0, 0, 7000, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    "case",
    [
        Value("12", "NUMBER(38,0)", 12),
        Value("true", "BOOLEAN", expected=True),
        Value("false", "BOOLEAN", expected=False),
        Value("2026-11-01", "DATE", dt.date(2026, 11, 1)),
        Value("2026-11-01T12:00:00.007Z", "TIMESTAMP_TZ", NOON),
        Value("2026-11-01T12:00:00.007Z", "TIMESTAMP_NTZ(3)", NOON.replace(tzinfo=None)),
        Value("2026-11-01T12:00:00.007+02:00", "TIMESTAMP_NTZ(3)", NOON.replace(tzinfo=None)),
        Value('"{""a"": [1, 2]}"', "VARCHAR", '{"a": [1, 2]}'),
        Value("", "VARCHAR", None),
        Value('""', "VARCHAR", ""),
        Value("", "NUMBER(38,0)", None),
        Value("", "TIMESTAMP_TZ", None),
        Value("\\N", "VARCHAR", "\\N"),
        Value("NULL", "VARCHAR", "NULL"),
        Value("a\\b", "VARCHAR", "a\\b"),
        Value('"a ""b"" ,c"', "VARCHAR", 'a "b" ,c'),
        Value('"two\nlines"', "VARCHAR", "two\nlines"),
        Value('"cr\r\nlf\rcr"', "VARCHAR", "cr\r\nlf\rcr"),
        Value("  padded  ", "VARCHAR", "  padded  "),
        Value("\x01\x1b\x7f", "VARCHAR", "\x01\x1b\x7f"),
        Value("=HYPERLINK(1)", "VARCHAR", "=HYPERLINK(1)"),
        Value("\U0001f3a7e\u0301", "VARCHAR", "\U0001f3a7e\u0301"),
        Value('"' + "x,\n" * 350_000 + '"', "VARCHAR", "x,\n" * 350_000),
    ],
    ids=lambda case: f"{case.field[:12]!r} as {case.type}",
)
def test_field_is_converted_to_the_type_of_the_column(run: Run, put: Put, case: Value) -> None:
    run(f"CREATE OR REPLACE TABLE one (n INT, v {case.type})")
    put("tables/one/dt=2026-11-01/r.csv.gz", f"n,v\n1,{case.field}\n2,{case.field}\n")
    run(copy("one", '"N", "V"', "one/dt=2026-11-01/r.csv.gz"))
    assert run("SELECT v FROM one ORDER BY n") == [(case.expected,)] * 2


def test_result_has_a_row_for_every_file(connection: Any, notes: Run, put: Put) -> None:
    put("tables/notes/dt=1/a.csv.gz", "n,note\n1,x\n2,y\n")
    put("tables/notes/dt=2/b.csv.gz", "n,note\n")
    cursor = connection.cursor().execute(
        copy("notes", "n, note", "notes/dt=1/a.csv.gz", "notes/dt=2/b.csv.gz")
    )
    assert [column.name for column in cursor.description] == RESULT_COLUMNS.split()
    assert cursor.fetchall() == [
        (f"{LAKE}/notes/dt=1/a.csv.gz", "LOADED", 2, 2, 1, 0, None, None, None, None),
        (f"{LAKE}/notes/dt=2/b.csv.gz", "LOADED", 0, 0, 1, 0, None, None, None, None),
    ]
    assert notes("SELECT * FROM notes ORDER BY n") == [(1, "x"), (2, "y")]


def test_columns_are_matched_by_position_to_the_list(run: Run, put: Put) -> None:
    run("CREATE OR REPLACE TABLE wide (a VARCHAR, b VARCHAR DEFAULT 'b', c VARCHAR)")
    put("tables/wide.csv.gz", "c,a\nC,A\n")
    run(copy("wide", "c, a", "wide.csv.gz"))
    assert run("SELECT * FROM wide") == [("A", "b", "C")]


class Failure(NamedTuple):
    """A file that cannot be loaded, and the expected error."""

    name: str
    text: str
    errno: int
    words: str


@pytest.mark.parametrize(
    "case",
    [
        Failure("bad number", "n,note\n1,a\nx7,b\n", 100038, "value 'x7' is not recognized"),
        Failure("null", "n,note\n1,a\n,b\n", 100072, "NULL result in a non-nullable column"),
        Failure("too few columns", "n,note\n1,a\n2\n", 100080, r"file \(1\) does not match .* table \(2\)"),
        Failure(
            "too many columns", "n,note\n1,a\n2,b,c\n", 100080, r"file \(3\) does not match .* table \(2\)"
        ),
        Failure("open quote", 'n,note\n1,a\n2,"b\n', 100016, "unterminated quote"),
    ],
    ids=lambda case: case.name,
)
def test_invalid_file_is_named_in_the_error_and_nothing_is_loaded(run: Run, put: Put, case: Failure) -> None:
    run("CREATE OR REPLACE TABLE strict (n NUMBER(38,0) NOT NULL, note VARCHAR)")
    put("tables/strict/good.csv.gz", "n,note\n1,fine\n")
    put("tables/strict/bad.csv.gz", case.text)
    with pytest.raises(DatabaseError, match=case.words) as info:
        run(copy("strict", "n, note", "strict/good.csv.gz", "strict/bad.csv.gz"))
    assert info.value.errno == case.errno
    assert f"File '{LAKE}/strict/bad.csv.gz', line 3" in str(info.value)
    assert run("SELECT COUNT(*) FROM strict") == [(0,)]
    assert run(copy("strict", "n, note", "strict/good.csv.gz"))[0][1] == "LOADED"


def test_error_names_the_column_of_an_invalid_value(run: Run, put: Put) -> None:
    run("CREATE OR REPLACE TABLE days (n INT, day DATE)")
    put("tables/days.csv.gz", "n,day\n1,2026-02-30\n")
    with pytest.raises(ProgrammingError, match=r'Row 1, column "DAYS"\["DAY":2\]'):
        run(copy("days", "n, day", "days.csv.gz"))


def test_nul_is_refused_because_it_is_undocumented(notes: Run, put: Put) -> None:
    put("tables/nul.csv.gz", "n,note\n1,nul\0byte\n")
    with pytest.raises(ProgrammingError, match=r"does not emulate NUL in a CSV file.*nul.csv.gz"):
        notes(copy("notes", "n, note", "nul.csv.gz"))


def test_text_longer_than_16_mb_is_refused(notes: Run, put: Put) -> None:
    put("tables/longest.csv.gz", "n,note\n1," + "ü" * 2**23 + "\n")
    notes(copy("notes", "n, note", "longest.csv.gz"))
    put("tables/longer.csv.gz", "n,note\n1," + "ü" * 2**23 + "x\n")
    with pytest.raises(DatabaseError, match=r"Max LOB size \(16777216\) exceeded.*16777217") as info:
        notes(copy("notes", "n, note", "longer.csv.gz"))
    assert info.value.errno == 100082
    assert notes("SELECT n, LENGTH(note) FROM notes") == [(1, 2**23)]


def test_error_names_a_missing_file(notes: Run) -> None:
    with pytest.raises(ProgrammingError, match=f"Remote file '{LAKE}/notes/none.csv.gz' was not found"):
        notes(copy("notes", "n, note", "notes/none.csv.gz"))


def test_uncompressed_file_needs_another_compression_option(notes: Run, s3: Any) -> None:
    s3.put_object(Bucket="lake-bucket", Key="tables/plain.csv.gz", Body=b"n,note\n1,x\n")
    with pytest.raises(ProgrammingError, match=r"decompression for file: '.*plain.csv.gz'"):
        notes(copy("notes", "n, note", "plain.csv.gz"))
    assert (
        notes(copy("notes", "n, note", "plain.csv.gz", file_format="TYPE = CSV SKIP_HEADER = 1"))[0][3] == 1
    )


@pytest.mark.parametrize(
    "options",
    [
        "ON_ERROR = CONTINUE",
        "ON_ERROR = 'SKIP_FILE'",
        "PURGE = TRUE",
        "PATTERN = '.*'",
        "VALIDATION_MODE = RETURN_ERRORS",
        "MATCH_BY_COLUMN_NAME = CASE_INSENSITIVE",
        "TRUNCATECOLUMNS = TRUE",
    ],
)
def test_unsupported_copy_option_raises(notes: Run, options: str) -> None:
    with pytest.raises(ProgrammingError, match="does not emulate"):
        notes(copy("notes", "n, note", "notes/a.csv.gz", options=options))


@pytest.mark.parametrize(
    "file_format",
    [
        "TYPE = JSON",
        "TYPE = CSV ERROR_ON_COLUMN_COUNT_MISMATCH = FALSE",
        "TYPE = CSV ENCODING = 'ISO-8859-1'",
        "TYPE = CSV SKIP_BLANK_LINES = TRUE",
        "TYPE = CSV DATE_FORMAT = 'DD.MM.YYYY'",
    ],
)
def test_unsupported_format_option_raises(notes: Run, file_format: str) -> None:
    with pytest.raises(ProgrammingError, match="does not emulate"):
        notes(copy("notes", "n, note", "notes/a.csv.gz", file_format=file_format))


def test_backslash_needs_escape_unenclosed_field_none(notes: Run, put: Put) -> None:
    put("tables/backslash.csv.gz", "n,note\n1,a\\b\n")
    with pytest.raises(ProgrammingError, match="ESCAPE_UNENCLOSED_FIELD"):
        notes(copy("notes", "n, note", "backslash.csv.gz", file_format="TYPE = CSV SKIP_HEADER = 1"))


def test_null_if_applies_to_enclosed_fields(notes: Run, put: Put) -> None:
    put("tables/null_if.csv.gz", 'n,note\n1,none\n2,"none"\n3,""\n4,\n')
    file_format = (
        "TYPE = CSV SKIP_HEADER = 1 FIELD_OPTIONALLY_ENCLOSED_BY = '\"' NULL_IF = ('none')"
        " EMPTY_FIELD_AS_NULL = FALSE"
    )
    notes(copy("notes", "n, note", "null_if.csv.gz", file_format=file_format))
    assert notes("SELECT note FROM notes ORDER BY n") == [(None,), (None,), ("",), ("",)]


def test_file_format_of_the_stage_is_used(notes: Run, put: Put) -> None:
    put("tables/semicolons.csv.gz", "1;x\n")
    notes(
        "CREATE OR REPLACE STAGE formatted URL = 's3://lake-bucket/tables/' STORAGE_INTEGRATION = lake_reader"
        " FILE_FORMAT = (TYPE = CSV FIELD_DELIMITER = ';')"
    )
    notes("COPY INTO notes FROM @formatted FILES = ('semicolons.csv.gz')")
    assert notes("SELECT * FROM notes") == [(1, "x")]


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("COPY INTO notes FROM @none_such FILES = ('a')", "Stage 'none_such' does not exist"),
        ("COPY INTO none_such FROM @lake FILES = ('a')", "Table 'none_such' does not exist"),
        ("COPY INTO notes (zzz) FROM @lake FILES = ('a')", "invalid identifier 'ZZZ'"),
        (
            "COPY INTO notes FROM @lake FILES = ('a') FILE_FORMAT = (FORMAT_NAME = no_such)",
            "File format .*NO_SUCH",
        ),
        ("COPY INTO notes FROM 's3://lake-bucket/' FILES = ('a')", "does not emulate"),
        ("COPY INTO notes FROM (SELECT $1, $2 FROM @lake) FILES = ('a')", "does not emulate"),
        ("COPY INTO @lake FROM notes", "does not emulate"),
        ("COPY INTO notes FROM @lake", "does not emulate COPY without FILES"),
    ],
)
def test_unknown_name_or_unsupported_form_raises(notes: Run, sql: str, words: str) -> None:
    with pytest.raises(ProgrammingError, match=words):
        notes(sql)


@pytest.mark.parametrize(("count", "loads"), [(1000, True), (1001, False)])
def test_copy_accepts_at_most_1000_files(notes: Run, put: Put, count: int, loads: bool) -> None:
    put("tables/many.csv.gz", "n,note\n1,x\n")
    statement = copy("notes", "n, note", *(["many.csv.gz"] * count))
    if loads:
        assert len(notes(statement)) == 1
    else:
        with pytest.raises(ProgrammingError, match="1001 names"):
            notes(statement)


# ---- load history: loaded files are not loaded again


@pytest.fixture
def loaded(notes: Run, put: Put) -> Run:
    put("tables/history.csv.gz", "n,note\n1,x\n")
    assert notes(AGAIN)[0][1] == "LOADED"
    return notes


AGAIN = copy("notes", "n, note", "history.csv.gz")


class Then(NamedTuple):
    """Statements between two COPYs of the same file, and the final number of rows."""

    name: str
    between: list[str]
    rows: int


@pytest.mark.parametrize(
    "case",
    [
        Then("nothing", [], 1),
        Then("DELETE keeps the history", ["DELETE FROM notes"], 0),
        Then("TRUNCATE deletes the history", ["TRUNCATE TABLE notes"], 1),
        Then("TRUNCATE IF EXISTS too", ["TRUNCATE TABLE IF EXISTS notes"], 1),
        Then("a replaced table has no history", ["CREATE OR REPLACE TABLE notes (n INT, note VARCHAR)"], 1),
        Then("ALTER TABLE keeps the history", ["ALTER TABLE notes ADD COLUMN IF NOT EXISTS z INT"], 1),
        Then("CREATE IF NOT EXISTS keeps the history", ["CREATE TABLE IF NOT EXISTS notes (n INT)"], 1),
        Then(
            "a TRUNCATE that is rolled back keeps the history",
            ["BEGIN", "TRUNCATE TABLE notes", "ROLLBACK"],
            1,
        ),
    ],
    ids=lambda case: case.name,
)
def test_second_copy_of_a_file_after(loaded: Run, case: Then) -> None:
    for statement in case.between:
        loaded(statement)
    loaded(AGAIN)
    assert loaded("SELECT COUNT(*) FROM notes") == [(case.rows,)]


def test_second_copy_reports_0_files(loaded: Run) -> None:
    assert loaded(AGAIN) == [("Copy executed with 0 files processed.",)]


def test_force_loads_a_file_again(loaded: Run) -> None:
    loaded(AGAIN + " FORCE = TRUE")
    assert loaded("SELECT COUNT(*) FROM notes") == [(2,)]
    loaded(AGAIN + " FORCE = FALSE")
    assert loaded("SELECT COUNT(*) FROM notes") == [(2,)]


def test_changed_file_is_loaded_again(loaded: Run, put: Put) -> None:
    put("tables/history.csv.gz", "n,note\n2,changed\n")
    loaded(AGAIN)
    assert loaded("SELECT n FROM notes ORDER BY n") == [(1,), (2,)]


def test_result_marks_skipped_and_loaded_files(loaded: Run, put: Put) -> None:
    put("tables/fresh.csv.gz", "n,note\n2,y\n")
    rows = loaded(copy("notes", "n, note", "history.csv.gz", "fresh.csv.gz"))
    assert [row[1] for row in rows] == ["LOAD_SKIPPED", "LOADED"]


def test_copy_that_was_rolled_back_can_be_repeated(notes: Run, put: Put) -> None:
    put("tables/rolled.csv.gz", "n,note\n1,x\n")
    statement = copy("notes", "n, note", "rolled.csv.gz")
    notes("BEGIN")
    notes(statement)
    notes("ROLLBACK")
    assert notes("SELECT COUNT(*) FROM notes") == [(0,)]
    assert notes(statement)[0][1] == "LOADED"


def test_load_history_is_per_table(loaded: Run) -> None:
    loaded("CREATE OR REPLACE TABLE notes_too (n INT, note VARCHAR)")
    assert loaded(copy("notes_too", "n, note", "history.csv.gz"))[0][1] == "LOADED"
