"""Prefect artifacts of the receipt. A failure to create them never fails the run."""

import logging

from prefect.artifacts import create_markdown_artifact, create_table_artifact

from flows.deadline import OutOfTime
from flows.prefect_errors import cause
from pipeline.insights import changes_text
from pipeline.receipt import as_markdown, as_table
from pipeline.records import Receipt
from pipeline.threads import within

log = logging.getLogger(__name__)

ARTIFACTS_TIMEOUT_S = 30.0
"""Time limit for all artifacts of a run together."""


def show_receipt(receipt: Receipt, key: str) -> None:
    """Creates the artifacts; only warns if Prefect does not create them in time.

    `key`: URL of the complete receipt.
    """

    def create() -> None:
        rows, description = as_table(receipt, key)
        create_table_artifact(rows, key="receipt-playlists", description=description)
        create_markdown_artifact(
            as_markdown(receipt, key), key="receipt", description=f"Receipt of run {receipt.run_id}"
        )
        if receipt.changes:
            changes = changes_text.changes_table(receipt.changes, key)
            create_markdown_artifact(
                changes, key="changes", description=f"Songs added, removed and moved by run {receipt.run_id}"
            )

    try:
        within(ARTIFACTS_TIMEOUT_S, create)
    except (Exception, OutOfTime) as error:  # noqa: BLE001 - the data is loaded, whatever the error is
        why = cause(error, ARTIFACTS_TIMEOUT_S)
        log.warning("the receipt is written, but its artifacts could not be created: %s", why)
