"""Publishes kept snapshots again: `python -m flows backfill --start-date … --end-date …`."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

from msgspec.structs import replace
from prefect import State, flow, get_run_logger, task

from flows.connections import find_lake
from flows.mine import refuse_mine
from flows.parameters import BlockNames, Limits, Playlists
from flows.publish import publish
from flows.run import Stopwatch, ends_failed, start_run
from flows.shell import run_from_shell
from flows.target import Target
from flows.tasks import RETRIES
from pipeline.errors import Code, ConfigurationError
from pipeline.lake.layout import LoadMode
from pipeline.lake.snapshot_files import is_possible
from pipeline.lake.snapshots import find_snapshots
from pipeline.records import Kept, PlaylistLine, Work
from pipeline.spotify.links import playlist_ids
from pipeline.warehouse.messages import listed

MAX_NAMED_DAYS = 31
"""A gap of more days is described by its first and last day."""
MAX_LOGGED_GAPS = 50
"""A backfill of many playlists may have tens of thousands of gaps; the receipt has all of them."""


@flow(name="backfill-playlists", persist_result=False, validate_parameters=False)  # `ends_failed` does
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
    """Publishes kept snapshots again, one for each playlist and date, without requests to Spotify.

    If a playlist has several for a date, those fetched on that date (UTC) rank higher; then the one
    fetched last wins.

    Args:
        playlists: The playlists to publish, one per item: id (22 letters and digits), spotify:playlist: URI
            or open.spotify.com link. Default: all kept playlists.
        start_date: First snapshot date (YYYY-MM-DD). Default: the first kept date.
        end_date: Last snapshot date (YYYY-MM-DD). Default: the last kept date.
        load: `copy`: this run executes COPY INTO. `snowpipe`: auto-ingest pipes load the files.
        fetched_before: Ignore snapshots fetched at or after this time (UTC if it has no time zone), and
            publish the best of the others even if the warehouse holds one that ranks higher. Use it to undo
            a wrong snapshot.
        limits: How long the run may take. The defaults suit most runs.
        blocks: Names of the Prefect blocks to use. The defaults are what `python -m blocks register` writes.
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
    work = find_kept(blocks.lake, wanted, start_date, end_date, fetched_before)
    run = start_run(_run_date(work.kept, end_date), fetches=False)
    target = Target(blocks, load, pipe_minutes=limits.pipe_minutes, ignore_rank=fetched_before is not None)
    return publish(run, work, target, Stopwatch())


@task(**RETRIES)
def find_kept(
    lake: str,
    playlists: list[str] | None,
    start_date: date | None,
    end_date: date | None,
    fetched_before: datetime | None = None,
) -> Work:
    """The kept snapshots of the playlists and dates, and a line for each gap and each file that failed."""
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
    missing = _not_kept([*kept, *(one for one, _ in refused)], left_out, playlists, (start_date, end_date))
    if fetched_before:
        late = f"that was fetched before {fetched_before}"
        missing = [replace(line, reason=f"{line.reason} {late}") for line in missing]
    _log_gaps(missing)
    return Work(kept, [*failed, *missing])


def _log_gaps(missing: list[PlaylistLine]) -> None:
    log = get_run_logger()
    for line in missing[:MAX_LOGGED_GAPS]:
        log.warning("playlist %s: %s", line.playlist_id, line.reason)
    if len(missing) > MAX_LOGGED_GAPS:
        log.warning("%s more gaps of kept snapshots: see the receipt", len(missing) - MAX_LOGGED_GAPS)


def _not_kept(
    kept: list[Kept],
    left_out: list[Kept],
    playlists: list[str] | None,
    dates: tuple[date | None, date | None],
) -> list[PlaylistLine]:
    """Lines for the gaps of each playlist, from the first to the last date.

    Snapshots with an impossible date do not extend the range; they fail when they are read.
    """
    possible = [one for one in kept if is_possible(one.snapshot_date)]
    found = possible + [one for one in left_out if is_possible(one.snapshot_date)]
    if not found:
        return []
    days = [one.snapshot_date for one in found]
    wanted = playlists or sorted({one.playlist_id for one in found})
    return _missing(possible, wanted, dates[0] or min(days), dates[1] or max(days))


def _run_date(kept: Sequence[Kept], end_date: date | None) -> date:
    """The date of the receipt: `end_date`, or the last kept date; never later than today."""
    today = datetime.now(UTC).date()
    if end_date:
        return min(end_date, today)
    return max(filter(is_possible, (one.snapshot_date for one in kept)), default=today)


def _missing(kept: list[Kept], playlists: list[str], first: date, last: date) -> list[PlaylistLine]:
    """One line per playlist and gap: consecutive dates of the range for which nothing was kept."""
    days: dict[str, list[date]] = {playlist: [] for playlist in playlists}
    for one in kept:
        days.setdefault(one.playlist_id, []).append(one.snapshot_date)
    return [
        PlaylistLine(playlist, since, "not kept", reason=f"nothing was kept {_days(since, until)}")
        for playlist in playlists
        for since, until in _gaps(days[playlist], first, last)
    ]


def _gaps(days: list[date], first: date, last: date) -> list[tuple[date, date]]:
    """First and last date of each gap in `days`, from `first` to `last` inclusive."""
    one_day = timedelta(days=1)
    borders = [None, *sorted(days), None]  # None: arithmetic with the first or last possible date overflows
    gaps = [
        (first if before is None else before + one_day, last if after is None else after - one_day)
        for before, after in pairwise(borders)
    ]
    return [(since, until) for since, until in gaps if since <= until]


def _days(since: date, until: date) -> str:
    """The dates of a gap; a long gap by its first and last date."""
    count = (until - since).days + 1
    if count > MAX_NAMED_DAYS:
        return f"from {since} to {until} ({count} days)"
    return "on " + ", ".join(str(since + timedelta(days=number)) for number in range(count))


if __name__ == "__main__":
    run_from_shell(backfill_playlists, "flows backfill")
