"""`make sql`: splitting statements, text tables, the prompt, and the command as a process."""

import os
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import date, datetime
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len

from sandbox.__main__ import ENVIRONMENT
from tests.warehouses import Warehouse
from tools.sql.__main__ import HELP, Client, serve
from tools.sql.environment import SANDBOX, with_sandbox
from tools.sql.history import history_entry
from tools.sql.prompt import run_prompt, run_text
from tools.sql.result import column_name, footer
from tools.sql.statements import split, split_all
from tools.sql.text_table import cell, text_table

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("text", "statements", "rest"),
    [
        ("SELECT 1", [], "SELECT 1"),
        ("SELECT 1; SELECT 2 ;\n", ["SELECT 1", "SELECT 2"], ""),
        ("SELECT ';', 'it''s; \\'; ' ; x", ["SELECT ';', 'it''s; \\'; '"], "x"),
        ('SELECT "a;""b";', ['SELECT "a;""b"'], ""),
        ("SELECT $$;'$$;", ["SELECT $$;'$$"], ""),
        ("SELECT 1 -- one;\n, 2 // two;\n, 3 /* three; */;", None, ""),
        ("SELECT 'open;\n", [], "SELECT 'open;"),
        ("SELECT 1 /* open;", [], "SELECT 1 /* open;"),
        ("-- only a comment;\n;;", [], ""),
        ("\ufeffSELECT 1;", ["SELECT 1"], ""),
        ("", [], ""),
    ],
)
def test_statements_end_at_semicolons_outside_literals_and_comments(
    text: str, statements: list[str] | None, rest: str
) -> None:
    whole = [text.rstrip(";")] if statements is None else statements
    assert split(text) == (whole, rest)


def test_the_last_statement_needs_no_semicolon() -> None:
    assert split_all("a; b -- c") == ["a", "b -- c"]
    assert split_all("a; -- only a comment") == ["a"]
    assert split_all("a; SELECT 'open") == ["a", "SELECT 'open"]


def test_execution_stops_at_the_first_failed_statement() -> None:
    executed: list[str] = []

    def execute(statement: str) -> bool:
        executed.append(statement)
        return statement != "b"

    assert not run_text("a; b; c", execute)
    assert executed == ["a", "b"]
    assert run_text("a", execute)


def test_a_table_is_aligned_and_shows_null() -> None:
    rows = [(1, "ferry", None), (20, None, Decimal("1.50")), (3, "", Decimal(20))]
    assert text_table(["n", "song_name", "share"], rows) == (
        " n  | song_name | share\n"
        "----+-----------+-------\n"
        "  1 | ferry     |  NULL\n"
        " 20 | NULL      |  1.50\n"
        "  3 |           |    20"
    )


def test_a_table_without_rows_is_its_header() -> None:
    assert text_table(["a", "b"], []) == " a | b\n---+---"


def test_long_texts_are_truncated_to_the_terminal_and_numbers_are_not() -> None:
    rows = [("x" * 50, "橙色電車" * 10, 1234567890, date(2026, 11, 20))]
    lines = text_table(["long", "wide", "n", "d"], rows, 60).splitlines()
    assert max(map(cell_len, lines)) <= 60
    assert "1234567890 | 2026-11-20" in lines[2]
    assert lines[2].count("…") == 2


def test_a_table_that_does_not_fit_becomes_one_record_per_row() -> None:
    names = [f"column_{n}" for n in range(9)]
    shown = text_table(names, [["y" * 50] * 9, [None] * 9], 40)
    lines = shown.splitlines()
    assert len(lines) == 20
    assert lines[0].startswith("--- row 1 ---")
    assert lines[1] == f"column_0 | {'y' * 28}…"
    assert lines[11] == "column_0 | NULL"
    assert max(map(cell_len, lines)) == 40


