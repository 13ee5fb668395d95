"""Observations of a reader: row counts of all tables and views, read in one statement."""

import threading
from typing import NamedTuple, Self

from pipeline.columns import TABLES
from tests.places import Place, Rows

CREATE_OBSERVATION = "CREATE VIEW observation AS " + " UNION ALL ".join(
    f"SELECT '{table}_history' AS relation, playlist_id, run_id, COUNT(*) AS row_count "
    f"FROM {table}_history GROUP BY playlist_id, run_id "
    f"UNION ALL SELECT '{table}', NULL, NULL, COUNT(*) FROM {table}"
    for table in TABLES
)
"""A view, because the stand-in takes long to parse this text."""
OBSERVE = "SELECT relation, playlist_id, run_id, row_count FROM observation"
PAUSE_S = 0.1


class Observation(NamedTuple):
    """Row counts of each table (by playlist) and view, and the run ids of each playlist's rows."""

    rows: tuple[tuple[str, str, int], ...]
    runs: frozenset[tuple[str, str]]

    @classmethod
    def of(cls, found: Rows) -> Self:
        """Creates an observation from the rows of the view."""
        rows = sorted((relation, playlist or "", count) for relation, playlist, _, count in found)
        return cls(tuple(rows), frozenset((playlist, run) for _, playlist, run, _ in found if playlist))

    def is_consistent(self, *states: "Observation") -> bool:
        """Returns True if each playlist has rows of one run and the counts are those of one state."""
        return len(self.runs) == len(dict(self.runs)) and self.rows in {state.rows for state in states}

    def is_of_one_run(self, *states: "Observation") -> bool:
        """Returns True if it is consistent and all rows are of one run."""
        return self.is_consistent(*states) and len({run for _, run in self.runs}) == 1


class Reader:
    """A session that observes the warehouse until it is stopped; records each different observation."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._read)
        self._observations: list[Observation] = []
        self._failure: Exception | None = None

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    @property
    def observations(self) -> list[Observation]:
        """Observations in order; raises the error that stopped the reader, if any."""
        if self._failure:
            raise self._failure
        assert self._observations
        return self._observations

    def _read(self) -> None:
        place = self._place
        try:
            with place.connected() as connection:
                cursor = connection.cursor()
                while not self._stop.wait(PAUSE_S):
                    cursor.execute(OBSERVE)
                    observed = Observation.of(list(cursor.fetchall()))
                    if observed not in self._observations[-1:]:
                        self._observations.append(observed)
        except Exception as error:  # noqa: BLE001 - raised in the test's thread
            self._failure = error
