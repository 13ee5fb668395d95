"""Every file of sql/ parses as Snowflake SQL and contains no credentials; values are never concatenated."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlglot
from sqlglot import exp

from pipeline.columns import TABLES
from pipeline.errors import ConfigurationError
from pipeline.warehouse.setup import CONTROL_TABLES
from pipeline.warehouse.setup import PARTS as SETUP_PARTS
from pipeline.warehouse.sql_files import SQL, identifier, literal, read_sql
from tools.generate import GENERATED, drifted

FILES = sorted(SQL.rglob("*.sql"))
PARTS = {
    "table": identifier("songs_history"),
    "columns": identifier("song_id"),
    "files": literal("a.csv.gz"),
    "landing": identifier("songs_landing"),
    "pipe": literal("songs_pipe"),
    "url": literal("s3://bucket/"),
    "tables_url": literal("s3://bucket/tables/"),
    "public_key": literal("MII"),
    "role_arn": literal("arn:aws:iam::1:role/x"),
    "external_id": literal("x"),
    "names": literal("SONGS"),
    "role": identifier("spotify_owner"),
    "user": identifier("spotify_pipeline"),
    "winners": read_sql("load/find_winners"),
}


def statements(path: Path) -> list[exp.Expr]:
    """Statements of a file; for CREATE PIPE, which the parser does not support, its COPY statement."""
    text = read_sql(str(path.relative_to(SQL).with_suffix("")), **PARTS)
    text = re.sub(r"CREATE OR REPLACE PIPE \w+ AUTO_INGEST = TRUE AS\n", "", text)
    return [one for one in sqlglot.parse(text, read="snowflake") if one is not None]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_file_parses_as_snowflake_sql(path: Path) -> None:
    assert statements(path)


def test_the_parser_understands_every_statement_except_account_ddl() -> None:
    unparsed = [one for path in FILES for one in statements(path) if isinstance(one, exp.Command)]
    assert {one.this for one in unparsed} <= {"CREATE", "GRANT", "ALTER", "SHOW"}
    assert all(re.search("ROLE|USER|INTEGRATION|PIPES", one.sql()) for one in unparsed)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_no_file_contains_credentials_and_only_account_files_use_accountadmin(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert "CREDENTIALS" not in text.upper()
    code = re.sub(r"--.*\n", "", text)
    if path.parent.name == "account":
        assert code.startswith("USE ROLE accountadmin;")
    else:
        assert "accountadmin" not in code.lower()


@pytest.mark.parametrize("path", sorted((SQL / "load").rglob("*.sql")), ids=lambda path: path.stem)
def test_no_ddl_inside_the_transaction(path: Path) -> None:
    (statement,) = statements(path)
    assert not isinstance(statement, exp.Create | exp.Drop | exp.Alter | exp.TruncateTable)


def test_the_placeholders_of_all_files_are_known() -> None:
    used = {part for path in FILES for part in re.findall(r"\$\{(\w+)\}", path.read_text(encoding="utf-8"))}
    assert used == set(PARTS)


def test_every_table_is_counted_before_commit() -> None:
    text = (SQL / "load" / "generated" / "count_rows.sql").read_text(encoding="utf-8")
    assert re.findall(r"FROM (\w+)_history", text) == list(TABLES)
    assert text.count("?") == len(TABLES)


def test_every_set_up_file_belongs_to_a_version() -> None:
    created = {
        str(path.relative_to(SQL).with_suffix(""))
        for path in FILES
        if path.stem.startswith(("create_", "add_", "allow_"))
    }
    parts = SETUP_PARTS["snowpipe"]
    used = {name for part in parts for files in part.versions.values() for name in files}
    used |= {CONTROL_TABLES, *(part.lake_file for part in parts)}
    assert created == used | {"account/create_account_objects", "account/create_admin_user"}


def test_generated_files_are_up_to_date() -> None:
    assert drifted() == []


def test_generated_files_are_in_folders_of_their_own() -> None:
    made = {SQL.parent / path for path in GENERATED if path.endswith(".sql")}
    assert {path for path in FILES if path.parent.name == "generated"} == made


CODE = sorted((SQL.parent / "pipeline").rglob("*.py"))
FILLERS = {"identifier", "literal", "read_sql"}


def filled_placeholders(path: Path) -> Iterator[tuple[str, ast.expr]]:
    """Placeholder values of a module: (keyword, expression) of each call that reads a file of sql/."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    named = {
        target.id: node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    readers = {"execute", "execute_all", "rows", "read_sql"}
    for node in ast.walk(tree):
        name = getattr(node.func, "attr", getattr(node.func, "id", "")) if isinstance(node, ast.Call) else ""
        if isinstance(node, ast.Call) and name in readers:
            for part in node.keywords:
                if part.arg and part.arg not in ("values", "containing"):
                    value = part.value
                    yield part.arg, named.get(value.id, value) if isinstance(value, ast.Name) else value


def test_every_placeholder_value_is_quoted_by_identifier_or_literal() -> None:
    found = [(part, value) for path in CODE for part, value in filled_placeholders(path)]
    assert {part for part, _ in found} >= {"table", "columns", "files", "url"}
    for part, value in found:
        called = {
            node.func.id
            for node in ast.walk(value)
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        }
        assert called & FILLERS, (part, ast.unparse(value))
        concatenated = [node for node in ast.walk(value) if isinstance(node, ast.JoinedStr | ast.BinOp)]
        assert concatenated == [], (part, ast.unparse(value))


def test_only_the_session_module_executes_sql() -> None:
    senders = {
        path.name
        for path in CODE
        if re.search(r"cursor\b.*\.execute\(|\.cursor\(\)", path.read_text("utf-8"))
    }
    assert senders == {"session.py"}


@pytest.mark.parametrize(
    "name", ["", 'a"b', "a; DROP TABLE x", "1a", "ä", "a b", "a.b", "a\n", "a;", "a'", "a--"]
)
def test_hostile_identifiers_are_refused(name: str) -> None:
    with pytest.raises(ConfigurationError):
        identifier(name)


@pytest.mark.parametrize("text", ["plain", "o'clock", "back\\slash", "\\'", "';--", "$1 ${x}", "a\nb;c", '"'])
def test_literals_are_quoted_without_changing_the_text(text: str) -> None:
    parsed = sqlglot.parse_one(f"SELECT {literal(text)}", read="snowflake").find(exp.Literal)
    assert parsed is not None
    assert parsed.this == text
