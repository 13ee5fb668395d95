"""Reads playlists from Spotify and publishes them: `python -m flows.ingest PLAYLIST…`."""

from datetime import date
from typing import Literal

from prefect import State, flow, task

from flows.cli import run_from_shell
from flows.connect import find_lake, find_spotify
from flows.keep import Keeper, keep_playlists
from flows.publish import Target, publish
from flows.published import published_check
from flows.receipt import Work
from flows.run import Run, ends_failed, start_run
from flows.spotify.links import playlist_ids


@flow(name="ingest-playlists")
@ends_failed
def ingest_playlists(  # noqa: PLR0913 - each is a field of the run form
    playlists: list[str],
    *,
    snapshot_date: date | None = None,
    load: Literal["copy"] = "copy",
    refresh: Literal["snapshot", "full"] = "snapshot",
    skip_unchanged: bool = True,
    spotify: str = "spotify",
    lake: str = "lake",
    warehouse: str = "warehouse",
    warehouse_admin: str = "warehouse-admin",
) -> State[None]:
    """Reads playlists as they are now, keeps the answers, and publishes them.

    Args:
        playlists: Ids, spotify:playlist: URIs or open.spotify.com links.
        snapshot_date: Day that the snapshots stand for; without it the day of the run (UTC).
        load: How Snowflake takes the files.
        refresh: snapshot replaces these playlists' rows of the date; full deletes everything else as well:
            all other playlists' history goes too.
        skip_unchanged: Leave a playlist alone that is published for the date and has not changed since.
        spotify: Name of the SpotifyCredentials block.
        lake: Name of the S3Bucket block.
        warehouse: Name of the SnowflakeConnector block.
        warehouse_admin: Name of the SnowflakeConnector block for setup changes, where there is one.
    """
    run = start_run(snapshot_date)
    wanted = playlist_ids(playlists)
    target = Target(lake, warehouse, warehouse_admin, load, refresh)
    with run.timed("keep_snapshots"):
        work = keep_snapshots(run, wanted, spotify, target, skip=skip_unchanged and refresh == "snapshot")
    return publish(run, work, target)


@task
def keep_snapshots(run: Run, wanted: list[str], spotify: str, target: Target, *, skip: bool) -> Work:
    """Reads each playlist once and keeps the answers as they came."""
    keeper = Keeper(
        client=find_spotify(spotify),
        lake=find_lake(target.lake),
        snapshot_date=run.snapshot_date,
        run_id=run.run_id,
        code_version=run.code_version,
        is_published=published_check(run, target.lake, target.warehouse)
        if skip
        else lambda _playlist, _snapshot: False,
    )
    return keep_playlists(keeper, wanted)


if __name__ == "__main__":
    run_from_shell(ingest_playlists, "flows.ingest")