def test_values_are_one_line_without_control_characters() -> None:
    assert cell("a\nb\x1b[31mc\u202e") == column_name("a\nb\x1b[31mc\u202e") == "a b [31mc "
    assert cell(bytearray(b"a\xff")) == "61ff"
    assert [cell(value) for value in (True, 1.5, datetime(2026, 11, 20, 6))] == [  # noqa: DTZ001 - NTZ
        "true",
        "1.5",
        "2026-11-20 06:00:00",
    ]


def test_the_footer_counts_the_rows() -> None:
    assert footer(1, 1, 0.123) == "(1 row, 0.12 s)"
    assert footer(200, 1234, 2) == "(the first 200 of 1,234 rows, 2.00 s)"


def test_column_names_are_shown_as_users_type_them() -> None:
    assert [column_name(name) for name in ("SONG_ID", "Song", "from")] == ["song_id", "Song", "from"]


class Terminal:
    """Simulates a user who types lines or presses Ctrl-C or Ctrl-D; records what the prompt does."""

    def __init__(self, *typed: str | type[BaseException]) -> None:
        self._typed = iter(typed)
        self.prompts: list[str] = []
        self.executed: list[str] = []
        self.commands: list[str] = []
        self.history: list[str] = []

    def input(self, prompt: str) -> str:
        """Replaces the built-in `input`."""
        self.prompts.append(prompt)
        one = next(self._typed)
        if isinstance(one, str):
            return one
        raise one

    def execute(self, statement: str) -> bool:
        """Records the statement; the user presses Ctrl-C during `slow`."""
        self.executed.append(statement)
        if statement == "slow":
            raise KeyboardInterrupt
        return True


@pytest.fixture
def use(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Terminal]:
    def run(*typed: str | type[BaseException]) -> Terminal:
        terminal = Terminal(*typed)
        monkeypatch.setattr("builtins.input", terminal.input)
        run_prompt(terminal.execute, terminal.commands.append, terminal.history.append)
        return terminal

    return run


def test_a_multi_line_statement_is_one_history_entry(use: Callable[..., Terminal]) -> None:
    used = use("SELECT 1", "  AS one; SELECT", "2;", "", "\\rows 5", "\\q")
    assert used.executed == ["SELECT 1\n  AS one", "SELECT\n2"]
    assert used.prompts == ["sql> ", "  -> ", "  -> ", "sql> ", "sql> ", "sql> "]
    assert used.history == ["SELECT 1   AS one; SELECT", "SELECT 2;", "\\rows 5"]
    assert used.commands == ["\\rows 5"]


def test_ctrl_c_cancels_input_or_statement_and_ctrl_d_exits(use: Callable[..., Terminal]) -> None:
    used = use("SELECT", KeyboardInterrupt, "slow; never;", "SELECT 2;", "SELECT", EOFError)
    assert used.executed == ["slow", "SELECT 2"]


def test_a_comment_keeps_its_line_break_in_the_history() -> None:
    assert history_entry(["SELECT 1 -- one", ", 2;"]) == "SELECT 1 -- one\n, 2;"


def test_the_running_sandbox_is_used_only_if_no_api_is_configured(tmp_path: Path) -> None:
    file = tmp_path / "env"
    assert with_sandbox({}, None, file) == {}
    file.write_text(
        "export PREFECT_API_URL=http://127.0.0.1:1/api\nexport B='it'\"'\"'s'\n", encoding="utf-8"
    )
    assert with_sandbox({}, None, file) == {"PREFECT_API_URL": "http://127.0.0.1:1/api", "B": "it's"}
    assert with_sandbox({}, "https://profile/api", file) == {}
    own = {"PREFECT_API_URL": "https://own/api"}
    assert with_sandbox(own, None, file) == own
    assert SANDBOX == ENVIRONMENT


@pytest.fixture
def block(prefect_api: dict[str, str], warehouse: Warehouse) -> str:
    """Name of a block that points at the warehouse."""
    del prefect_api  # only needs to run
    from blocks.environment import build, private_key  # noqa: PLC0415 - imports Prefect

    variables = warehouse.place.variables()
    key = private_key(variables)
    assert key is not None
    name = f"warehouse-{warehouse.place.name}"
    build(variables, key)["warehouse"].save(name)
    return name


