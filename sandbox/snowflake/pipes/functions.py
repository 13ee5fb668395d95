"""Replaces calls of SYSTEM$PIPE_STATUS and COPY_HISTORY in a query by their results."""

import datetime as dt
import json
import re
from collections.abc import Callable
from typing import Any

from sqlglot import exp

from sandbox.snowflake import errors
from sandbox.snowflake.copy.load_history import LOAD_FAILED
from sandbox.snowflake.pipes.ddl import find_pipe
from sandbox.snowflake.state.grants import PRIVILEGES, Securable
from sandbox.snowflake.state.pipe import Event, Pipe
from sandbox.snowflake.state.schema_objects import Table
from sandbox.snowflake.state.session import Session
from sandbox.snowflake.state.tables import existing_table

MARK = "stand_in_value_"
TIME_FILTERS = {"START_TIME": ">=", "END_TIME": "<="}
HISTORY = """
SELECT
    substr(file_name, length(stage_location) + 1) AS FILE_NAME,
    stage_location AS STAGE_LOCATION,
    loaded_at AS LAST_LOAD_TIME,
    row_count AS ROW_COUNT,
    row_parsed AS ROW_PARSED,
    file_size AS FILE_SIZE,
    first_error_message AS FIRST_ERROR_MESSAGE,
    first_error_line_number AS FIRST_ERROR_LINE_NUMBER,
    CAST(NULL AS BIGINT) AS FIRST_ERROR_CHARACTER_POS,
    first_error_column_name AS FIRST_ERROR_COLUMN_NAME,
    CASE WHEN status = '{failed}' THEN 1 ELSE 0 END AS ERROR_COUNT,
    1 AS ERROR_LIMIT,
    status AS STATUS,
    '{table.database}' AS TABLE_CATALOG_NAME,
    '{table.schema}' AS TABLE_SCHEMA_NAME,
    '{table.name}' AS TABLE_NAME,
    p.c AS PIPE_CATALOG_NAME,
    p.s AS PIPE_SCHEMA_NAME,
    p.n AS PIPE_NAME,
    received_at AS PIPE_RECEIVED_TIME,
    loaded_at AS FIRST_COMMIT_TIME
FROM {table.history} LEFT JOIN (VALUES {pipes}) AS p (id, c, s, n) ON p.id = pipe
WHERE table_oid = {table.oid} AND (pipe IS NULL OR p.id IS NOT NULL)
"""


def replace_functions(session: Session, query: exp.Expr, params: Any) -> exp.Expr:
    """Returns the query with the results; removes the bound arguments of the calls from `params`."""
    found = [node for node in query.walk() if _is_status(node) or _is_history(node)]
    if not found:
        return query
    read_argument = _argument_reader(query, params)
    for node in found:
        if _is_status(node):
            text: exp.Expr = exp.Literal.string(status(session, _argument(node.expressions, read_argument)))
            if isinstance(node.parent, exp.Select):
                text = exp.alias_(text, node.sql(dialect="snowflake").upper(), quoted=True)
            node.replace(text)
        else:
            node.replace(_history(session, node, read_argument))
    return query


def _is_status(node: exp.Expr) -> bool:
    return isinstance(node, exp.Anonymous) and node.name.upper() == "SYSTEM$PIPE_STATUS"


def _is_history(node: exp.Expr) -> bool:
    called = node.find(exp.Anonymous) if isinstance(node, exp.TableFromRows) else None
    return called is not None and called.name.upper() == "COPY_HISTORY"


def _argument_reader(query: exp.Expr, params: Any) -> Callable[[exp.Expr], str]:
    """Returns a function that returns an argument's text, and removes a bound argument from `params`.

    DuckDB numbers `?` in the order of the SQL text, which differs from the order in the syntax tree.
    """
    marked = {f"{MARK}{number}_": node for number, node in enumerate(query.find_all(exp.Placeholder))}
    for mark, node in marked.items():
        node.set("this", mark)
    order = re.findall(rf"{MARK}\d+_", query.sql(dialect="duckdb"))
    for node in marked.values():
        node.set("this", None)
    left = [marked[mark] for mark in order]

    def read_argument(argument: exp.Expr) -> str:
        if isinstance(argument, exp.Placeholder):
            position = next(number for number, node in enumerate(left) if node is argument)
            left.pop(position)
            return str(params.pop(position))
        if not isinstance(argument, exp.Literal):
            raise errors.not_emulated(f"{argument.sql(dialect='snowflake')} here: only a string literal or ?")
        return argument.name

    return read_argument


