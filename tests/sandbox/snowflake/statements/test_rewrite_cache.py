"""The rewrite cache: statements that do not depend on the session are parsed and rewritten once."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlglot import exp

from sandbox.snowflake.statements import rewrite_cache

Connect = Callable[..., Any]


def test_same_statement_uses_the_current_schema_of_each_session(connect: Connect) -> None:
    for number, schema in enumerate(("once", "again")):
        with connect() as connection:
            cursor = connection.cursor()
            cursor.execute(f"CREATE SCHEMA {schema}")
            cursor.execute("CREATE TABLE t (a INT)")
            cursor.execute("INSERT INTO t (a) VALUES (?)", (number,))
            assert cursor.execute("SELECT a FROM t WHERE a >= 0").fetchall() == [(number,)]
            assert cursor.execute("SELECT CURRENT_SCHEMA()").fetchall() == [(schema.upper(),)]


@pytest.mark.parametrize(
    ("statement", "cached"),
    [
        ("SELECT a FROM t", True),
        ("CREATE TABLE t (a INT)", True),
        ("CREATE VIEW v AS SELECT a FROM t", True),
        ("CREATE TABLE t AS SELECT 1 AS a", False),
        ("SELECT table_name FROM information_schema.tables", False),
        ("SHOW TABLES", False),
        (f"SELECT '{'x' * rewrite_cache.MAX_CHARACTERS}'", False),
    ],
    ids=lambda value: str(value)[:50],
)
def test_statement_is_cached(monkeypatch: pytest.MonkeyPatch, statement: str, cached: bool) -> None:
    monkeypatch.setattr(rewrite_cache, "_rewritten", {})
    rewritten = []

    def rewrite_now(tree: exp.Expr) -> exp.Expr:
        rewritten.append(tree)
        return tree

    trees = [rewrite_cache.rewrite(rewrite_cache.parse(statement), rewrite_now) for _ in range(2)]

    assert len(rewritten) == (1 if cached else 2)
    assert trees[0] == trees[1]
    assert trees[0] is not trees[1]
