"""The cursor that executes every statement of a session."""

import datetime as dt
import time
from contextlib import nullcontext
from typing import Any

import sqlglot
from fakesnow.cursor import FakeSnowflakeCursor
from sqlglot import exp

from sandbox.snowflake import errors
from sandbox.snowflake.copy import stages
from sandbox.snowflake.copy.copy_into import copy_into
from sandbox.snowflake.pipes import functions
from sandbox.snowflake.state.locks import run_waiting
from sandbox.snowflake.state.session import Session
from sandbox.snowflake.statements import (
    access,
    dispatch,
    information_schema,
    needs,
    rewrite_cache,
    table_statements,
)
from sandbox.snowflake.statements.access import Actor
from sandbox.snowflake.status import SUCCESS, status

COPY_RESULT = "_copy_result"
NOW = "the start of the statement"
"""Placeholder for the current time, so that the text of a statement can be a key of the rewrite cache."""
SESSION_FUNCTIONS: dict[type[exp.Expr], str] = {
    exp.CurrentRole: "role",
    exp.CurrentUser: "user",
    exp.CurrentWarehouse: "warehouse",
    exp.CurrentDatabase: "database",
    exp.CurrentSchema: "schema",
}


class Cursor(FakeSnowflakeCursor):
    """fakesnow's cursor, extended with privileges, locks, COPY, pipes and Snowflake's errors."""

    _conn: Session

    def execute(self, command: str, params: Any = None, *args: Any, **kwargs: Any) -> "Cursor":
        """Runs one statement; every failure is a ProgrammingError."""
        with self._conn.lock:
            try:
                self._execute_statement(dispatch.plain(command), params, *args, **kwargs)
                self._description = self._described()
            except Exception as error:
                self._conn.note_failure()
                raise errors.translate(error) from error
            finally:
                self._conn.idle_since = time.monotonic()
        return self

    def _execute_statement(self, command: str, params: Any, *args: Any, **kwargs: Any) -> None:
        session = self._conn
        if session.refusal and not command.upper().startswith("ROLLBACK"):
            raise errors.failure(errors.NOT_EMULATED, "40001", session.refusal)
        grants, known = session.account.grants, needs.statement(command)
        actor = Actor(session.role, session.database, session.schema, session.warehouse)
        access.check(grants, actor, known)
        self._run_statement(command, params, *args, **kwargs)
        access.apply(grants, actor, known)

    def _run_statement(self, command: str, params: Any, *args: Any, **kwargs: Any) -> None:
        session = self._conn
        replacement = dispatch.replacement(session, command)
        if replacement is not None:
            super().execute(replacement)
            return
        if dispatch.DML.match(command) and not (session.autocommits or session.in_transaction):
            session.begin()
        run = super().execute
        # fakesnow cannot write its catalogue from two threads.
        lock = session.account.ddl_lock if dispatch.DDL.match(command) else nullcontext()

        def attempt() -> None:
            with lock:
                run(command, params, *args, **kwargs)

        run_waiting(session, command, attempt)

    def _described(self) -> list[Any]:
        # fakesnow would parse and generate the statement again, which takes longer than running it.
        return self._duck_conn.execute(f"DESCRIBE {self._last_sql}", self._last_params).fetchall()

    def _describe_last_sql(self) -> list[Any]:
        # fakesnow calls this on the event loop's thread, which must not wait for the session.
        return self._description

    def _transform(self, expression: exp.Expr, params: Any) -> exp.Expr:
        if isinstance(expression, (exp.Copy, exp.TruncateTable)):
            return expression  # _execute runs them unchanged
        stock = super()._transform
        if isinstance(expression, exp.Create):
            self._record(expression)
        else:
            expression = functions.replace_functions(self._conn, expression, params)
            information_schema.hide(self._conn, expression)
            expression = expression.transform(self._context_function, copy=False)
        return _with_current_time(rewrite_cache.rewrite(expression, lambda one: stock(one, params)))

    def _record(self, create: exp.Create) -> None:
        kind = str(create.kind).upper()
        if kind == "STAGE":
            stages.record_stage(self._conn, create)
        elif kind == "FILE FORMAT":
            stages.record_format(self._conn, create)
        else:
            table_statements.without_keys(create)

    def _context_function(self, node: exp.Expr) -> exp.Expr:
        if isinstance(node, exp.CurrentTimestamp):
            value: exp.Expr = exp.cast(exp.Literal.string(NOW), "TIMESTAMPTZ")
        elif type(node) in SESSION_FUNCTIONS:
            text = getattr(self._conn, SESSION_FUNCTIONS[type(node)])
            value = exp.null() if text is None else exp.Literal.string(text)
        else:
            return node
        if not isinstance(node.parent, exp.Select):
            return value
        return exp.alias_(value, node.sql(dialect="snowflake"), quoted=True)

    def _inline_variables(self, sql: str) -> str:
        return sql  # SET is not emulated, and a string may contain $

    def _execute(self, transformed: exp.Expr, params: Any = None) -> None:
        if isinstance(transformed, exp.Copy):
            self._duck_conn.register(COPY_RESULT, copy_into(self._conn, transformed))
            transformed = sqlglot.parse_one(f"SELECT * FROM {COPY_RESULT}", read="duckdb")
        elif isinstance(transformed, exp.TruncateTable):
            table_statements.truncate(self._conn, transformed)
            transformed = sqlglot.parse_one(status(SUCCESS), read="duckdb")
        super()._execute(transformed, params)


def _with_current_time(statement: exp.Expr) -> exp.Expr:
    """Inserts the start of the statement as current time; DuckDB would use the start of the transaction."""
    for literal in statement.find_all(exp.Literal):
        if literal.this == NOW:
            literal.replace(exp.Literal.string(dt.datetime.now(dt.UTC).isoformat()))
    return statement
