"""Cache of statements that fakesnow has parsed and rewritten for DuckDB.

Runs repeat the same statements, and parsing and rewriting take longer than executing: fakesnow makes eighty
passes over the syntax tree.
"""

import importlib
import re
from collections.abc import Callable
from functools import lru_cache

from sqlglot import exp

MAX_STATEMENTS = 512
MAX_CHARACTERS = 20_000
"""Maximum length of a statement that is cached."""
CACHEABLE = (exp.Query, exp.Insert, exp.Update, exp.Delete)
SESSION_DEPENDENT = ("INFORMATION_SCHEMA", "DATABASES")
"""Words in statements that fakesnow rewrites depending on the current database and schema."""
DESCRIBE_USER = re.compile(r"\s*DESC(RIBE)?\s+USER\s", re.IGNORECASE)
"""sqlglot cannot parse it; show_objects.py executes it."""

_cursor = importlib.import_module("fakesnow.cursor")
_server = importlib.import_module("fakesnow.server")  # `fakesnow.server` is also a function
_stock_parse: Callable[[str], exp.Expr] = _cursor.__dict__["parse_one"]
_rewritten: dict[str, exp.Expr] = {}


def install() -> None:
    """Replaces fakesnow's parser by `parse`."""
    for module in (_cursor, _server):
        module.__dict__["parse_one"] = parse


def parse(text: str) -> exp.Expr:
    """Returns the syntax tree of a statement, which the caller may change."""
    return _parsed(text).copy() if len(text) <= MAX_CHARACTERS else _stock_parse(text)


def tree(text: str) -> exp.Expr:
    """Returns the cached syntax tree of a statement; do not change it."""
    return _parsed(text) if len(text) <= MAX_CHARACTERS else _stock_parse(text)


@lru_cache(maxsize=MAX_STATEMENTS)
def _parsed(text: str) -> exp.Expr:
    if DESCRIBE_USER.match(text):
        return exp.Command(this="DESC", expression="USER")
    return _stock_parse(text)


def rewrite(statement: exp.Expr, rewrite_now: Callable[[exp.Expr], exp.Expr]) -> exp.Expr:
    """Returns the statement rewritten by `rewrite_now`, or the cached result for the same text."""
    text = statement.sql(dialect="snowflake") if _is_cacheable(statement) else ""
    if not text or len(text) > MAX_CHARACTERS or any(word in text.upper() for word in SESSION_DEPENDENT):
        return rewrite_now(statement)
    cached = _rewritten.get(text)
    if cached is None:
        if len(_rewritten) >= MAX_STATEMENTS:
            _rewritten.clear()
        cached = _rewritten[text] = rewrite_now(statement)
    return cached.copy()


def _is_cacheable(statement: exp.Expr) -> bool:
    if isinstance(statement, exp.Create):
        return statement.kind == "VIEW" or (statement.kind == "TABLE" and statement.expression is None)
    return isinstance(statement, CACHEABLE)
