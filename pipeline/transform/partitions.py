"""Counts rows by table and rejects by reason for each partition, for the receipt and the load."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping

import polars as pl

from pipeline.columns import TABLES
from pipeline.records import PlaylistLine
from pipeline.transform.rows import PlaylistRows
from pipeline.transform.tables import Tables


def partition_lines(
    tables: Tables, decoded: Iterable[PlaylistRows], source_keys: Mapping[str, str]
) -> list[PlaylistLine]:
    """One line for each playlist of one date.

    `decoded`: the snapshots that the tables were built from. `source_keys`: their lake keys by playlist id.
    """
    counts = {table: _rows_by_playlist(tables[table]) for table in TABLES}
    reasons = _reasons_by_playlist(tables["rejects"])
    by_id = {one.playlist_id: one for one in decoded}
    lines = []
    for row in tables["playlists"].iter_rows(named=True):
        playlist = row["playlist_id"]
        rows = {table: counts[table].get(playlist, 0) for table in TABLES}
        lines.append(
            PlaylistLine(
                playlist_id=playlist,
                snapshot_date=row["snapshot_date"],
                status="written",
                source_key=source_keys[playlist],
                source_fetched_at=row["fetched_at"],
                snapshot_id=row["snapshot_id"],
                total=row["item_count"],
                read=rows["playlist_songs"] + rows["rejects"],
                rejected=dict(reasons[playlist].most_common()),
                nulled=dict(by_id[playlist].nulled.most_common()),
                missing_fields=by_id[playlist].missing_fields,
                rows_by_table=rows,
                name=row["name"],
            )
        )
    return lines


def _rows_by_playlist(frame: pl.DataFrame) -> dict[str, int]:
    return dict(frame.group_by("playlist_id").len().iter_rows())


def _reasons_by_playlist(rejects: pl.DataFrame) -> defaultdict[str, Counter[str]]:
    reasons: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for playlist_id, reason in rejects.select("playlist_id", "reason").iter_rows():
        reasons[playlist_id][reason] += 1
    return reasons