def _argument(arguments: list[exp.Expr], read_argument: Callable[[exp.Expr], str]) -> str:
    if len(arguments) != 1:
        raise errors.not_emulated(f"SYSTEM$PIPE_STATUS with {len(arguments)} arguments")
    return read_argument(arguments[0])


def status(session: Session, name: str) -> str:
    """Returns the JSON of SYSTEM$PIPE_STATUS."""
    pipe, pipes, channel = find_pipe(session, name), session.account.pipes, session.account.channel
    session.account.grants.require(session.role, ("MONITOR",), Securable("PIPE", pipe.name))
    state = pipes.state(pipe)
    with pipes.lock:
        found: dict[str, Any] = {"executionState": state, "pendingFileCount": len(pipe.queue)}
        if pipe.queue:
            oldest = min(pipe.queue, key=lambda event: event.arrived)
            found["oldestFileTimestamp"] = _time(oldest.received_at)
            found["oldestPendingFilePath"] = pipe.relative(oldest.url)
        found |= _channel(pipe, pipes.received, channel.arn)
    return json.dumps(found | {"numOutstandingMessagesOnChannel": channel.waiting()})


def _channel(pipe: Pipe, received: Event | None, arn: str) -> dict[str, str]:
    found = {"notificationChannelName": arn}
    if pipe.ingested:
        path, at = pipe.ingested
        found |= {"lastIngestedTimestamp": _time(at), "lastIngestedFilePath": pipe.relative(path)}
    if received:
        found["lastReceivedMessageTimestamp"] = _time(received.received_at)
    if pipe.forwarded:
        found["lastForwardedMessageTimestamp"] = _time(pipe.forwarded.received_at)
        found["lastForwardedFilePath"] = pipe.relative(pipe.forwarded.url)
    return found


def _time(moment: dt.datetime) -> str:
    return moment.astimezone(dt.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _history(session: Session, node: exp.Expr, read_argument: Callable[[exp.Expr], str]) -> exp.Expr:
    called = node.find(exp.Anonymous)
    arguments = {a.name.upper(): a.expression for a in called.expressions} if called else {}
    if "TABLE_NAME" not in arguments or "START_TIME" not in arguments:
        raise errors.not_emulated("COPY_HISTORY without TABLE_NAME => and START_TIME =>")
    if unknown := arguments.keys() - {"TABLE_NAME", *TIME_FILTERS}:
        raise errors.not_emulated(f"the argument {min(unknown)} of COPY_HISTORY")
    reference = exp.to_table(read_argument(arguments["TABLE_NAME"]), dialect="snowflake")
    table = existing_table(session, reference)
    session.account.grants.require(session.role, (*PRIVILEGES["TABLE"],), Securable("TABLE", table[:3]))
    rows = _rows(session, table)
    for name, operator in TIME_FILTERS.items():
        if name in arguments:
            moment = exp.cast(arguments[name].copy(), "TIMESTAMPTZ")
            rows = rows.where(
                f"last_load_time {operator} {moment.sql(dialect='snowflake')}", dialect="snowflake"
            )
    alias = node.args.get("alias") or exp.TableAlias(this=exp.to_identifier("COPY_HISTORY"))
    return exp.Subquery(this=rows, alias=alias)


def _rows(session: Session, table: Table) -> exp.Select:
    """Returns the load history of the table, without loads by pipes that were dropped or replaced."""
    pipes = [
        f"('{pipe.id}', {', '.join(map(_text, pipe.name))})" for pipe in session.account.pipes.existing()
    ]
    sql = HISTORY.format(table=table, failed=LOAD_FAILED, pipes=", ".join(pipes) or "('', '', '', '')")
    name = f"_copy_history_{table.oid}"  # fakesnow rewrites a table name faster than a subquery
    session.connection.register(name, session.connection.execute(sql).to_arrow_table())
    return exp.select("*").from_(name)


def _text(name: str) -> str:
    return exp.Literal.string(name).sql()
