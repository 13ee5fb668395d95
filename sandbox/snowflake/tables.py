"""What tables need beyond fakesnow: unenforced keys, and TRUNCATE that forgets loaded files."""

from sqlglot import exp

from sandbox.snowflake import errors
from sandbox.snowflake.objects import Column, Table
from sandbox.snowflake.session import Session

KEYS = (exp.PrimaryKey, exp.ForeignKey, exp.UniqueColumnConstraint)
COLUMN_KEYS = (exp.PrimaryKeyColumnConstraint, exp.UniqueColumnConstraint, exp.Reference)


def find_table(session: Session, reference: exp.Table) -> Table | None:
    """Look the table up, in the session's transaction."""
    database, schema, name = (
        part.name if part.args.get("quoted") else part.name.upper()
        for part in (
            reference.args.get("catalog") or exp.to_identifier(str(session.database)),
            reference.args.get("db") or exp.to_identifier(str(session.schema)),
            reference.this,
        )
    )
    sql = "SELECT table_oid FROM duckdb_tables() WHERE (database_name, schema_name, table_name) = (?, ?, ?)"
    row = session.connection.execute(sql, [database, schema, name]).fetchone()
    return Table(database, schema, name, row[0]) if row else None


def existing_table(session: Session, reference: exp.Table) -> Table:
    """Look the table up; raise Snowflake's error if there is none."""
    table = find_table(session, reference)
    if table is None:
        raise errors.failure(
            2003,
            "42S02",
            f"SQL compilation error:\nTable '{reference.sql()}' does not exist or not authorized.",
        )
    return table


def truncate(session: Session, statement: exp.TruncateTable) -> None:
    """Empty the table and forget which files were loaded into it."""
    reference = statement.expressions[0]
    table = (
        find_table(session, reference) if statement.args.get("exists") else existing_table(session, reference)
    )
    if table is None:
        return
    with session.atomic() as connection:
        connection.execute(f"DELETE FROM {table.sql}")
        connection.execute(f"DELETE FROM {table.history} WHERE table_oid = ?", [table.oid])


def columns_of(session: Session, table: Table, target: exp.Expression) -> list[Column]:
    """Return the columns that `target` lists, or all; raise for one that does not exist."""
    sql = 'SELECT name, type, NOT "notnull" FROM pragma_table_info(?) ORDER BY cid'
    rows = session.connection.execute(sql, [table.sql]).fetchall()
    known = {name: Column(name, type_, nullable) for name, type_, nullable in rows}
    if not isinstance(target, exp.Schema):
        return list(known.values())
    wanted = [part.name if part.args.get("quoted") else part.name.upper() for part in target.expressions]
    for name in wanted:
        if name not in known:
            raise errors.failure(904, "42000", f"SQL compilation error: invalid identifier '{name}'")
    return [known[name] for name in wanted]


def without_keys(create: exp.Create) -> None:
    """Drop keys from a CREATE TABLE: Snowflake keeps them as documentation, and NOT NULL of primary keys."""
    schema = create.this
    if create.kind != "TABLE" or not isinstance(schema, exp.Schema):
        return
    for transient in list(create.find_all(exp.TransientProperty)):
        transient.pop()  # how long deleted rows could be had back, nothing else
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
