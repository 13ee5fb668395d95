"""Publishes kept snapshots again: `python -m flows backfill --start-date … --end-date …`."""

from collections.abc import Sequence
from datetime import UTC, date, datetime

from prefect import State, flow, get_run_logger, task

from flows.connections import find_lake
from flows.mine import refuse_mine
from flows.parameters import BlockNames, Limits, Playlists
from flows.publish import publish
from flows.run import Stopwatch, ends_failed, start_run
from flows.run_name import name_backfill
from flows.shell import run_from_shell
from flows.target import Target
from flows.tasks import RETRIES
from pipeline.errors import Code, ConfigurationError
from pipeline.lake.gaps import find_gaps, gaps_text
from pipeline.lake.layout import LoadMode
from pipeline.lake.snapshot_files import is_possible
from pipeline.lake.snapshots import find_snapshots
from pipeline.records import NOT_KEPT, Kept, PlaylistLine, Work
from pipeline.spotify.links import playlist_ids
from pipeline.warehouse.messages import listed

MAX_LOGGED_PLAYLISTS = 50
"""Playlists with gaps that are logged; the receipt lists all of them."""


@flow(name="backfill-playlists", persist_result=False, validate_parameters=False)  # `ends_failed` validates
@ends_failed
def backfill_playlists(  # noqa: PLR0913 - each is a field of the run form
    playlists: Playlists = [],  # noqa: B006 - never changed
    *,
    start_date: date | None = None,
    end_date: date | None = None,
    load: LoadMode = "copy",
    fetched_before: datetime | None = None,
    limits: Limits = Limits(),  # `ends_failed` enforces max_hours
    blocks: BlockNames = BlockNames(),
) -> State[None]:
    """Publishes snapshots from the lake to the warehouse again. Sends no requests to Spotify.

    Publishes one snapshot per playlist and date. If the lake holds several, snapshots fetched on that date
    (UTC) come first; among these, the one fetched last is published.

    Args:
        playlists: The playlists to publish, one per item: id (22 letters and digits), spotify:playlist: URI
            or open.spotify.com link. Default: all playlists in the lake.
        start_date: First snapshot date (YYYY-MM-DD), inclusive. Default: the first date in the lake.
        end_date: Last snapshot date (YYYY-MM-DD), inclusive. Default: the last date in the lake.
        load: `copy`: this run executes COPY INTO. `snowpipe`: auto-ingest pipes load the files.
        fetched_before: Ignore snapshots fetched at or after this time (UTC if it has no time zone). Use it
            to undo a wrong snapshot: the run replaces it in the warehouse with the best earlier one. The time
            at which the wrong one was fetched is `source_fetched_at` in the table `loads`.
        limits: How long the run may take. The defaults suit most runs.
        blocks: Names of the Prefect blocks. The defaults are those that `python -m blocks register` writes.
    """
    if start_date and end_date and start_date > end_date:
        raise ConfigurationError(
            f"start_date {start_date} is after end_date {end_date}. Swap them. Nothing was read",
            Code.DATES_INVALID,
        )
    refuse_mine(playlists, "a backfill", "all kept playlists")
    wanted = playlist_ids(playlists) if playlists else None
    if fetched_before and fetched_before.tzinfo is None:
        fetched_before = fetched_before.replace(tzinfo=UTC)
    stopwatch = Stopwatch()
    with stopwatch.timed("find_kept"):
        work = find_kept(blocks.lake, wanted, start_date, end_date, fetched_before)
    run = start_run(_run_date(work.kept, end_date), fetches=False)
    name_backfill(run, work.kept)
    target = Target(blocks, load, pipe_minutes=limits.pipe_minutes, ignore_rank=fetched_before is not None)
    return publish(run, work, target, stopwatch)


@task(**RETRIES)
def find_kept(
    lake: str,
    playlists: list[str] | None,
    start_date: date | None,
    end_date: date | None,
    fetched_before: datetime | None = None,
) -> Work:
    """Finds the snapshots of the playlists and dates in the lake.

    The result also has a line for each playlist with gaps, and for each file that cannot be read.
    """
    kept, left_out, refused = find_snapshots(find_lake(lake), playlists, start_date, end_date, fetched_before)
    if not kept and not refused:
        in_time = f" that was fetched before {fetched_before}" if fetched_before else ""
        message = (
            f"The lake holds no snapshot of {listed(playlists) if playlists else 'any playlist'}{in_time}, "
            f"with a date from {start_date or 'the first'} to {end_date or 'the last'}. Spotify has no "
            "history API: only snapshots kept by earlier runs can be published again. Check ids, dates and "
            "the block `lake`"
        )
        raise ConfigurationError(message, Code.NOTHING_KEPT)
    failed = [
        PlaylistLine(one.playlist_id, one.snapshot_date, "failed", source_key=one.key, reason=str(error))
        for one, error in refused
    ]
    nothing = f"nothing that was fetched before {fetched_before}" if fetched_before else "nothing"
    gaps = find_gaps([*kept, *(one for one, _ in refused)], left_out, playlists, (start_date, end_date))
    missing = [
        PlaylistLine(playlist, found[0][0], NOT_KEPT, reason=f"{nothing} was kept on {gaps_text(found)}")
        for playlist, found in gaps.items()
    ]
    _log_gaps(missing)
    return Work(kept, [*failed, *missing])


def _log_gaps(missing: list[PlaylistLine]) -> None:
    log = get_run_logger()
    for line in missing[:MAX_LOGGED_PLAYLISTS]:
        log.warning("playlist %s: %s", line.playlist_id, line.reason)
    if (more := len(missing) - MAX_LOGGED_PLAYLISTS) > 0:
        log.warning("%s more playlists have gaps: see the receipt", more)


def _run_date(kept: Sequence[Kept], end_date: date | None) -> date:
    """The date of the receipt: `end_date`, or the last kept date; never later than today."""
    today = datetime.now(UTC).date()
    if end_date:
        return min(end_date, today)
    return max(filter(is_possible, (one.snapshot_date for one in kept)), default=today)


if __name__ == "__main__":
    run_from_shell(backfill_playlists, "flows backfill")
