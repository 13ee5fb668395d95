"""Finds tables and columns within the session's transaction."""

from sqlglot import exp

from sandbox.snowflake import errors
from sandbox.snowflake.state.schema_objects import Column, Table
from sandbox.snowflake.state.session import Session


def find_table(session: Session, reference: exp.Table) -> Table | None:
    """Returns the table, or None if it does not exist."""
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
    """Returns the table; raises Snowflake's error if it does not exist."""
    table = find_table(session, reference)
    if table is None:
        raise errors.failure(
            2003,
            "42S02",
            f"SQL compilation error:\nTable '{reference.sql()}' does not exist or not authorized.",
        )
    return table


def columns_of(session: Session, table: Table, target: exp.Expression) -> list[Column]:
    """Returns the columns listed in `target`, or all; raises for an unknown column."""
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
