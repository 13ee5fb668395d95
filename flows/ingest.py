"""Reads playlists from Spotify and publishes them: `python -m flows.ingest PLAYLIST…`."""

from datetime import date
from typing import Literal

from msgspec.structs import replace
from prefect import State, flow, runtime, task

from flows.connections import find_lake, find_spotify
from flows.publish import Minutes, publish
from flows.run import MAX_HOURS, MaxHours, Stopwatch, ends_failed, start_run
from flows.shell import run_from_shell
from flows.target import Target
from flows.tasks import RETRIES
from flows.unchanged import never_published, published_check
from pipeline.enrich import WantedIds, keep_details
from pipeline.keep import Keeper, keep_playlists
from pipeline.lake.layout import LoadMode
from pipeline.lake.patience import Patience
from pipeline.records import Run, Work
from pipeline.spotify.links import Playlists, playlist_ids


@flow(name="ingest-playlists", persist_result=False, validate_parameters=False)  # `ends_failed` does
@ends_failed
def ingest_playlists(  # noqa: PLR0913 - each is a field of the run form
    playlists: Playlists,
    *,
    snapshot_date: date | None = None,
    load: LoadMode = "copy",
    pipe_minutes: Minutes = 10,
    refresh: Literal["snapshot", "full"] = "snapshot",
    confirm_delete: str | None = None,
    skip_unchanged: bool = True,
    enrich: bool = False,
    max_hours: MaxHours = MAX_HOURS,  # noqa: ARG001 - `ends_failed` enforces it
    spotify: str = "spotify",
    lake: str = "lake",
    warehouse: str = "warehouse",
    warehouse_admin: str = "warehouse-admin",
) -> State[None]:
    """Reads playlists from Spotify, keeps the responses in the lake, and publishes them to the warehouse.

    Args:
        playlists: Ids (22 letters and digits), spotify:playlist: URIs or open.spotify.com links.
        snapshot_date: Date of the snapshots (YYYY-MM-DD): today or yesterday (UTC). Other dates are refused,
            because Spotify has no history API. Default: the date of the run's schedule, otherwise today.
        load: `copy`: this run executes COPY INTO. `snowpipe`: auto-ingest pipes load the files.
        pipe_minutes: With `snowpipe`: maximum minutes that the run waits for the pipes.
        refresh: `snapshot` replaces these playlists' rows of the date. `full` also deletes all other rows in
            the warehouse: other dates of these playlists, and the whole history of all other playlists. The
            lake keeps everything; backfill-playlists can publish it again.
        confirm_delete: Required for `full`: database and schema exactly as in the warehouse block, for
            example SPOTIFY.PLAYLISTS.
        skip_unchanged: Skip playlists that are already published for the date and have not changed since.
        enrich: Also request full artists (genres, followers, popularity) and albums (label, UPC). Responses
            of the last seven days are reused from the lake.
        max_hours: Maximum hours. After that the run stops, whatever it is waiting for, and ends as Failed.
        spotify: Name of the SpotifyCredentials block.
        lake: Name of the S3Bucket block.
        warehouse: Name of the SnowflakeConnector block.
        warehouse_admin: Name of the SnowflakeConnector block for schema changes. If it does not exist,
            `warehouse` is used.
    """
    run, stopwatch = start_run(snapshot_date), Stopwatch()
    wanted = playlist_ids(playlists)
    target = Target(lake, warehouse, warehouse_admin, load, refresh, confirm_delete, pipe_minutes)
    target.refuse_unconfirmed()
    with stopwatch.timed("keep_snapshots"):
        skip = skip_unchanged and refresh == "snapshot"
        work = keep_snapshots(run, wanted, spotify, target, skip=skip, details=enrich)
    return publish(run, work, target, stopwatch)


@task(**RETRIES)
def keep_snapshots(  # noqa: PLR0913 - what to read, whence, and how
    run: Run, wanted: list[str], spotify: str, target: Target, *, skip: bool, details: bool
) -> Work:
    """Keeps the responses for each playlist, read once also if the task is retried; details likewise."""
    client, lake = find_spotify(spotify), find_lake(target.lake)
    ids = WantedIds()
    keeper = Keeper(
        client=client,
        lake=lake,
        run=run,
        is_published=published_check(run, lake, target.warehouse) if skip else never_published,
        patience=Patience(len(wanted)),
        on_kept=ids.add if details else None,
        resumes=(runtime.task_run.run_count or 0) > 1,
    )
    work = keep_playlists(keeper, wanted)
    return replace(work, details=keep_details(client, lake, run, ids)) if details else work


if __name__ == "__main__":
    run_from_shell(ingest_playlists, "flows.ingest")
