"""What a reader sees in one look: all tables and views in one statement, again and again."""

import threading
from contextlib import closing
from typing import NamedTuple

from flows.transform.schema import TABLES
from sandbox.account import connect
from tests.places import Place

RELATIONS = [name for table in TABLES for name in (f"{table}_history", table)]
CREATE_LOOKS = "CREATE VIEW looks AS " + " UNION ALL ".join(
    f"SELECT '{name}' AS relation, COUNT(*) AS row_count, COUNT(DISTINCT run_id) AS runs, MIN(run_id) AS run "
    f"FROM {name}"
    for name in RELATIONS
)
"""A view, because the stand-in would take long to read this text at each look."""
LOOK = "SELECT relation, row_count, runs, run FROM looks"
PAUSE_S = 0.05


class Look(NamedTuple):
    """Rows of each table and view, and the runs that they came from."""

    rows: tuple[tuple[str, int], ...]
    runs: frozenset[str]


def look(place: Place) -> Look:
    """One look by a new session."""
    return _look(place.query(LOOK))


def _look(found: list[tuple[str, int, int, str | None]]) -> Look:
    rows = tuple(sorted((name, count) for name, count, *_ in found))
    runs = {run for *_, run in found if run}
    mixed = {f"{name}: {count} runs" for name, _, count, _ in found if count > 1}
    return Look(rows, frozenset(runs | mixed))


class Reader:
    """A session that looks until it is stopped; keeps the different looks, in order."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._read)
        self.looks: list[Look] = []
        self.failure: Exception | None = None

    def __enter__(self) -> "Reader":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _read(self) -> None:
        place = self._place
        try:
            with closing(
                connect(place.addresses.snowflake, database=place.database, schema="PLAYLISTS")
            ) as connection:
                cursor = connection.cursor()
                while not self._stop.wait(PAUSE_S):
                    seen = _look(cursor.execute(LOOK).fetchall())
                    if seen not in self.looks[-1:]:
                        self.looks.append(seen)
        except Exception as error:  # noqa: BLE001 - the test's thread shows it
            self.failure = error

    def saw_only(self, *wholes: Look) -> bool:
        """Whether each look was one run's whole state, with the rows of one of these."""
        if self.failure:
            raise self.failure
        assert self.looks
        return all(is_whole(seen, *wholes) for seen in self.looks)


def is_whole(seen: Look, *wholes: Look) -> bool:
    """Whether a look shows one run, with the rows of one of these."""
    return len(seen.runs) == 1 and seen.rows in {whole.rows for whole in wholes}
