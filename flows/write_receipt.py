"""Receipt of a run: written to the lake last, logged, and shown as artifacts."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from prefect import get_run_logger, task

from flows.artifacts import show_receipt
from flows.changes import emit_changes
from flows.connections import find_lake
from flows.target import Target
from flows.tasks import RETRIES
from pipeline.lake.layout import receipt_key
from pipeline.markdown import LOG_BYTES
from pipeline.receipt import as_markdown, encode_receipt
from pipeline.records import DetailsLine, Loaded, Manifest, PlaylistLine, Receipt, Run
from pipeline.run_message import summary
from pipeline.usage import usage_so_far


def make_receipt(  # noqa: PLR0913 - the results of all steps
    run: Run,
    target: Target,
    lines: Sequence[PlaylistLine],
    manifest: Manifest,
    loaded: Loaded,
    *,
    details: Sequence[DetailsLine],
    report: str | None,
    seconds: Mapping[str, float],
) -> Receipt:
    """The receipt. `report`: key of the run's report. `seconds`: duration by step."""
    status, message = summary(lines, details, loaded.changes)
    if target.refresh == "full":
        deleted, replaced = _known(loaded.partitions_deleted), _known(loaded.partitions_replaced)
        message += f". Partitions: {deleted} deleted, {replaced} replaced"
    return Receipt(
        run_id=run.run_id,
        flow_run_id=run.flow_run_id,
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
        details=details,
        report=report,
        changes=loaded.changes,
        partitions_replaced=loaded.partitions_replaced,
        partitions_deleted=loaded.partitions_deleted,
        statements=loaded.statements,
        seconds=seconds,
        usage=usage_so_far(),
    )


@task(**RETRIES)
def write_receipt(run: Run, target: Target, receipt: Receipt) -> None:
    """Writes the receipt to the lake, logs it, creates its artifacts and emits the change events.

    Idempotent: a retry writes the same bytes to the same key.
    """
    lake, key = find_lake(target.blocks.lake), receipt_key(run.snapshot_date, run.run_id)
    lake.write(key, encode_receipt(receipt), "application/json")
    url = f"{lake.url}{key}"
    get_run_logger().info("receipt %s\n%s", url, as_markdown(receipt, url, LOG_BYTES))
    show_receipt(receipt, url)
    emit_changes(run.run_id, receipt.changes)


def _known(count: int | None) -> int | str:
    return "an unknown number" if count is None else count
