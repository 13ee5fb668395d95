"""Our fast validation of tables enforces every rule of the dataframely schemas."""

from collections.abc import Iterator
from typing import NamedTuple

import dataframely as dy
import polars as pl
import pytest
from dataframely.exc import SchemaError, ValidationError

from pipeline.columns import TABLES
from pipeline.transform.responses import snapshot_rows
from pipeline.transform.tables import build_tables
from pipeline.transform.validation import validated
from tests.builders import DAY, RUN, entry, head, snapshot, song

SOUND = build_tables(
    [snapshot_rows(snapshot([head([entry(song("a")), entry(song("b")), entry(None), entry(None)])], 4))],
    DAY,
    RUN,
)


class Broken(NamedTuple):
    """A value for the first row that breaks a rule of its column."""

    table: str
    column: str
    value: object


def _broken() -> Iterator[Broken]:
    for table, schema in TABLES.items():
        for name, column in schema.columns().items():
            if not column.nullable:
                yield Broken(table, name, None)
            if isinstance(column, dy.String) and column.min_length:
                yield Broken(table, name, "")
            if isinstance(column, dy.Int64) and column.min is not None:
                yield Broken(table, name, column.min - 1)


@pytest.mark.parametrize("broken", list(_broken()), ids=lambda broken: "-".join(map(str, broken)))
def test_a_broken_column_rule_is_refused_and_the_column_named(broken: Broken) -> None:
    sound = SOUND[broken.table]
    first = pl.Series([True] + [False] * (sound.height - 1))
    dtype = sound.schema[broken.column]
    frame = sound.with_columns(
        pl.when(first).then(pl.lit(broken.value, dtype)).otherwise(broken.column).alias(broken.column)
    )
    with pytest.raises(ValidationError, match=broken.column):
        validated(broken.table, frame)


@pytest.mark.parametrize("table", TABLES)
def test_a_duplicate_key_and_a_wrong_type_are_refused(table: str) -> None:
    sound = SOUND[table]
    assert validated(table, sound) is sound
    with pytest.raises(ValidationError, match="primary_key"):
        validated(table, pl.concat([sound, sound]))
    with pytest.raises(SchemaError, match="run_id"):
        validated(table, sound.with_columns(run_id=pl.lit(5)))


def test_the_schemas_have_no_other_kind_of_rule() -> None:
    for schema in TABLES.values():
        assert {*schema._validation_rules(with_cast=False)} == {  # noqa: SLF001 - no public list of rules
            "primary_key",
            *(f"{name}|nullability" for name, column in schema.columns().items() if not column.nullable),
            *(
                f"{name}|min_length"
                for name, one in schema.columns().items()
                if getattr(one, "min_length", None)
            ),
            *(f"{name}|min" for name, one in schema.columns().items() if isinstance(one, dy.Int64)),
        }
