"""The receipt as artifacts in Prefect's UI: for people, and never a reason for a run to fail."""

import logging

from prefect.artifacts import create_markdown_artifact, create_table_artifact

from flows.deadline import OutOfTime
from flows.prefect_errors import cause
from pipeline.insights import changes_text
from pipeline.receipt import as_markdown, as_table
from pipeline.records import Receipt
from pipeline.threads import within

log = logging.getLogger(__name__)

SHOW_S = 30.0
"""How long a run waits for Prefect to take its artifacts."""


def show_receipt(receipt: Receipt, key: str) -> None:
    """Creates the artifacts; only warns if Prefect does not take them in time.

    `key` is where the whole receipt is.
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
        within(SHOW_S, create)
    except (Exception, OutOfTime) as error:  # noqa: BLE001 - whatever the API says, the data is loaded
        log.warning("the receipt is written, but could not be shown as an artifact: %s", cause(error, SHOW_S))
