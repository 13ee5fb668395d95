"""Kept snapshots → tables → lake → warehouse → receipt: the half that ingest and backfill share."""

import logging
import time
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Literal, NamedTuple

from httpx import HTTPError
from prefect import State, get_run_logger, task
from prefect.artifacts import create_markdown_artifact, create_table_artifact
from prefect.states import Completed, Failed

from flows.connections import find_lake, open_session, warehouse_name
from flows.deadline import OutOfTime
from flows.outcome import MAYBE_RECORDED, NOT_LOADED, settled
from flows.prefect_errors import unavailable
from flows.run import Run, run_id_of
from flows.tasks import RETRIES
from pipeline.errors import Code, ConfigurationError, PipelineError, StopRun
from pipeline.lake.csv_files import Manifest
from pipeline.lake.kept_details import KeptDetails
from pipeline.lake.layout import LoadMode
from pipeline.lake.patience import Patience
from pipeline.lake.snapshots import Kept, by_date
from pipeline.markdown import LOG_BYTES
from pipeline.receipt import (
    PlaylistLine,
    Receipt,
    Work,
    as_markdown,
    as_table,
    encode_receipt,
    failures,
    playlist_lines,
    summary,
)
from pipeline.threads import Unfinished, within
from pipeline.warehouse.loaded import Loaded
from pipeline.write import Writer

log = logging.getLogger(__name__)

PIPES_REMEMBER = timedelta(days=15)
"""A day more than pipes remember files: what has not landed by then never will."""


SHOW_S = 30.0
"""How long a run waits for Prefect to take its artifacts."""


class Target(NamedTuple):
    """Where a run publishes, by block name, and how.

    `ignore_rank`: its snapshots are put in place even if the warehouse holds some that rank higher.
    """

    lake: str
    warehouse: str
    warehouse_admin: str
    load: LoadMode = "copy"
    refresh: Literal["snapshot", "full"] = "snapshot"
    confirm_delete: str | None = None
    pipe_minutes: float = 10
    ignore_rank: bool = False


def publish(run: Run, work: Work, target: Target) -> State[None]:
    """Publishes kept snapshots; the state is Failed where a playlist failed, though the others are loaded."""
    manifest, loaded = Manifest([], []), Loaded()
    _refuse_full_refresh(work, target)
    if work.kept:
        # First, for a pipe sees only what arrives after it was made; and not in a thread of its own, for
        # whoever stops the run would wait for a statement that hangs there.
        with run.timed("setup_warehouse"):
            setup_warehouse(run, target)
        with run.timed("write_tables"):
            manifest, undecodable = write_tables(run, work.kept, target)
        work = Work(work.kept, [*work.others, *undecodable], work.details)
        _refuse_full_refresh(work, target, manifest)
        with run.timed("truncate_and_load"), settled(target.warehouse, run.run_id):
            deadline = time.monotonic() + target.pipe_minutes * 60
            loaded = truncate_and_load(run, manifest, target, deadline)
    try:
        receipt = _receipt(run, target, work, manifest, loaded)
        write_receipt(run, target, receipt)
    except OutOfTime as cut:
        cut.outcome = MAYBE_RECORDED if loaded.partitions else NOT_LOADED
        raise
    except PipelineError as error:
        message = f"what was loaded stays, only the receipt is missing: {error.message}. Run again"
        raise StopRun(message, Code.RECEIPT_MISSING) from error
    return (Failed if receipt.status == "failed" else Completed)(message=receipt.message)


@task(**RETRIES)
def setup_warehouse(run: Run, target: Target) -> None:
    """Brings the schema to this code's version, with the admin block where there is one."""
    from pipeline.warehouse.setup import is_current, set_up  # noqa: PLC0415
    from pipeline.warehouse.snowpipe import clear_landing  # noqa: PLC0415 - imports Snowflake

    lake_url = find_lake(target.lake).url
    with open_session(target.warehouse, run.run_id) as session:
        if is_current(session, lake_url, target.load):
            if target.load == "snowpipe":
                forgotten = run_id_of(run.started_at - PIPES_REMEMBER)
                clear_landing(session, "load/delete_stale_landing", forgotten)
            return
    log.info("setting up the warehouse")
    opened = partial(open_session, target.warehouse_admin, run.run_id, otherwise=target.warehouse)
    with opened() as session, opened() as guard:
        set_up(session, guard, lake_url, run.code_version, target.load)


@task(**RETRIES)
def write_tables(run: Run, kept: list[Kept], target: Target) -> tuple[Manifest, list[PlaylistLine]]:
    """Turns kept snapshots into CSV files, one per table and date; returns what the load must match.

    The second value has a line for each playlist whose answers could not be read.
    """
    lake, dates = find_lake(target.lake), by_date(kept)
    writer = Writer(lake, KeptDetails(lake), run.run_id, target.load, Patience(len(kept)))
    manifest, undecodable = Manifest([], []), []
    for number, (day, snapshots) in enumerate(dates.items(), start=1):
        written, failed = writer.write(day, snapshots)
        manifest.files.extend(written.files)
        manifest.partitions.extend(written.partitions)
        undecodable += failed
        log.info("tables of %s written (date %s of %s)", day, number, len(dates))
    return manifest, undecodable


