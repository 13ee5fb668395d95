"""What a reader sees in one look: all tables and views in one statement, again and again."""

import threading
from typing import NamedTuple, Self

from pipeline.columns import TABLES
from tests.places import Place, Rows

CREATE_LOOKS = "CREATE VIEW looks AS " + " UNION ALL ".join(
    f"SELECT '{table}_history' AS relation, playlist_id, run_id, COUNT(*) AS row_count "
    f"FROM {table}_history GROUP BY playlist_id, run_id "
    f"UNION ALL SELECT '{table}', NULL, NULL, COUNT(*) FROM {table}"
    for table in TABLES
)
"""A view, because the stand-in would take long to read this text at each look."""
LOOK = "SELECT relation, playlist_id, run_id, row_count FROM looks"
PAUSE_S = 0.1


class Look(NamedTuple):
    """Rows of each table, by playlist, and of each view; which runs each playlist's rows came from."""

    rows: tuple[tuple[str, str, int], ...]
    runs: frozenset[tuple[str, str]]

    @classmethod
    def of(cls, found: Rows) -> Self:
        """A look from the rows of the view."""
        rows = sorted((relation, playlist or "", count) for relation, playlist, _, count in found)
        return cls(tuple(rows), frozenset((playlist, run) for _, playlist, run, _ in found if playlist))

    def is_whole(self, *states: "Look") -> bool:
        """Whether each playlist shows one run, and all together the rows of one of these states."""
        return len(self.runs) == len(dict(self.runs)) and self.rows in {state.rows for state in states}

    def is_of_one_run(self, *states: "Look") -> bool:
        """Whether it is whole and all of it comes from one run."""
        return self.is_whole(*states) and len({run for _, run in self.runs}) == 1


class Reader:
    """A session that looks until it is stopped; keeps the different looks, in order."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._read)
        self._looks: list[Look] = []
        self._failure: Exception | None = None

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    @property
    def looks(self) -> list[Look]:
        """What it saw; raises what stopped it, if anything did."""
        if self._failure:
            raise self._failure
        assert self._looks
        return self._looks

    def _read(self) -> None:
        place = self._place
        try:
            with place.connected() as connection:
                cursor = connection.cursor()
                while not self._stop.wait(PAUSE_S):
                    cursor.execute(LOOK)
                    seen = Look.of(list(cursor.fetchall()))
                    if seen not in self._looks[-1:]:
                        self._looks.append(seen)
        except Exception as error:  # noqa: BLE001 - the test's thread shows it
            self._failure = error
