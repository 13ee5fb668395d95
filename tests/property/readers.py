"""Compares what readers see in the warehouse with the model."""

from collections.abc import Iterator
from datetime import UTC, datetime

from pipeline.columns import TABLES, history
from tests.places import Place, Rows
from tests.property.model import Model, PlaylistState

PARTITIONS = "SELECT run_id, playlist_id, snapshot_date, name, item_count, fetched_at FROM playlists_history"
ENTRIES = """
    SELECT run_id, playlist_id, snapshot_date, position, song_id FROM playlist_songs_history
    UNION ALL
    SELECT run_id, playlist_id, snapshot_date, position, NULL AS song_id FROM rejects_history
"""
SONGS = "SELECT DISTINCT run_id, playlist_id, snapshot_date, song_id, name FROM songs_history"
LEDGER = "SELECT run_id, playlist_id, snapshot_date, snapshot_id, item_count, rejected FROM loads"
NEWEST = "SELECT playlist_id, snapshot_date, item_count FROM playlists"
UNBALANCED = """
    SELECT p.playlist_id, p.snapshot_date
    FROM playlists_history AS p
    LEFT JOIN (
        SELECT playlist_id, snapshot_date FROM playlist_songs_history
        UNION ALL
        SELECT playlist_id, snapshot_date FROM rejects_history
    ) AS e ON p.playlist_id = e.playlist_id AND p.snapshot_date = e.snapshot_date
    GROUP BY p.playlist_id, p.snapshot_date, p.item_count
    HAVING COUNT(e.playlist_id) <> p.item_count
"""
UNRECORDED = """
    SELECT p.playlist_id, p.snapshot_date
    FROM playlists_history AS p
    LEFT JOIN loads AS l
        ON p.run_id = l.run_id AND p.playlist_id = l.playlist_id AND p.snapshot_date = l.snapshot_date
    GROUP BY p.playlist_id, p.snapshot_date
    HAVING COUNT(l.run_id) <> 1
"""


def _duplicate_keys() -> str:
    """Query for duplicate keys in all tables."""
    keys = {table: ", ".join(schema.primary_key()) for table, schema in TABLES.items()}
    return " UNION ALL ".join(
        f"SELECT '{table}' AS t, COUNT(*) AS n FROM {history(table)} GROUP BY {key} HAVING COUNT(*) > 1"
        for table, key in keys.items()
    )


class Readers:
    """A connection of the reader role; `empty` uses the owner role."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._connection = place.connect("SPOTIFY_READER")
        self._cursor = self._connection.cursor()

    def query(self, sql: str) -> Rows:
        """Rows, sorted by their text."""
        return _sorted(self._cursor.execute(sql))

    def empty(self) -> None:
        """Removes all rows except that of the lock."""
        for table in (*map(history, TABLES), "loads"):
            self._place.query(f"TRUNCATE TABLE {table}")

    def close(self) -> None:
        """Logs out."""
        self._connection.close()

    def compare(self, model: Model) -> None:
        """Checks that the warehouse equals the model."""
        assert self.query(PARTITIONS) == _sorted(_partitions(model))
        assert self.query(ENTRIES) == _sorted(_entries(model))
        assert self.query(SONGS) == _sorted(set(_songs(model)))
        assert self.query(LEDGER) == _sorted(_ledger(model))
        assert self.query(NEWEST) == _sorted(_newest(model))
        assert (self.query(UNBALANCED), self.query(UNRECORDED), self.query(_duplicate_keys())) == ([], [], [])


def version(state: PlaylistState) -> str:
    """A unique snapshot id for a state."""
    return f"{state.fetched_at:%d%H%M}"


def song_name(song_id: str, state: PlaylistState) -> str:
    """A song name that is different in every state."""
    return f"{song_id} of {version(state)}"


def _sorted(rows: object) -> Rows:
    return sorted(map(tuple, rows), key=repr)  # type: ignore[call-overload]


def _partitions(model: Model) -> Iterator[tuple[object, ...]]:
    for (playlist, day), (run_id, state) in model.published.items():
        yield run_id, playlist, day, state.name, len(state.entries), _naive(state.fetched_at)


def _entries(model: Model) -> Iterator[tuple[object, ...]]:
    for (playlist, day), (run_id, state) in model.published.items():
        for position, song_id in enumerate(state.entries, start=1):
            yield run_id, playlist, day, position, song_id


def _songs(model: Model) -> Iterator[tuple[object, ...]]:
    for (playlist, day), (run_id, state) in model.published.items():
        for song_id in filter(None, state.entries):
            yield run_id, playlist, day, song_id, song_name(song_id, state)


def _ledger(model: Model) -> Iterator[tuple[object, ...]]:
    for (run_id, (playlist, day)), state in model.ledger.items():
        yield run_id, playlist, day, version(state), len(state.entries), state.entries.count(None)


def _newest(model: Model) -> Iterator[tuple[object, ...]]:
    for (playlist, day), (_, state) in model.published.items():
        if day == max(other for name, other in model.published if name == playlist):
            yield playlist, day, len(state.entries)


def _naive(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(tzinfo=None)
