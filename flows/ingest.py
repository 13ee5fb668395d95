"""Reads playlists from Spotify and publishes them: `python -m flows ingest PLAYLIST…`."""

from datetime import date

from msgspec.structs import replace
from prefect import State, flow, runtime, task

from flows.connections import find_lake, find_spotify
from flows.daily_playlists import read_daily_playlists
from flows.parameters import IngestBlockNames, Limits, Playlists
from flows.publish import publish
from flows.run import Stopwatch, ends_failed, start_run
from flows.run_name import name_ingest
from flows.shell import run_from_shell
from flows.target import Target
from flows.tasks import RETRIES
from flows.unchanged import never_published, published_check
from pipeline.enrich import WantedIds, keep_details
from pipeline.keep import Keeper, keep_playlists
from pipeline.lake.layout import LoadMode
from pipeline.lake.retry_budget import RetryBudget
from pipeline.records import Refresh, Run, Work
from pipeline.spotify.links import wanted_playlists
from pipeline.spotify.my_playlists import find_wanted


@flow(name="ingest-playlists", persist_result=False, validate_parameters=False)  # `ends_failed` validates
@ends_failed
def ingest_playlists(  # noqa: PLR0913 - each is a field of the run form
    playlists: Playlists = [],  # noqa: B006 - never changed
    *,
    snapshot_date: date | None = None,
    load: LoadMode = "copy",
    refresh: Refresh = "snapshot",
    confirm_delete: str | None = None,
    skip_unchanged: bool = True,
    enrich: bool = False,
    limits: Limits = Limits(),  # `ends_failed` enforces max_hours
    blocks: IngestBlockNames = IngestBlockNames(),
) -> State[None]:
    """Reads playlists from Spotify, keeps the responses in the lake, and publishes them to the warehouse.

    Args:
        playlists: The playlists to read, one per item: id (22 letters and digits), spotify:playlist: URI,
            open.spotify.com link, or the word `mine`: all playlists that the authorised user owns or
            collaborates on. Default: the list in the Prefect variable `daily_playlists`, read when the run
            starts.
        snapshot_date: Date of the snapshots (YYYY-MM-DD): today or yesterday (UTC). Other dates are refused,
            because Spotify has no history API. Default: the scheduled date of the run, otherwise today.
        load: `copy`: this run executes COPY INTO. `snowpipe`: auto-ingest pipes load the files.
        refresh: `snapshot`: replace the rows of these playlists for this date. `full`: also delete all other
            rows in the warehouse: the other dates of these playlists, and the whole history of all other
            playlists. The lake is not changed; backfill-playlists can publish its snapshots again.
        confirm_delete: Required with refresh `full`, ignored otherwise: database and schema, spelled as in
            the warehouse block, for example SPOTIFY.PLAYLISTS.
        skip_unchanged: Skip playlists that are already published for the date and have not changed since.
            Has no effect with refresh `full`.
        enrich: Also request full artists (genres, followers, popularity) and albums (label, UPC). Responses
            of the last seven days are reused from the lake.
        limits: How long the run may take. The defaults suit most runs.
        blocks: Names of the Prefect blocks. The defaults are those that `python -m blocks register` writes.
    """
    run, stopwatch = start_run(snapshot_date), Stopwatch()
    names = wanted_playlists(playlists) if playlists else read_daily_playlists()
    target = Target(blocks, load, refresh, confirm_delete, limits.pipe_minutes, describe_changes=True)
    target.refuse_unconfirmed()
    name_ingest(run, names)
    with stopwatch.timed("keep_snapshots"):
        skip = skip_unchanged and refresh == "snapshot"
        work = keep_snapshots(run, names, blocks, skip=skip, details=enrich)
    return publish(run, work, target, stopwatch)


@task(**RETRIES)
def keep_snapshots(
    run: Run, names: list[str], blocks: IngestBlockNames, *, skip: bool, details: bool
) -> Work:
    """Keeps a snapshot of each playlist, then details if requested. A retry reads only what is missing."""
    client, lake = find_spotify(blocks.spotify), find_lake(blocks.lake)
    wanted = find_wanted(client, run, names)
    ids = WantedIds()
    keeper = Keeper(
        client=client,
        lake=lake,
        run=run,
        is_published=published_check(run, lake, blocks.warehouse) if skip else never_published,
        retries=RetryBudget(len(wanted.ids)),
        on_kept=ids.add if details else None,
        resumes=(runtime.task_run.run_count or 0) > 1,
        listed=wanted.snapshot_ids,
    )
    work = keep_playlists(keeper, wanted.ids)
    work = replace(work, others=[*wanted.failed, *work.others])
    return replace(work, details=keep_details(client, lake, run, ids)) if details else work


if __name__ == "__main__":
    run_from_shell(ingest_playlists, "flows ingest")
