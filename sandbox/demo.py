"""`make demo`: backfills a month, ingests today, prints receipts and insights, and writes a report."""

import os
import sys
import tempfile
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from time import perf_counter

from sandbox.processes import StandInFailed
from sandbox.services import running
from sandbox.spotify import catalogue

DAYS = 30
REPORT = Path(".sandbox") / "report.html"
"""Outside the demo's temporary folder: it remains when the demo has ended."""


def main() -> int:
    """Runs the real flows against the stand-ins; returns 0 only if all runs completed."""
    # The server stops with the demo, so its logs could not be read.
    os.environ["PREFECT_LOGGING_TO_API_ENABLED"] = "false"
    start = perf_counter()

    def progress(text: str) -> None:
        show(f"{perf_counter() - start:.0f} s: {text}")

    show("starting stand-ins for Spotify, S3 and Snowflake, and a Prefect server, on loopback")
    try:
        with (
            tempfile.TemporaryDirectory(prefix="spotify-demo-") as home,
            running(Path(home), progress=progress),
        ):
            completed = _run(datetime.now(UTC).date(), progress)
    except StandInFailed as error:
        sys.stderr.write(f"\n{error}")
        return 1
    progress("done; all servers are stopped. Run `make sandbox` to explore similar data (docs/sandbox.md)")
    if completed:
        show(f"open the report in a browser: {REPORT.resolve()}")
    return 0 if completed else 1


def show(text: str) -> None:
    """Prints a line of progress."""
    sys.stdout.write(f"\n>>> {text}\n")
    sys.stdout.flush()


def _run(today: date, progress: Callable[[str], None]) -> bool:
    # Prefect reads its settings when it is imported, so the flows are imported after the settings are set.
    from flows.backfill import backfill_playlists  # noqa: PLC0415
    from flows.connections import find_lake  # noqa: PLC0415
    from flows.ingest import ingest_playlists  # noqa: PLC0415
    from flows.report import report_playlists  # noqa: PLC0415
    from sandbox.history import DAILY_PLAYLISTS, keep_history  # noqa: PLC0415

    kept = keep_history(find_lake("lake"), today, DAYS)
    progress(f"backfilling {kept} snapshots that daily runs kept over the last {DAYS} days")
    yesterday = today - timedelta(days=1)
    past = backfill_playlists(start_date=today - timedelta(days=DAYS), end_date=yesterday, return_state=True)
    progress("ingesting today from the Spotify Web API")
    now = ingest_playlists([*DAILY_PLAYLISTS], return_state=True)
    _print_charts(yesterday, today)
    progress("making the report")
    REPORT.parent.mkdir(exist_ok=True)
    page = report_playlists([*DAILY_PLAYLISTS], out=REPORT, return_state=True)
    return past.is_completed() and now.is_completed() and page.is_completed()


def _print_charts(yesterday: date, today: date) -> None:
    from flows.connections import open_session  # noqa: PLC0415
    from pipeline.insights.charts import charts  # noqa: PLC0415
    from pipeline.markdown import markdown_table  # noqa: PLC0415

    with open_session("warehouse", "demo") as session:
        for playlist_id in catalogue.CHARTS:
            for title, rows in charts(session, playlist_id, yesterday, today).items():
                show(f"{title}: {catalogue.PLAYLISTS[playlist_id]}, {today}\n")
                sys.stdout.write(markdown_table(rows) + "\n")


if __name__ == "__main__":
    sys.exit(main())
