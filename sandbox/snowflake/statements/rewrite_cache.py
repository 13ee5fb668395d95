"""Cache of what fakesnow makes of a statement: flows send the same ones again and again.

Reading one and rewriting it for DuckDB, in eighty passes over its tree, takes longer than running it.
"""

import importlib
import re
from collections.abc import Callable
from functools import lru_cache

from sqlglot import exp

KEPT = 512
LONGEST = 20_000  # characters
ANYWHERE = (exp.Query, exp.Insert, exp.Update, exp.Delete)
HERE = ("INFORMATION_SCHEMA", "DATABASES")
"""What fakesnow rewrites by the session's place."""
DESCRIBE_USER = re.compile(r"\s*DESC(RIBE)?\s+USER\s", re.IGNORECASE)
"""sqlglot cannot read it; show_objects.py executes it."""

_cursor = importlib.import_module("fakesnow.cursor")
_server = importlib.import_module("fakesnow.server")  # `fakesnow.server` is also a function
_stock_parse: Callable[[str], exp.Expr] = _cursor.__dict__["parse_one"]
_rewritten: dict[str, exp.Expr] = {}


def install() -> None:
    """Puts `parse` in the place of fakesnow's."""
    for module in (_cursor, _server):
        module.__dict__["parse_one"] = parse


def parse(text: str) -> exp.Expr:
    """Returns the tree of a statement, which the caller may change."""
    return _parsed(text).copy() if len(text) <= LONGEST else _stock_parse(text)


def tree(text: str) -> exp.Expr:
    """Returns the tree of a statement, which nobody may change."""
    return _parsed(text) if len(text) <= LONGEST else _stock_parse(text)


@lru_cache(maxsize=KEPT)
def _parsed(text: str) -> exp.Expr:
    if DESCRIBE_USER.match(text):
        return exp.Command(this="DESC", expression="USER")
    return _stock_parse(text)


def rewrite(statement: exp.Expr, rewrite_now: Callable[[exp.Expr], exp.Expr]) -> exp.Expr:
    """Returns what `rewrite_now` makes of the statement, or has made of one that reads the same."""
    text = statement.sql(dialect="snowflake") if _means_the_same_anywhere(statement) else ""
    if not text or len(text) > LONGEST or any(word in text.upper() for word in HERE):
        return rewrite_now(statement)
    known = _rewritten.get(text)
    if known is None:
        if len(_rewritten) >= KEPT:
            _rewritten.clear()
        known = _rewritten[text] = rewrite_now(statement)
    return known.copy()


def _means_the_same_anywhere(statement: exp.Expr) -> bool:
    if isinstance(statement, exp.Create):
        return statement.kind == "VIEW" or (statement.kind == "TABLE" and statement.expression is None)
    return isinstance(statement, ANYWHERE)
