"""What readers see of the warehouse, against the model."""

from collections.abc import Iterator
from datetime import UTC, datetime

from pipeline.columns import TABLES, history
from tests.places import Place, Rows
from tests.property.model import Look, Model

PARTITIONS = "SELECT run_id, playlist_id, snapshot_date, name, item_count, fetched_at FROM playlists_history"
ENTRIES = """
    SELECT run_id, playlist_id, snapshot_date, position, song_id FROM playlist_songs_history
    UNION ALL
    SELECT run_id, playlist_id, snapshot_date, position, NULL AS song_id FROM rejects_history
"""
SONGS = "SELECT DISTINCT run_id, playlist_id, snapshot_date, song_id, name FROM songs_history"
LEDGER = "SELECT run_id, playlist_id, snapshot_date, snapshot_id, item_count, rejected FROM loads"
TODAY = "SELECT playlist_id, snapshot_date, item_count FROM playlists"
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


def _twice() -> str:
    """Keys that come more than once, of any table."""
    keys = {table: ", ".join(schema.primary_key()) for table, schema in TABLES.items()}
    return " UNION ALL ".join(
        f"SELECT '{table}' AS t, COUNT(*) AS n FROM {history(table)} GROUP BY {key} HAVING COUNT(*) > 1"
        for table, key in keys.items()
    )


class Readers:
    """A connection that looks at the warehouse from outside; the owner empties it."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._connection = place.connect("SPOTIFY_READER")
        self._cursor = self._connection.cursor()

    def query(self, sql: str) -> Rows:
        """Rows in the order of their texts."""
        return _sorted(self._cursor.execute(sql))

    def empty(self) -> None:
        """Removes all rows but the lock's."""
        for table in (*map(history, TABLES), "loads"):
            self._place.query(f"TRUNCATE TABLE {table}")

    def close(self) -> None:
        """Logs out."""
        self._connection.close()

    def compare(self, model: Model) -> None:
        """Fails where the warehouse is not what the model says."""
        assert self.query(PARTITIONS) == _sorted(_partitions(model))
        assert self.query(ENTRIES) == _sorted(_entries(model))
        assert self.query(SONGS) == _sorted(set(_songs(model)))
        assert self.query(LEDGER) == _sorted(_ledger(model))
        assert self.query(TODAY) == _sorted(_today(model))
        assert (self.query(UNBALANCED), self.query(UNRECORDED), self.query(_twice())) == ([], [], [])


def version(look: Look) -> str:
    """A snapshot id that no other look has."""
    return f"{look.fetched_at:%d%H%M}"


def song_name(song_id: str, look: Look) -> str:
    """A title that tells looks apart."""
    return f"{song_id} of {version(look)}"


def _sorted(rows: object) -> Rows:
    return sorted(map(tuple, rows), key=repr)  # type: ignore[call-overload]


def _partitions(model: Model) -> Iterator[tuple[object, ...]]:
    for (playlist, day), (run_id, look) in model.shown.items():
        yield run_id, playlist, day, look.name, len(look.entries), _naive(look.fetched_at)


def _entries(model: Model) -> Iterator[tuple[object, ...]]:
    for (playlist, day), (run_id, look) in model.shown.items():
        for position, song_id in enumerate(look.entries, start=1):
            yield run_id, playlist, day, position, song_id


def _songs(model: Model) -> Iterator[tuple[object, ...]]:
    for (playlist, day), (run_id, look) in model.shown.items():
        for song_id in filter(None, look.entries):
            yield run_id, playlist, day, song_id, song_name(song_id, look)


def _ledger(model: Model) -> Iterator[tuple[object, ...]]:
    for (run_id, (playlist, day)), look in model.ledger.items():
        yield run_id, playlist, day, version(look), len(look.entries), look.entries.count(None)


def _today(model: Model) -> Iterator[tuple[object, ...]]:
    for (playlist, day), (_, look) in model.shown.items():
        if day == max(other for name, other in model.shown if name == playlist):
            yield playlist, day, len(look.entries)


def _naive(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(tzinfo=None)
