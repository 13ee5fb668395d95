"""Publishes kept snapshots: tables → lake → warehouse → receipt. Shared by ingest and backfill."""

import logging
import time
from collections.abc import Sequence
from datetime import timedelta
from functools import partial

from msgspec.structs import replace
from prefect import State, get_run_logger, task
from prefect.states import Completed, Failed

from flows.changes import describe_changes
from flows.connections import find_lake, open_session
from flows.deadline import OutOfTime
from flows.outcome import MAYBE_RECORDED, NOT_LOADED, outcome_reported
from flows.run import Stopwatch, run_id_of
from flows.target import Target
from flows.tasks import RETRIES
from flows.write_receipt import make_receipt, write_receipt
from flows.write_report import write_report
from pipeline.errors import Code, PipelineError, StopRun
from pipeline.lake.kept_details import KeptDetails
from pipeline.lake.retry_budget import RetryBudget
from pipeline.losses import warnings
from pipeline.receipt import playlist_lines
from pipeline.records import Kept, Loaded, Manifest, PlaylistLine, Run, Work
from pipeline.write import Writer

log = logging.getLogger(__name__)

LANDING_RETENTION = timedelta(days=15)
"""How long rows stay in landing tables: a day longer than pipes track files, so no older file can land."""

MAX_LOGGED_WARNINGS = 50
"""Warnings about losses that are logged; a backfill may have tens of thousands."""


def publish(run: Run, work: Work, target: Target, stopwatch: Stopwatch) -> State[None]:
    """Publishes kept snapshots. If a playlist fails, the others are loaded and the state is Failed."""
    manifest, loaded = Manifest(), Loaded()
    target.refuse_failures(work)
    if work.kept:
        # Set up first: pipes ingest only files that arrive later. Not in a separate thread: a statement that
        # does not respond would block there, and delay the end of a run that is cancelled.
        with stopwatch.timed("setup_warehouse"):
            setup_warehouse(run, target)
        with stopwatch.timed("write_tables"):
            manifest, undecodable = write_tables(run, work.kept, target)
        work = replace(work, others=[*work.others, *undecodable])
        _warn_of_losses(manifest.partitions)
        target.refuse_failures(work)
        target.refuse_no_songs(manifest)
        with stopwatch.timed("truncate_and_load"), outcome_reported(target.blocks.warehouse, run.run_id):
            deadline = time.monotonic() + target.pipe_minutes * 60
            loaded = truncate_and_load(run, manifest, target, deadline)
    lines, report = playlist_lines(manifest, loaded, work.others), None
    try:
        if loaded.partitions:
            with stopwatch.timed("write_report"):
                report = write_report(run, lines, loaded, target.blocks)
        receipt = make_receipt(
            run,
            target,
            lines,
            manifest,
            loaded,
            details=work.details,
            report=report,
            seconds=stopwatch.seconds,
        )
        write_receipt(run, target, receipt)
    except OutOfTime as error:
        error.outcome = MAYBE_RECORDED if loaded.partitions else NOT_LOADED
        raise
    except PipelineError as error:
        message = f"the loaded data stays, only the receipt is missing: {error.message}. Run again"
        raise StopRun(message, Code.RECEIPT_MISSING) from error
    return (Failed if receipt.status == "failed" else Completed)(message=receipt.message)


def _warn_of_losses(lines: Sequence[PlaylistLine]) -> None:
    found = warnings(lines)
    for text in found[:MAX_LOGGED_WARNINGS]:
        get_run_logger().warning(text)
    if len(found) > MAX_LOGGED_WARNINGS:
        get_run_logger().warning("%s more warnings: see the receipt", len(found) - MAX_LOGGED_WARNINGS)


@task(**RETRIES)
def setup_warehouse(run: Run, target: Target) -> None:
    """Upgrades the schema to this code's version, with the block `warehouse_admin` if it exists."""
    from pipeline.warehouse.setup import is_current, set_up  # noqa: PLC0415 - imports Snowflake
    from pipeline.warehouse.snowpipe import clear_landing  # noqa: PLC0415

    lake_url = find_lake(target.blocks.lake).url
    with open_session(target.blocks.warehouse, run.run_id) as session:
        if is_current(session, lake_url, target.load):
            if target.load == "snowpipe":
                oldest_kept = run_id_of(run.started_at - LANDING_RETENTION)
                clear_landing(session, "load/delete_stale_landing", oldest_kept)
            return
    log.info("setting up the warehouse")
    opened = partial(
        open_session, target.blocks.warehouse_admin, run.run_id, otherwise=target.blocks.warehouse
    )
    with opened() as session, opened() as guard:
        set_up(session, guard, lake_url, run.code_version, target.load)


@task(**RETRIES)
def write_tables(run: Run, kept: Sequence[Kept], target: Target) -> tuple[Manifest, list[PlaylistLine]]:
    """Writes kept snapshots as CSV files, one per table and date; returns the manifest of the load.

    The second value has a line for each playlist whose responses cannot be decoded.
    """
    lake = find_lake(target.blocks.lake)
    return Writer(lake, KeptDetails(lake), run, target.load, RetryBudget(len(kept))).write(kept)


@task(**RETRIES)
def truncate_and_load(run: Run, manifest: Manifest, target: Target, deadline: float) -> Loaded:
    """Replaces the manifest's partitions in one transaction.

    With Snowpipe, first waits until all files have landed, up to the deadline (monotonic clock).
    """
    from pipeline.warehouse.copy_files import copy_files  # noqa: PLC0415 - imports Snowflake
    from pipeline.warehouse.landing import Polling  # noqa: PLC0415
    from pipeline.warehouse.snowpipe import load_snowpipe  # noqa: PLC0415
    from pipeline.warehouse.transaction import Load  # noqa: PLC0415

    if not manifest.partitions:
        return Loaded()
    # If Snowflake aborts our idle transaction, later statements must not autocommit.
    with open_session(target.blocks.warehouse, run.run_id, autocommit=False) as session:
        load = Load(session, run, manifest, target.load, target.refresh, target.ignore_rank)
        if target.load == "snowpipe":
            loaded = load_snowpipe(load, Polling(deadline - time.monotonic()))
        else:
            loaded = load.replace(partial(copy_files, session, manifest.files))
        if target.describe_changes and target.refresh == "snapshot":  # "full" leaves no earlier snapshot
            loaded = replace(loaded, changes=describe_changes(session, loaded))
    for playlist, day in loaded.superseded:
        get_run_logger().warning(
            "playlist %s, %s: the warehouse already holds a snapshot that ranks higher "
            "(fetched on that date, or later), and keeps it",
            playlist,
            day,
        )
    return loaded
