"""Writes the report for any date: `python -m flows report [PLAYLIST…] [--date D] [--out FILE]`."""

import datetime as dt
import sys
from collections.abc import Sequence
from pathlib import Path

from prefect import State, flow, get_run_logger, task
from prefect.states import Completed

from flows.connections import find_lake
from flows.mine import refuse_mine
from flows.parameters import Playlists, ReportBlockNames
from flows.run import ends_failed, start_run
from flows.run_name import name_report
from flows.shell import run_from_shell
from flows.tasks import RETRIES
from flows.write_report import HTML, find_contents
from pipeline.errors import Code, ConfigurationError
from pipeline.lake.layout import report_key
from pipeline.records import Run
from pipeline.spotify.links import playlist_ids
from pipeline.warehouse.messages import listed


@flow(name="report-playlists", persist_result=False, validate_parameters=False)  # `ends_failed` validates
@ends_failed
def report_playlists(
    playlists: Playlists = [],  # noqa: B006 - never changed
    *,
    date: dt.date | None = None,
    out: Path | None = None,
    blocks: ReportBlockNames = ReportBlockNames(),
) -> State[None]:
    """Writes the report of playlists from the warehouse: changes, song lists, and entries left out.

    For each playlist, it shows the newest snapshot on or before the date, compared with the previous one.

    Args:
        playlists: The playlists to show, one per item: id (22 letters and digits), spotify:playlist: URI or
            open.spotify.com link. Default: all playlists in the warehouse. If there are more than 20, the
            20 with the most changes are shown in full.
        date: Date of the report (YYYY-MM-DD). Default: the date of the newest snapshot.
        out: File to write; an existing file is overwritten. Default: a new key under `reports/` in the lake.
        blocks: Names of the Prefect blocks. The defaults are those that `python -m blocks register` writes.
    """
    refuse_mine(playlists, "a report", "all playlists in the warehouse")
    run = start_run(date, fetches=False)
    wanted = playlist_ids(playlists)
    name_report(run, wanted, date)
    where = make_report(run, wanted, date, out, blocks)
    sys.stdout.write(f"{where}\n")
    return Completed(message=f"The report is at {where}")


@task(**RETRIES)
def make_report(
    run: Run, playlists: Sequence[str], on: dt.date | None, out: Path | None, blocks: ReportBlockNames
) -> str:
    """Writes the report to `out`, or to the lake if it is None; returns its path or URL."""
    from pipeline.insights.report.page import render_page  # noqa: PLC0415 - imports Jinja

    contents = find_contents(blocks.warehouse, run.run_id, playlists, on)
    if contents is None:
        raise _no_snapshot(playlists, on)
    _warn_of_missing(playlists, {one.playlist_id for one in contents.playlists}, on)
    page = render_page(contents)
    if out:
        return _save(out, page)
    lake, key = find_lake(blocks.lake), report_key(contents.report_date, run.run_id)
    lake.write(key, page, HTML)
    return f"{lake.url}{key}"


def _no_snapshot(playlists: Sequence[str], on: dt.date | None) -> ConfigurationError:
    which = listed(playlists) if playlists else "any playlist"
    message = (
        f"The warehouse holds no snapshot of {which}{_until(on)}. No report was written. Check ids, date and "
        "the block `warehouse`; `python -m flows backfill` publishes kept snapshots"
    )
    return ConfigurationError(message, Code.NOTHING_TO_REPORT)


def _warn_of_missing(wanted: Sequence[str], found: set[str], on: dt.date | None) -> None:
    for playlist in wanted:
        if playlist not in found:
            get_run_logger().warning(
                "playlist %s: the warehouse holds no snapshot%s. It is not in the report",
                playlist,
                _until(on),
            )


def _until(on: dt.date | None) -> str:
    return f" on or before {on}" if on else ""


def _save(out: Path, page: bytes) -> str:
    try:
        out.write_bytes(page)
    except OSError as error:
        message = f"The report could not be written to {out} ({error.strerror}). Set another file with --out"
        raise ConfigurationError(message, Code.PARAMETER_INVALID) from error
    return str(out.resolve())


if __name__ == "__main__":
    run_from_shell(report_playlists, "flows report")
