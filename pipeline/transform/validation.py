"""Validates tables against the rules of `pipeline.columns`."""

import dataframely as dy
import polars as pl

from pipeline.columns import TABLES, dtypes


def validated(table: str, frame: pl.DataFrame) -> pl.DataFrame:
    """Returns the frame if it satisfies the table's rules; otherwise raises dataframely's error.

    dataframely takes several milliseconds even for a small table, so it runs only if a fast check fails.
    """
    if frame.schema == dtypes(table) and _is_valid(TABLES[table], frame):
        return frame
    return TABLES[table].validate(frame)


def _is_valid(schema: type[dy.Schema], frame: pl.DataFrame) -> bool:
    if not all(_is_valid_column(column, frame[name]) for name, column in schema.columns().items()):
        return False
    return not frame.select(schema.primary_key()).is_duplicated().any()


def _is_valid_column(column: dy.Column, values: pl.Series) -> bool:
    """Checks the rules that `pipeline.columns` uses: not null, not empty, and a minimum."""
    if values.null_count() and not column.nullable:
        return False
    if isinstance(column, dy.String) and column.min_length:
        return column.min_length == 1 and not (values == "").any()
    if isinstance(column, dy.Int64) and column.min is not None:
        return not (values < column.min).any()
    return True
