"""Tables checked against the rules of `pipeline.columns`."""

import dataframely as dy
import polars as pl

from pipeline.columns import TABLES, dtypes


def validated(table: str, frame: pl.DataFrame) -> pl.DataFrame:
    """Returns the frame if it keeps the table's rules; raises dataframely's error, which names the rule.

    dataframely takes some milliseconds for each table, however small: it judges only what may break a rule.
    """
    if frame.schema == dtypes(table) and _keeps_rules(TABLES[table], frame):
        return frame
    return TABLES[table].validate(frame)


def _keeps_rules(schema: type[dy.Schema], frame: pl.DataFrame) -> bool:
    if not all(_is_sound(column, frame[name]) for name, column in schema.columns().items()):
        return False
    return not frame.select(schema.primary_key()).is_duplicated().any()


def _is_sound(column: dy.Column, values: pl.Series) -> bool:
    """Whether no rule of the column is broken; only a minimum of 0 or 1 is known here."""
    if values.null_count() and not column.nullable:
        return False
    if isinstance(column, dy.String) and column.min_length:
        return column.min_length == 1 and not (values == "").any()
    if isinstance(column, dy.Int64) and column.min is not None:
        return not (values < column.min).any()
    return True
