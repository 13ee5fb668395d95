"""Report of a run: written to the lake after the load, and linked in an artifact. Errors here only warn."""

import logging
from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING

from prefect import get_run_logger, task
from prefect.artifacts import create_markdown_artifact

from flows.connections import find_lake, open_session
from flows.deadline import OutOfTime
from flows.parameters import ReportBlockNames
from flows.prefect_errors import cause
from flows.tasks import NO_RESULTS
from pipeline.lake.layout import report_key
from pipeline.markdown import as_text, markdown_table
from pipeline.records import Loaded, PlaylistLine, Run
from pipeline.threads import within

if TYPE_CHECKING:
    from pipeline.insights.report.contents import ReportContents

log = logging.getLogger(__name__)

REPORT_TIMEOUT_S = 120.0
"""Time limit for queries, rendering and upload together."""
QUERY_TIMEOUT_S = 60.0
HTML = "text/html; charset=utf-8"
REPORTED_STATUSES = frozenset({"loaded", "superseded", "unchanged"})
"""Statuses of the playlists in a report: the warehouse holds a snapshot of them."""


@task(**NO_RESULTS)
def write_report(
    run: Run, lines: Sequence[PlaylistLine], loaded: Loaded, blocks: ReportBlockNames
) -> str | None:
    """Writes the report of a run's playlists, for the last date that the run loaded; returns its key.

    Never retried and never fails: the data is loaded, and `python -m flows report` can write it later.
    """
    wanted = [*dict.fromkeys(line.playlist_id for line in lines if line.status in REPORTED_STATUSES)]
    on = max(day for _, day in loaded.partitions)
    try:
        return within(REPORT_TIMEOUT_S, lambda: _write(run, wanted, on, blocks))
    except (Exception, OutOfTime) as error:  # noqa: BLE001 - the data is loaded, whatever the error is
        get_run_logger().warning("the report was not written: %s", cause(error, REPORT_TIMEOUT_S))
        return None


def _write(run: Run, playlists: Sequence[str], on: date, blocks: ReportBlockNames) -> str | None:
    from pipeline.insights.report.page import render_page  # noqa: PLC0415 - imports Jinja

    contents = find_contents(blocks.warehouse, run.run_id, playlists, on)
    if contents is None:
        return None
    lake, key = find_lake(blocks.lake), report_key(contents.report_date, run.run_id)
    lake.write(key, render_page(contents), HTML)
    log.info("report %s%s", lake.url, key)
    text = report_text(contents, f"{lake.url}{key}", lake.link(key))
    try:
        create_markdown_artifact(text, key="report", description=f"Report of run {run.run_id}")
    except Exception as error:  # noqa: BLE001 - the report is written, whatever the error is
        why = cause(error, REPORT_TIMEOUT_S)
        get_run_logger().warning("the report is written, but its artifact could not be created: %s", why)
    return key


def find_contents(
    warehouse: str, run_id: str, playlists: Sequence[str], on: date | None
) -> "ReportContents | None":
    """The report's contents, queried in a new session; None if the warehouse holds no snapshot."""
    from pipeline.insights.report.find import find_report  # noqa: PLC0415 - imports Snowflake

    with open_session(warehouse, run_id).limited(QUERY_TIMEOUT_S) as session:
        return find_report(session, playlists, on)


def report_text(contents: "ReportContents", url: str, link: str | None) -> str:
    """Text of the artifact: a link to the report, and one line per playlist that it shows in full."""
    from pipeline.insights.report.owners import distinguishing_owners  # noqa: PLC0415
    from pipeline.insights.report.sections import headline  # noqa: PLC0415 - imports Jinja's markup
    from pipeline.insights.report.words import shown_date, shown_title  # noqa: PLC0415

    apart = distinguishing_owners(contents.playlists)
    rows = [
        {
            "playlist": f"{shown_title(one.playlist_name)} {apart.get(one.playlist_id, '')}".strip(),
            "changes": headline(one),
        }
        for one in (details.figures for details in contents.details)
    ]
    more = len(contents.playlists) - len(contents.details)
    name = f"Report of {shown_date(contents.report_date)}"
    return "\n\n".join(
        [
            f"{f'[{name}]({link})' if link else name}: {as_text(url)}",
            markdown_table(rows) if rows else "Nothing changed.",
            *([f"and {more:,} more playlists"] if more else []),
        ]
    )
