"""Statements one after another: typed at a terminal, or from a file."""

import os
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from tools.sql.statements import split, split_all

PROMPT, CONTINUED = "sql> ", "  -> "
HISTORY_LINES = 2000
HELP = """\
Statements end with ; and may span lines. Ctrl-C cancels them, Ctrl-D or \\q leaves.
\\rows N     shows up to N rows (\\rows all: every row)
docs/analysis.md has queries to begin with, docs/tables.md every table and column."""

Execute = Callable[[str], bool]
"""Executes one statement and prints its answer; whether it succeeded."""
Command = Callable[[str], None]
"""Executes a command that begins with a backslash."""


def run_text(text: str, execute: Execute) -> bool:
    """Executes the statements of a text up to the first that fails; whether all succeeded."""
    return all(execute(statement) for statement in split_all(text))


def run_prompt(execute: Execute, command: Command) -> None:
    """Reads statements from the terminal until `\\q` or Ctrl-D."""
    with suppress(ImportError):  # Windows has no readline
        _remember()
    lines: list[str] = []
    while True:
        try:
            line = input(CONTINUED if lines else PROMPT)
        except KeyboardInterrupt:
            lines = []
            sys.stdout.write("\n")
            continue
        except EOFError:
            sys.stdout.write("\n")
            return
        if not lines and line.strip().rstrip(";").lower() in ("\\q", "exit", "quit"):
            return
        if not lines and line.lstrip().startswith("\\"):
            command(line.strip())
            continue
        lines = _advance([*lines, line], execute)


def _advance(lines: list[str], execute: Execute) -> list[str]:
    """Executes what the lines complete; returns the lines of the statement that is not complete yet."""
    statements, rest = split("\n".join(lines))
    if not statements:
        return lines if rest else []
    with suppress(KeyboardInterrupt):  # ends the statements, not the prompt
        for statement in statements:
            execute(statement)
    return [rest] if rest else []


def history_file() -> Path:
    """Where typed lines are kept from one session to the next."""
    state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(state) / "spotify-playlist-pipeline" / "sql_history"


def _remember() -> None:
    """Line editing and history; without a place for the file, of this session only."""
    import atexit  # noqa: PLC0415 - only at a terminal
    import readline  # noqa: PLC0415

    file = history_file()
    readline.set_history_length(HISTORY_LINES)
    with suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch(mode=0o600)
        readline.read_history_file(file)
        atexit.register(_save, file)


def _save(file: Path) -> None:
    import readline  # noqa: PLC0415

    with suppress(OSError):
        readline.write_history_file(file)
