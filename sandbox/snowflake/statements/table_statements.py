"""Removes the keys from CREATE TABLE, because Snowflake does not enforce them; executes TRUNCATE."""

from sqlglot import exp

from sandbox.snowflake.state.session import Session
from sandbox.snowflake.state.tables import existing_table, find_table

KEYS = (exp.PrimaryKey, exp.ForeignKey, exp.UniqueColumnConstraint)
COLUMN_KEYS = (exp.PrimaryKeyColumnConstraint, exp.UniqueColumnConstraint, exp.Reference)


def truncate(session: Session, statement: exp.TruncateTable) -> None:
    """Deletes all rows of the table and its load history."""
    reference = statement.expressions[0]
    table = (
        find_table(session, reference) if statement.args.get("exists") else existing_table(session, reference)
    )
    if table is None:
        return
    with session.atomic() as connection:
        connection.execute(f"DELETE FROM {table.sql}")
        connection.execute(f"DELETE FROM {table.history} WHERE table_oid = ?", [table.oid])


def without_keys(create: exp.Create) -> None:
    """Removes all keys from a CREATE TABLE; columns of a primary key become NOT NULL, as in Snowflake."""
    schema = create.this
    if create.kind != "TABLE" or not isinstance(schema, exp.Schema):
        return
    for transient in list(create.find_all(exp.TransientProperty)):
        transient.pop()  # affects only Time Travel and Fail-safe, which are not emulated
    primary = {name.name.upper() for key in schema.find_all(exp.PrimaryKey) for name in key.expressions}
    schema.set("expressions", [part for part in schema.expressions if not _is_key(part)])
    for column in schema.find_all(exp.ColumnDef):
        _without_column_keys(column, column.name.upper() in primary)


def _is_key(part: exp.Expression) -> bool:
    return isinstance(part, KEYS) or (
        isinstance(part, exp.Constraint) and any(map(_is_key, part.expressions))
    )


def _without_column_keys(column: exp.ColumnDef, primary: bool) -> None:
    constraints = column.args.get("constraints") or []
    kinds = [constraint.args.get("kind") for constraint in constraints]
    primary = primary or any(isinstance(kind, exp.PrimaryKeyColumnConstraint) for kind in kinds)
    kept = [c for c, kind in zip(constraints, kinds, strict=True) if not isinstance(kind, COLUMN_KEYS)]
    if primary and not any(isinstance(kind, exp.NotNullColumnConstraint) for kind in kinds):
        kept.append(exp.ColumnConstraint(kind=exp.NotNullColumnConstraint()))
    column.set("constraints", kept)
