"""COPY INTO a table FROM a stage: reads all fields as text, then casts them to the types of the columns."""

import tempfile
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa  # type: ignore[import-untyped]
from fakesnow.transforms.options import parse_options
from sqlglot import exp

from sandbox.snowflake import errors
from sandbox.snowflake.copy import stages
from sandbox.snowflake.copy.csv_format import CsvFormat
from sandbox.snowflake.copy.load_errors import explain, refuse_long_texts
from sandbox.snowflake.copy.load_history import Entry, copied_before, record
from sandbox.snowflake.copy.load_sql import Load
from sandbox.snowflake.copy.staged_files import StagedFile, fetch
from sandbox.snowflake.state.schema_objects import Stage
from sandbox.snowflake.state.session import Session
from sandbox.snowflake.state.tables import columns_of, existing_table

MAX_FILES = 1000
OPTIONS = {"FILES", "FILE_FORMAT", "FORCE", "ON_ERROR", "PURGE"}
RESULT = pa.schema(
    [
        ("file", pa.string()),
        ("status", pa.string()),
        ("rows_parsed", pa.int64()),
        ("rows_loaded", pa.int64()),
        ("error_limit", pa.int64()),
        ("errors_seen", pa.int64()),
        ("first_error", pa.string()),
        ("first_error_line", pa.int64()),
        ("first_error_character", pa.int64()),
        ("first_error_column_name", pa.string()),
    ]
)
NO_ERROR = (None, None, None, None)


def copy_into(session: Session, copy: exp.Copy) -> pa.Table:
    """Runs the COPY; returns one row per file, or a single status if all files were loaded before."""
    target = copy.this
    table = existing_table(session, target.this if isinstance(target, exp.Schema) else target)
    columns = columns_of(session, table, target)
    options = _options(copy)
    stage, path, file_format = _source(session, copy, options)
    with tempfile.TemporaryDirectory() as directory:
        url = f"{stage.base}{path}".rstrip("/")
        urls = [f"{url}/{name.removeprefix('/')}" for name in options["FILES"]]
        files = fetch(session.account.s3, urls, file_format.compression, Path(directory))
        check_bytes(files, file_format)
        loaded = set() if options.get("FORCE") else copied_before(session.connection, table)
        new = [file for file in files if (file.url, file.etag) not in loaded]
        counts = run_load(session, Load(table, columns, file_format, new), stage)
    return _result(files, counts)


def _options(copy: exp.Copy) -> dict[str, Any]:
    options: dict[str, Any] = {}
    for parameter in copy.args.get("params") or []:
        name = parameter.this.name.upper()
        if name not in OPTIONS:
            raise errors.not_emulated(f"the COPY option {name}")
        if name == "FILE_FORMAT":
            options[name] = stages.file_format_options(parameter.expressions)
        else:
            options |= parse_options([exp.Property(this=parameter.this, value=parameter.expression)])
    if str(options.get("ON_ERROR", "ABORT_STATEMENT")).upper() != "ABORT_STATEMENT" or options.get("PURGE"):
        raise errors.not_emulated("COPY with ON_ERROR other than ABORT_STATEMENT, or with PURGE")
    options["FILES"] = _file_names(options.get("FILES"))
    return options


def _file_names(names: list[str] | None) -> list[str]:
    if not names:
        raise errors.not_emulated("COPY without FILES")
    if len(names) > MAX_FILES:
        raise errors.failure(1038, "42601", f"FILES has {len(names)} names; {MAX_FILES} is the maximum.")
    return list(dict.fromkeys(names))


def _source(session: Session, copy: exp.Copy, options: dict[str, Any]) -> tuple[Stage, str, CsvFormat]:
    variable = copy.args["files"][0].this
    if not isinstance(variable, exp.Var) or not variable.name.startswith("@"):
        raise errors.not_emulated("COPY from anything but @stage/path/")
    name, _, path = variable.name[1:].partition("/")
    stage = stages.existing_stage(session, name)
    chosen = options.get("FILE_FORMAT") or stage.file_format
    return stage, path, CsvFormat.of(stages.named_format(session, chosen))


def check_bytes(files: list[StagedFile], file_format: CsvFormat) -> None:
    """Raises for bytes whose handling in Snowflake is undocumented or not emulated."""
    for file in files:
        body = file.path.read_bytes()
        if not file_format.backslash_is_text and b"\\" in body:
            raise errors.not_emulated(
                f"a backslash in '{file.url}' with the default ESCAPE_UNENCLOSED_FIELD: set it to NONE"
            )
        if b"\0" in body:
            raise errors.not_emulated(f"NUL in a CSV file, which is undocumented: '{file.url}'")


def run_load(session: Session, load: Load, stage: Stage, **by_pipe: Any) -> dict[str, int]:
    """Inserts the rows and records the files in the load history; returns the number of rows by file URL."""
    if not load.files:
        return {}
    try:
        with session.atomic() as connection:
            refuse_long_texts(connection, load)
            connection.execute(load.insert())
            counting = f"SELECT __file, count(*) FROM {load.source()} GROUP BY __file"
            rows = connection.execute(counting).fetchall()
            by_path = {Path(path): count for path, count in rows}
            counts = {file.url: by_path.get(file.path, 0) for file in load.files}
            record(connection, load.table, [_entry(file, stage, counts, by_pipe) for file in load.files])
    except duckdb.TransactionException:
        raise
    except duckdb.Error as error:
        raise explain(session.account.engine, error, load) from error
    return counts


def _entry(file: StagedFile, stage: Stage, counts: dict[str, int], by_pipe: dict[str, Any]) -> Entry:
    rows = counts[file.url]
    return Entry(file.url, file.etag, stage.base, file.size, rows=rows, parsed=rows, **by_pipe)


def _result(files: list[StagedFile], counts: dict[str, int]) -> pa.Table:
    if not counts:
        return pa.table({"status": ["Copy executed with 0 files processed."]})
    rows = [
        (file.url, "LOADED", counts[file.url], counts[file.url], 1, 0, *NO_ERROR)
        if file.url in counts
        else (file.url, "LOAD_SKIPPED", 0, 0, None, 1, "File was loaded before.", None, None, None)
        for file in files
    ]
    return pa.Table.from_arrays(
        [pa.array(column, field.type) for column, field in zip(zip(*rows, strict=True), RESULT, strict=True)],
        schema=RESULT,
    )
