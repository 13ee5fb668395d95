"""Requests larger than Snowflake accepts; tests/real/test_warehouse.py sends our largest one."""

from datetime import UTC, datetime
from random import Random

import pytest

from pipeline.columns import TABLES
from pipeline.errors import Code, ConfigurationError
from pipeline.lake.layout import raw_key
from pipeline.records import PlaylistLine
from pipeline.warehouse.ledger import PARTITIONS_PER_INSERT, insert_loads
from pipeline.warehouse.lock import take_lock
from tests.builders import RUN
from tests.warehouses import DAY, Warehouse, run_of

SNAPSHOT_ID_BYTES = 32
RESULTS = {DAY: {table: {"rows": 12_345, "bytes": 1_234_567} for table in TABLES}}


def test_a_request_that_is_too_large_stops_the_run_with_the_action_to_take(warehouse: Warehouse) -> None:
    with warehouse.session(RUN, autocommit=False) as session:
        take_lock(session)
        with pytest.raises(ConfigurationError, match=r"413.*load fewer dates or playlists at once") as error:
            insert_loads(session, run_of(RUN), "copy", full_statement(10 * SNAPSHOT_ID_BYTES), RESULTS)
    assert error.value.code == Code.SNOWFLAKE_REFUSED


def full_statement(snapshot_id_bytes: int = SNAPSHOT_ID_BYTES) -> list[PlaylistLine]:
    """As many partitions as one statement inserts; random ids, so that they cannot be compressed."""
    random = Random(1)  # noqa: S311 - no secret
    return [_line(random, snapshot_id_bytes) for _ in range(PARTITIONS_PER_INSERT)]


def _line(random: Random, snapshot_id_bytes: int) -> PlaylistLine:
    playlist = random.randbytes(11).hex()
    return PlaylistLine(
        playlist,
        DAY,
        "written",
        source_key=raw_key(playlist, DAY, f"20261120T060000Z-{random.randbytes(4).hex()}"),
        source_fetched_at=datetime.now(UTC),
        snapshot_id=random.randbytes(snapshot_id_bytes).hex(),
        rejected={"local_file": random.randrange(100)},
        rows_by_table={table: random.randrange(10_000) for table in TABLES},
    )