@pytest.mark.faults  # takes ten seconds; only the quoting by make and the shell is not tested elsewhere
def test_a_statement_from_the_shell(
    prefect_api: dict[str, str], block: str, warehouse: Warehouse, tmp_path: Path
) -> None:
    injected = tmp_path / "injected"
    quotes = """'it''s' AS a, 'a "b" $c `d` #e \\\\ ;' AS "From", NULL AS n"""
    done = make_sql({**prefect_api, "BLOCK": block}, Q=f"SELECT {quotes} -- $(shell touch {injected})")
    assert done.returncode == 0
    assert not injected.exists()
    header, _, row, footer_line = done.stdout.splitlines()
    assert [part.strip() for part in header.lower().split("|")] == ["a", "from", "n"]
    assert [part.strip() for part in row.split("|")] == ["it's", 'a "b" $c `d` #e \\ ;', "NULL"]
    assert footer_line.startswith("(1 row, ")
    assert len(done.stderr.splitlines()) == 1
    assert (
        f"{warehouse.place.database}.PLAYLISTS on Snowflake account sandbox, role SPOTIFY_LOADER"
        in done.stderr
    )


def make_sql(environment: dict[str, str], **variables: str) -> "subprocess.CompletedProcess[str]":
    given = [f"{name}={value}" for name, value in {**variables, "BIN": shlex.quote(sys.executable)}.items()]
    command = ["make", "--no-print-directory", "-o", ".venv/sandbox", "sql", *given]
    return subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=120
    )


def test_a_wrong_number_of_rows_is_one_message_without_a_login(tmp_path: Path) -> None:
    environment: dict[str, Any] = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    done = make_sql(environment, ROWS="many", Q="SELECT 1")
    assert done.stderr.startswith("the number of rows must be a whole number from 1, or `all`, not 'many'\n")
    assert "Error 1" in done.stderr  # exit status of the command; make itself exits with 2
    assert done.returncode == 2


@pytest.fixture
def client(warehouse: Warehouse) -> Iterator[Client]:
    """The client of the command, in a session of the loader, showing two rows at most."""
    with warehouse.session() as session:
        yield Client(session, 2)


def test_the_exit_status_is_1_if_a_statement_failed(
    client: Client, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("Q", "SELECT 1 AS one; SELECT * FROM no_such_table; SELECT 2 AS two")
    assert serve(client) == 1
    shown = capsys.readouterr()
    assert shown.out.startswith(" one\n-----\n   1\n(1 row, ")
    assert "two" not in shown.out
    (reason,) = shown.err.splitlines()
    assert reason.startswith("error: 002003 ")
    assert "NO_SUCH_TABLE' does not exist" in reason

    monkeypatch.setenv("Q", "")
    monkeypatch.setattr("sys.stdin", StringIO("SELECT 1;\nSELECT\n 2 AS two"))
    assert serve(client) == 0
    assert " two\n" in capsys.readouterr().out


def test_rows_limits_the_rows_shown(client: Client, capsys: pytest.CaptureFixture[str]) -> None:
    statement = "SELECT id FROM writer_lock UNION ALL SELECT 2 UNION ALL SELECT 3"
    client.execute(statement)
    assert "(the first 2 of 3 rows, " in capsys.readouterr().out
    client.command("\\rows all")
    client.execute(statement)
    assert "(3 rows, " in capsys.readouterr().out
    client.execute("INSERT INTO writer_lock (id) SELECT 2 UNION ALL SELECT 3")
    client.execute("DELETE FROM writer_lock WHERE id > 1")
    assert capsys.readouterr().out.count("(1 row, ") == 2
    client.command("\\rows 0")
    assert capsys.readouterr().err == "the number of rows must be a whole number from 1, or `all`, not '0'\n"
    client.command("\\?")
    assert capsys.readouterr().out == f"{HELP}\n"
