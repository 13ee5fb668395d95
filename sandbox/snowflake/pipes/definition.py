"""The COPY statement of a pipe: parsed and checked once, at CREATE PIPE."""

import re
from typing import Any

from fakesnow.dialect import parse_one
from fakesnow.transforms.options import parse_options
from sqlglot import exp

from sandbox.snowflake import errors
from sandbox.snowflake.copy import stages
from sandbox.snowflake.copy.csv_format import CsvFormat
from sandbox.snowflake.copy.load_sql import FILE_NAME, ROW_NUMBER
from sandbox.snowflake.state.pipe import Definition
from sandbox.snowflake.state.schema_objects import Column
from sandbox.snowflake.state.session import Session
from sandbox.snowflake.state.tables import columns_of, existing_table

OPTIONS = {"FILE_FORMAT", "PATTERN", "ON_ERROR"}
METADATA = {"METADATA$FILENAME": FILE_NAME, "METADATA$FILE_ROW_NUMBER": ROW_NUMBER}


def read_definition(session: Session, sql: str) -> Definition:
    """Parses and checks the COPY statement; the current schema of `session` is the pipe's schema."""
    copy = parse_one(sql)
    if not isinstance(copy, exp.Copy):
        raise errors.not_emulated("a pipe of anything but COPY INTO a table")
    source = copy.args["files"][0]
    location, sources = _select(source.this) if isinstance(source, exp.Subquery) else (source.this, None)
    if not isinstance(location, exp.Var) or not location.name.startswith("@"):
        raise errors.not_emulated("a pipe from anything but @stage/path/")
    options = _options(copy)
    name, _, path = location.name[1:].partition("/")
    stage = stages.existing_stage(session, name)
    definition = Definition(
        copy.this,
        sources,
        stage,
        stages.qualified(session, name),
        path,
        options.get("FILE_FORMAT") or stage.file_format,
        options.get("PATTERN"),
    )
    pipe_columns(session, definition)
    pipe_format(session, definition)
    return definition


def pipe_columns(session: Session, definition: Definition) -> list[Column]:
    """Returns the columns with their sources; raises if their number differs or a column does not exist."""
    found = columns_of(session, existing_table(session, definition.table), definition.target)
    sources = definition.sources or [f"${number}" for number in range(1, len(found) + 1)]
    if len(sources) != len(found):
        raise errors.failure(
            2020,
            "21S01",
            "SQL compilation error:\nInsert value list does not match column list expecting "
            f"{len(found)} but got {len(sources)}",
        )
    return [column._replace(source=source) for column, source in zip(found, sources, strict=True)]


def pipe_format(session: Session, definition: Definition) -> CsvFormat:
    """Returns the file format; raises if it does not exist or is not emulated."""
    return CsvFormat.of(stages.named_format(session, definition.file_format))


def _options(copy: exp.Copy) -> dict[str, Any]:
    options: dict[str, Any] = {}
    for parameter in copy.args.get("params") or []:
        name = parameter.this.name.upper()
        if name not in OPTIONS:
            raise errors.not_emulated(f"the COPY option {name} in a pipe")
        if name == "FILE_FORMAT":
            options[name] = stages.file_format_options(parameter.expressions)
        else:
            options |= parse_options([exp.Property(this=parameter.this, value=parameter.expression)])
    if str(options.get("ON_ERROR", "SKIP_FILE")).upper() != "SKIP_FILE":
        raise errors.not_emulated("a pipe with ON_ERROR other than SKIP_FILE, the default")
    _check_pattern(options.get("PATTERN"))
    return options


def _check_pattern(pattern: str | None) -> None:
    try:
        re.compile(pattern or "")
    except re.error as error:
        raise errors.not_emulated(f"PATTERN = '{pattern}': {error}") from error


def _select(select: exp.Expression) -> tuple[exp.Expression, list[str]]:
    """Returns location and sources of `SELECT $1, METADATA$FILENAME, … FROM @stage/path/ [alias]`."""
    simple = {"kind", "hint", "distinct", "expressions", "from", "from_"}
    more = {name for name, value in select.args.items() if value and name not in simple}
    table = select.find(exp.From)
    if not isinstance(select, exp.Select) or more or select.args.get("distinct") or table is None:
        raise errors.not_emulated("a pipe with more than SELECT $1, … FROM @stage/path/")
    return table.this.this, [_source(each) for each in select.expressions]


def _source(expression: exp.Expression) -> str:
    inner = expression.this if isinstance(expression, exp.Column) else expression
    if isinstance(inner, exp.Parameter):
        return f"${inner.this.name}"
    name = inner.name.upper()
    if not isinstance(expression, exp.Column) or name not in METADATA:
        raise errors.not_emulated(
            f"{expression.sql(dialect='snowflake')} in a pipe: only $1, … and METADATA$"
        )
    return METADATA[name]
