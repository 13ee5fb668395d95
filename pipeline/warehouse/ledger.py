"""Which snapshots are already published for a date, from ledger and receipts."""

from datetime import date

from pipeline.errors import SnowflakeObjectNotFound
from pipeline.lake.store import Lake
from pipeline.warehouse.session import Session


def find_published(session: Session, lake: Lake, snapshot_date: date, today: date) -> set[tuple[str, str]]:
    """(playlist_id, snapshot_id) of what readers see for the date, loaded by runs that left a receipt.

    Left out is what a snapshot fetched `today` (UTC) outranks: it was not fetched on the date it stands for.
    """
    try:
        rows = session.execute("load/find_published", (snapshot_date, today != snapshot_date))
    except SnowflakeObjectNotFound:
        return set()
    finished = {key for key in {row[2] for row in rows} if lake.exists(key)}
    return {(playlist, snapshot_id) for playlist, snapshot_id, key in rows if key in finished}
