"""`python -m flows COMMAND`: runs a flow from a shell. A command imports Prefect only when it is called."""

import sys
from typing import Annotated

from cyclopts import App, Parameter

Options = Annotated[str, Parameter(allow_leading_hyphen=True)]
"""Passed on unchanged, `--help` included: the flow's parameters are the options."""

app = App(
    name="python -m flows",
    help="Runs a flow with the blocks of the current environment. `COMMAND --help` lists its options.",
    version_flags=[],
)


@app.command(name="ingest", help_flags=[])
def _ingest(*options: Options) -> None:
    """Reads playlists from Spotify and publishes them to the warehouse."""
    from flows.ingest import ingest_playlists  # noqa: PLC0415 - imports Prefect
    from flows.shell import run_from_shell  # noqa: PLC0415

    run_from_shell(ingest_playlists, "flows ingest", options)


@app.command(name="backfill", help_flags=[])
def _backfill(*options: Options) -> None:
    """Publishes kept snapshots again. Sends no requests to Spotify."""
    from flows.backfill import backfill_playlists  # noqa: PLC0415 - imports Prefect
    from flows.shell import run_from_shell  # noqa: PLC0415

    run_from_shell(backfill_playlists, "flows backfill", options)


@app.command(name="report", help_flags=[])
def _report(*options: Options) -> None:
    """Writes the report of playlists for any date, from the warehouse."""
    from flows.report import report_playlists  # noqa: PLC0415 - imports Prefect
    from flows.shell import run_from_shell  # noqa: PLC0415

    run_from_shell(report_playlists, "flows report", options)


@app.command(name="preflight", help_flags=[])
def _preflight(*options: Options) -> None:
    """Checks everything that a run uses, and changes nothing."""
    from flows.preflight import run_preflight_from_shell  # noqa: PLC0415 - imports Prefect

    run_preflight_from_shell(options)


if __name__ == "__main__":
    sys.exit(app(result_action="return_value"))
