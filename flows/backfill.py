"""Publishes kept snapshots again: `python -m flows.backfill --start-date … --end-date …`."""

from datetime import date, timedelta
from itertools import pairwise

from prefect import State, flow, get_run_logger, task

from flows.cli import run_from_shell
from flows.connect import find_lake
from flows.errors import Code, ConfigurationError
from flows.lake.layout import LoadMode
from flows.lake.snapshots import Kept, find_snapshots
from flows.publish import Minutes, Target, publish
from flows.receipt import PlaylistLine, Work
from flows.run import MAX_HOURS, MaxHours, ends_failed, start_run
from flows.spotify.links import Playlists, playlist_ids
from flows.tasks import RETRIES

NAMED_DAYS = 31
"""A longer gap is named by its ends."""


@flow(name="backfill-playlists", persist_result=False, validate_parameters=False)  # `ends_failed` does
@ends_failed
def backfill_playlists(  # noqa: PLR0913 - each is a field of the run form
    playlists: Playlists | None = None,
    *,
    start_date: date | None = None,
    end_date: date | None = None,
    load: LoadMode = "copy",
    pipe_minutes: Minutes = 10,
    force: bool = False,
    max_hours: MaxHours = MAX_HOURS,  # noqa: ARG001 - `ends_failed` enforces it
    lake: str = "lake",
    warehouse: str = "warehouse",
    warehouse_admin: str = "warehouse-admin",
) -> State[None]:
    """Publishes the newest kept snapshot of each playlist and date again; Spotify is never asked.

    Args:
        playlists: Ids (22 letters and digits), spotify:playlist: URIs or open.spotify.com links;
            without them all that were kept.
        start_date: First snapshot date (YYYY-MM-DD); without it the first that was kept.
        end_date: Last snapshot date (YYYY-MM-DD); without it the last that was kept.
        load: How Snowflake takes the files: copy, told to by this run; snowpipe, by itself through pipes.
        pipe_minutes: With snowpipe, how long the run waits for the pipes at most.
        force: Replace also what the warehouse holds from a later look at the playlist.
        max_hours: Hours after which the run is stopped, whatever it waits for; it ends Failed.
        lake: Name of the S3Bucket block.
        warehouse: Name of the SnowflakeConnector block.
        warehouse_admin: Name of the SnowflakeConnector block for setup changes, where there is one.
    """
    if start_date and end_date and start_date > end_date:
        raise ConfigurationError(
            f"start_date {start_date} is after end_date {end_date}: nothing to backfill", Code.DATES_INVALID
        )
    wanted = playlist_ids(playlists) if playlists else None
    work = find_kept(lake, wanted, start_date, end_date)
    run = start_run(end_date or work.kept[-1].snapshot_date)
    return publish(
        run, work, Target(lake, warehouse, warehouse_admin, load, force=force, pipe_minutes=pipe_minutes)
    )


@task(**RETRIES)
def find_kept(lake: str, playlists: list[str] | None, start_date: date | None, end_date: date | None) -> Work:
    """What the lake holds for the playlists and dates; what it does not hold is named."""
    kept = find_snapshots(find_lake(lake), playlists, start_date, end_date)
    if not kept:
        message = (
            f"no snapshot of {', '.join(playlists or ['any playlist'])} was kept "
            f"from {start_date or 'the start'} to {end_date or 'the end'}. "
            "Spotify cannot tell the past: only what ingest runs have kept can be published again"
        )
        raise ConfigurationError(message, Code.NOTHING_KEPT)
    missing = _missing(kept, playlists, start_date, end_date)
    for line in missing:
        get_run_logger().warning("playlist %s: %s", line.playlist_id, line.reason)
    return Work(kept, missing)


def _missing(
    kept: list[Kept], playlists: list[str] | None, start_date: date | None, end_date: date | None
) -> list[PlaylistLine]:
    """A line per playlist and gap: dates of the range for which the lake holds nothing."""
    first, last = start_date or kept[0].snapshot_date, end_date or kept[-1].snapshot_date
    wanted = playlists or sorted({one.playlist_id for one in kept})
    return [
        PlaylistLine(playlist, since, "not kept", reason=f"nothing was kept {_days(since, until)}")
        for playlist in wanted
        for since, until in _gaps([o.snapshot_date for o in kept if o.playlist_id == playlist], first, last)
    ]


def _gaps(days: list[date], first: date, last: date) -> list[tuple[date, date]]:
    """First and last day of each stretch between `first` and `last` that has no day."""
    one = timedelta(days=1)
    borders = [None, *sorted(days), None]
    stretches = [
        (first if before is None else before + one, last if after is None else after - one)
        for before, after in pairwise(borders)
    ]
    return [(since, until) for since, until in stretches if since <= until]


def _days(since: date, until: date) -> str:
    """Each day by its date, or a long stretch by its ends."""
    count = (until - since).days + 1
    if count > NAMED_DAYS:
        return f"from {since} to {until} ({count} days)"
    return "on " + ", ".join(str(since + timedelta(days=number)) for number in range(count))


if __name__ == "__main__":
    run_from_shell(backfill_playlists, "flows.backfill")
