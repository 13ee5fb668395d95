"""Executes statements from a text, or typed at a prompt."""

import sys
from collections.abc import Callable, Sequence
from contextlib import suppress

from tools.sql.history import history_entry
from tools.sql.statements import split, split_all

PROMPT, CONTINUED = "sql> ", "  -> "
QUIT_COMMANDS = ("\\q", "quit", "exit")

Execute = Callable[[str], bool]
"""Executes one statement and prints its result; returns whether it succeeded."""
Command = Callable[[str], None]
"""Executes a line that begins with a backslash."""


def run_text(text: str, execute: Execute) -> bool:
    """Executes the statements of a text until one fails; returns whether all succeeded."""
    return all(execute(statement) for statement in split_all(text))


def run_prompt(execute: Execute, command: Command, remember: Callable[[str], None]) -> None:
    r"""Reads lines from the terminal until `\q` or Ctrl-D. `remember` adds an entry to the history."""
    lines: list[str] = []
    while True:
        try:
            line = input(CONTINUED if lines else PROMPT)
        except KeyboardInterrupt:
            lines = []
            sys.stdout.write("\n")
        except EOFError:
            sys.stdout.write("\n")
            return
        else:
            if not lines and line.strip().rstrip(";").lower() in QUIT_COMMANDS:
                return
            lines = _advance([*lines, line], execute, command, remember)


def _advance(
    lines: Sequence[str], execute: Execute, command: Command, remember: Callable[[str], None]
) -> list[str]:
    """Executes complete statements; returns the lines of an incomplete one."""
    text = "\n".join(lines)
    is_command = text.lstrip().startswith("\\")
    statements, rest = ([], "") if is_command else split(text)
    if rest and not statements:
        return [*lines]
    if text.strip():
        remember(history_entry(lines))
    if is_command:
        command(text.strip())
    with suppress(KeyboardInterrupt):  # cancels the statements, but does not leave the prompt
        for statement in statements:
            execute(statement)
    return [rest] if rest else []