@task(**RETRIES)
def truncate_and_load(run: Run, manifest: Manifest, target: Target, deadline: float) -> Loaded:
    """Replaces the manifest's partitions in one transaction; with Snowpipe, once all landed in time."""
    from pipeline.warehouse.pipes import Polling  # noqa: PLC0415
    from pipeline.warehouse.snowpipe import load_snowpipe  # noqa: PLC0415
    from pipeline.warehouse.transaction import Load, load_copy  # noqa: PLC0415 - imports Snowflake

    if not manifest.partitions:
        return Loaded()
    load = Load(
        run.run_id, run.code_version, run.receipt_key, target.load, target.refresh, target.ignore_rank
    )
    # If Snowflake aborts our idle transaction, later statements must not autocommit.
    with open_session(target.warehouse, run.run_id, autocommit=False) as session:
        if target.load == "snowpipe":
            loaded = load_snowpipe(session, load, manifest, Polling(deadline - time.monotonic()))
        else:
            loaded = load_copy(session, load, manifest)
    for playlist, day in loaded.superseded:
        get_run_logger().warning(
            "playlist %s, %s: the warehouse holds a snapshot that ranks higher "
            "(fetched on that date, or later). It stays",
            playlist,
            day,
        )
    return loaded


@task(**RETRIES)
def write_receipt(run: Run, target: Target, receipt: Receipt) -> None:
    """Writes the receipt to the lake, logs it, and shows it as artifacts; tried again, it is the same."""
    lake = find_lake(target.lake)
    lake.write(run.receipt_key, encode_receipt(receipt), "application/json")
    key = f"{lake.url}{run.receipt_key}"
    get_run_logger().info("receipt %s\n%s", key, as_markdown(receipt, key, LOG_BYTES))
    _show(receipt, key)


def _receipt(run: Run, target: Target, work: Work, manifest: Manifest, loaded: Loaded) -> Receipt:
    lines = playlist_lines(manifest, loaded, work.others)
    status, message = summary(lines, work.details)
    if target.refresh == "full":
        deleted, replaced = _known(loaded.partitions_deleted), _known(loaded.partitions_replaced)
        message += f". Partitions: {deleted} deleted, {replaced} replaced"
    return Receipt(
        run_id=run.run_id,
        flow=run.flow,
        status=status,
        message=message,
        snapshot_date=run.snapshot_date,
        started_at=run.started_at,
        finished_at=datetime.now(UTC),
        code_version=run.code_version,
        load=target.load,
        refresh=target.refresh,
        playlists=lines,
        rows_by_table=loaded.rows_by_table,
        files=manifest.files,
        details=work.details,
        partitions_replaced=loaded.partitions_replaced,
        partitions_deleted=loaded.partitions_deleted,
        statements=loaded.statements,
        seconds=run.seconds,
    )


def _show(receipt: Receipt, key: str) -> None:
    """Artifacts are for people; a run whose receipt is written neither fails nor waits long for them."""

    def create() -> None:
        rows, description = as_table(receipt, key)
        create_table_artifact(rows, key="receipt-playlists", description=description)
        create_markdown_artifact(as_markdown(receipt, key), key="receipt", description=receipt.run_id)

    try:
        within(SHOW_S, create)
    except (Exception, OutOfTime) as error:  # noqa: BLE001 - whatever the API says, the data is loaded
        log.warning("the receipt is written, but could not be shown as an artifact: %s", _why(error))


def _why(error: BaseException) -> str:
    """What happened, with nothing of what the API answered."""
    if isinstance(error, HTTPError):
        return unavailable(error).message
    if isinstance(error, Unfinished):
        return f"no response within {SHOW_S:g} s"
    return "max_hours was reached" if isinstance(error, OutOfTime) else type(error).__name__


def _known(count: int | None) -> int | str:
    return "an unknown number" if count is None else count


def refuse_unconfirmed(target: Target) -> None:
    """Raises ConfigurationError if refresh="full" is asked for without naming what it deletes from."""
    if target.refresh != "full":
        return
    name = warehouse_name(target.warehouse)
    if target.confirm_delete != name:
        given = "not set" if target.confirm_delete is None else repr(target.confirm_delete)
        message = (
            f'refresh="full" deletes from {name} every row of other playlists and of other dates: the whole '
            f"history. Nothing was requested, written or deleted, because confirm_delete is {given}. "
            f"To delete the history, set confirm_delete to {name}; to replace only these playlists' rows of "
            'the date, use refresh="snapshot"'
        )
        raise ConfigurationError(message, Code.FULL_REFRESH_UNCONFIRMED)


def _refuse_full_refresh(work: Work, target: Target, manifest: Manifest | None = None) -> None:
    """refresh="full" deletes all else, so it wants every playlist read, and something to put in place."""
    if target.refresh != "full":
        return
    refuse_unconfirmed(target)  # again: the block may name another schema by now
    if work.failed:
        reasons = failures(work.failed)
        raise StopRun(
            f'refresh="full" deletes all other rows, so no playlist may fail. Nothing loaded: {reasons}',
            Code.FULL_REFRESH_REFUSED,
        )
    if manifest is not None and not manifest.rows("playlist_songs"):
        raise StopRun(
            'refresh="full" would leave no song at all: the playlists given are empty. Nothing loaded',
            Code.FULL_REFRESH_REFUSED,
        )
