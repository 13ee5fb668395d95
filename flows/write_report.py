"""The report of a run: written to the lake and shown as an artifact, after the load. It only warns."""

import logging
from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING

from prefect import get_run_logger, task
from prefect.artifacts import create_markdown_artifact

from flows.connections import find_lake, open_session
from flows.deadline import OutOfTime
from flows.parameters import ReportBlockNames
from flows.tasks import FRESH
from pipeline.errors import PipelineError
from pipeline.lake.layout import report_key
from pipeline.markdown import as_text, markdown_table
from pipeline.records import Loaded, PlaylistLine, Run
from pipeline.threads import Unfinished, within

if TYPE_CHECKING:
    from pipeline.insights.report.contents import ReportContents

log = logging.getLogger(__name__)

REPORT_S = 120.0
"""How long a run waits for its report, queries, page and upload together."""
QUERY_TIMEOUT_S = 60.0
PAGE = "text/html; charset=utf-8"
SHOWN = frozenset({"loaded", "superseded", "unchanged"})
"""What became of the playlists that a report shows: the warehouse has a snapshot of them."""


@task(**FRESH)
def write_report(run: Run, lines: Sequence[PlaylistLine], loaded: Loaded, blocks: ReportBlockNames) -> None:
    """Makes the report of a run's playlists, on the last date it has loaded.

    Not retried and never an error: the data is loaded, and `python -m flows report` makes it again.
    """
    wanted = [*dict.fromkeys(line.playlist_id for line in lines if line.status in SHOWN)]
    on = max(day for _, day in loaded.partitions)
    try:
        within(REPORT_S, lambda: _write(run, wanted, on, blocks))
    except (Exception, OutOfTime) as error:  # noqa: BLE001 - whatever it is, the data is loaded
        get_run_logger().warning("the report was not written: %s", _why(error))


def _write(run: Run, playlists: Sequence[str], on: date, blocks: ReportBlockNames) -> None:
    from pipeline.insights.report.page import render_page  # noqa: PLC0415 - imports Jinja

    contents = find_contents(blocks.warehouse, run.run_id, playlists, on)
    if contents is None:
        return
    lake, key = find_lake(blocks.lake), report_key(contents.report_date, run.run_id)
    lake.write(key, render_page(contents), PAGE)
    log.info("report %s%s", lake.url, key)
    create_markdown_artifact(
        report_text(contents, f"{lake.url}{key}", lake.console_link(key)),
        key="report",
        description=run.run_id,
    )


def find_contents(
    warehouse: str, run_id: str, playlists: Sequence[str], on: date | None
) -> "ReportContents | None":
    """The report's contents, in a session of their own."""
    from pipeline.insights.report.find import find_report  # noqa: PLC0415 - imports Snowflake

    with open_session(warehouse, run_id).limited(QUERY_TIMEOUT_S) as session:
        return find_report(session, playlists, on)


def report_text(contents: "ReportContents", url: str, link: str | None) -> str:
    """The artifact: where the page is, and a line for each playlist that it shows in full."""
    from pipeline.insights.report.sections import headline  # noqa: PLC0415 - imports Jinja's markup
    from pipeline.insights.report.words import shown_date, shown_title  # noqa: PLC0415

    rows = [
        {"playlist": shown_title(one.figures.playlist_name), "changes": headline(one.figures, one.changes)}
        for one in contents.details
    ]
    more = len(contents.playlists) - len(contents.details)
    name = f"Report of {shown_date(contents.report_date)}"
    return "\n\n".join(
        [
            f"{f'[{name}]({link})' if link else name}: {as_text(url)}",
            markdown_table(rows),
            *([f"and {more:,} more playlists"] if more else []),
        ]
    )


def _why(error: BaseException) -> str:
    """What happened, with nothing of what a service answered."""
    if isinstance(error, PipelineError):
        return error.message
    if isinstance(error, Unfinished):
        return f"it took more than {REPORT_S:g} s"
    return "max_hours was reached" if isinstance(error, OutOfTime) else type(error).__name__
