"""Corrections to fakesnow's Arrow results, which the connector would read wrongly."""

import importlib

import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.compute as pc  # type: ignore[import-untyped]
from fakesnow.rowtype import ColumnInfo
from sqlglot import exp

_arrow = importlib.import_module("fakesnow.arrow")
_server = importlib.import_module("fakesnow.server")  # `fakesnow.server` is also a function
_transforms = importlib.import_module("fakesnow.transforms")
_stock_timestamps = _arrow.timestamp_to_sf_struct
_stock_table = _arrow.to_sf


def install() -> None:
    """Replaces functions of fakesnow by the functions below."""
    _arrow.__dict__["timestamp_to_sf_struct"] = timestamps
    _server.__dict__["to_sf"] = table
    _transforms.__dict__["numeric_agg_implicit_cast"] = aggregate


def timestamps(column: pa.ChunkedArray) -> pa.StructArray:
    """Returns timestamps in Snowflake's format; nulls stay null (in fakesnow they become 1970-01-01)."""
    plain = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    struct = _stock_timestamps(plain)
    parts = [pc.fill_null(part, 0) for part in struct.flatten()]
    return pa.StructArray.from_arrays(parts, fields=list(struct.type), mask=pc.is_null(plain))


def table(result: pa.Table, rowtype: list[ColumnInfo]) -> pa.Table:
    """Returns the result in Snowflake's format; casts sums of integers, floats in DuckDB, to NUMBER."""
    for number, info in enumerate(rowtype):
        column = result.column(number)
        if info["type"] == "fixed" and pa.types.is_floating(column.type):
            result = result.set_column(number, result.field(number).name, column.cast(pa.decimal128(38, 0)))
    return _stock_table(result, rowtype)


def aggregate(node: exp.Expr) -> exp.Expr:
    """Names an aggregate as Snowflake does, and keeps its type (fakesnow casts its input to float)."""
    if isinstance(node, exp.AggFunc) and isinstance(node.parent, exp.Select):
        return exp.alias_(node, node.sql(dialect="snowflake"), quoted=True)
    return node
