"""`make sql`: a SQL prompt on the warehouse of the current environment.

Environment variables: `Q`, statements to execute instead of a prompt; `ROWS`, maximum number of rows to show,
or `all`; `BLOCK`, the SnowflakeConnector block. The exit status is 1 if a statement of `Q` failed.
"""

import logging
import os
import sys
from dataclasses import dataclass
from shutil import get_terminal_size
from typing import TYPE_CHECKING

from prefect.settings import PREFECT_API_URL

from blocks.prefect_api import PrefectFailed, address, connected
from pipeline.errors import Code, PipelineError
from tools.sql.environment import with_sandbox
from tools.sql.history import open_history
from tools.sql.prompt import run_prompt, run_text

if TYPE_CHECKING:
    from pipeline.warehouse.session import Session
    from pipeline.warehouse.snowflake_errors import Place

DEFAULT_ROWS = 200
"""Rows of a result that are shown."""
EXIT_INTERRUPTED = 130
"""Exit status after Ctrl-C, as in shells."""
HELP = """\
Statements end with ; and may span lines. Ctrl-C cancels a statement; \\q or Ctrl-D quits.
\\rows N shows up to N rows of a result, \\rows all shows every row.
docs/analysis.md has example queries, docs/tables.md describes every table and column."""


def main() -> int:
    """Executes the statements in `Q`, from stdin, or typed at the prompt; returns the exit status."""
    logging.disable(logging.WARNING)  # Prefect would log connections, and warn of unsent events
    try:
        rows = row_limit(os.environ.get("ROWS") or str(DEFAULT_ROWS))
    except ValueError as error:
        _say(str(error))
        return 1
    try:
        return _connect_and_serve(os.environ.get("BLOCK") or "warehouse", rows)
    except PrefectFailed as error:
        _say(f"{error} [{Code.PREFECT_UNAVAILABLE}]")
    except PipelineError as error:
        _say(str(error))
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    except BrokenPipeError:  # the reader, such as `| head`, has closed the pipe
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return 1


def _connect_and_serve(block: str, rows: int | None) -> int:
    profile_url = PREFECT_API_URL.value()
    variables = with_sandbox(os.environ, profile_url)
    with connected(variables):
        from flows.connections import open_session  # noqa: PLC0415 - slow, so after the check of Prefect's API

        session = open_session(block, "sql prompt")
    with session:
        api = address(variables.get("PREFECT_API_URL") or profile_url or "")
        _say(f"{_where(session.place)}; block {block!r} of Prefect at {api}")
        return serve(Client(session, rows))


def _where(place: "Place") -> str:
    role = place.role or "of the user"
    return f"{place.database}.{place.schema} on Snowflake account {place.account}, role {role}"


def serve(client: "Client") -> int:
    """Executes `Q`, stdin, or the lines typed at the prompt; returns the exit status."""
    if text := os.environ.get("Q"):
        return 0 if run_text(text, client.execute) else 1
    if not sys.stdin.isatty():
        return 0 if run_text(sys.stdin.read(), client.execute) else 1
    _say("Statements run with this role's privileges and are committed immediately, changes included.")
    sys.stdout.write(f"{HELP}\n")
    run_prompt(client.execute, client.command, open_history())
    return 0


@dataclass
class Client:
    """Executes statements and commands. `rows`: maximum rows to show; None shows all."""

    session: "Session"
    rows: int | None

    def execute(self, statement: str) -> bool:
        """Executes a statement; prints its result, or its error on one line. Returns False after an error."""
        from snowflake.connector import errors  # noqa: PLC0415 - the session has imported it

        from pipeline.warehouse.messages import snowflake_text  # noqa: PLC0415
        from tools.sql.result import result_text  # noqa: PLC0415

        width = get_terminal_size().columns if sys.stdout.isatty() else None
        try:
            text = result_text(self.session.new_cursor(), statement, self.rows, width)
        except errors.Error as error:
            _say(f"error: {snowflake_text(error.msg)}")
            return False
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()
        return True

    def command(self, line: str) -> None:
        r"""Executes `\rows N`; any other command prints the help."""
        name, _, argument = line.partition(" ")
        if name != "\\rows":
            sys.stdout.write(f"{HELP}\n")
            return
        try:
            self.rows = row_limit(argument.strip())
        except ValueError as error:
            _say(str(error))


def row_limit(text: str) -> int | None:
    """A number of rows, or None for `all`."""
    if text == "all":
        return None
    if not text.isascii() or not text.isdigit() or not int(text):
        raise ValueError(f"the number of rows must be a whole number from 1, or `all`, not {text!r}")
    return int(text)


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")


if __name__ == "__main__":
    sys.exit(main())
