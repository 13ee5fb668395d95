"""Consistency checks of warehouse and lake after a successful run."""

import json
from typing import Any

from pipeline.columns import TABLES
from sandbox.services import BUCKET
from tests.places import Place, Rows


def repeated_keys(place: Place) -> Rows:
    """Tables with duplicate keys, and the number of such keys."""
    keys = {
        table: ", ".join(name for name, column in schema.columns().items() if column.primary_key)
        for table, schema in TABLES.items()
    }
    twice = " UNION ALL ".join(
        f"SELECT '{table}' AS name FROM {table}_history GROUP BY {key} HAVING COUNT(*) > 1"
        for table, key in keys.items()
    )
    return place.query(f"SELECT name, COUNT(*) FROM ({twice}) GROUP BY name")


def ledger_gaps(place: Place) -> list[str]:
    """Partitions whose row in the ledger is missing or wrong, or names a key that is not in the lake."""
    lake = sizes(place)
    rows = place.query(
        "SELECT h.playlist_id, h.snapshot_date, h.item_count, l.item_count, l.rows_by_table, l.source_key, "
        "l.receipt_key FROM playlists_history h LEFT JOIN loads l "
        "ON h.run_id = l.run_id AND h.playlist_id = l.playlist_id AND h.snapshot_date = l.snapshot_date"
    )
    counted = _rows_by_partition(place)
    gaps = []
    for playlist, day, shown, loaded, by_table, *keys in rows:
        wanted = {table: counted.get((table, playlist, day), 0) for table in TABLES}
        if shown != loaded or json.loads(by_table) != wanted:
            gaps.append(f"{playlist}, {day}: {loaded} of {shown} entries, {by_table}, counted {wanted}")
        gaps += [f"{key} is not in the lake" for key in keys if key not in lake]
    return gaps


def missing_files(place: Place) -> list[str]:
    """Files that a receipt names and that are missing in the lake or have another size."""
    lake = sizes(place)
    return [
        f"{receipt['run_id']}: {file['key']}"
        for receipt in place.receipts()
        for file in receipt["files"]
        if lake.get(file["key"]) != file["bytes"]
    ]


def sizes(place: Place) -> dict[str, int]:
    """Size in bytes of each key in the folder of the place."""
    listed: Any = place.s3.list_objects_v2(Bucket=BUCKET, Prefix=f"{place.name}/")
    assert not listed["IsTruncated"]
    return {item["Key"].removeprefix(f"{place.name}/"): item["Size"] for item in listed.get("Contents", [])}


def _rows_by_partition(place: Place) -> dict[tuple[str, str, Any], int]:
    counts = " UNION ALL ".join(
        f"SELECT '{table}' AS name, playlist_id, snapshot_date, COUNT(*) AS row_count "
        f"FROM {table}_history GROUP BY playlist_id, snapshot_date"
        for table in TABLES
    )
    return {(table, playlist, day): count for table, playlist, day, count in place.query(counts)}
