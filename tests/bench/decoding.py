"""CPU time from responses to compressed tables, relative to a typed decode and to a row loop."""

import json
from collections.abc import Callable, Iterator
from datetime import date
from functools import partial
from time import process_time
from typing import Any, NamedTuple

import polars as pl

from pipeline.lake.csv_files import CsvFile
from pipeline.transform.pages import decode_typed_page
from pipeline.transform.responses import snapshot_rows
from pipeline.transform.tables import build_tables
from tests.bench.synthetic import MARKETS, responses
from tests.builders import PLAYLIST, RUN, Json, fetched

DAY = date(2026, 11, 20)
ROUNDS = 5
FEW_MARKETS = 90
"""Markets per entry for 2 KB, as in a request for one market; with all MARKETS an entry has 4 KB."""
SMALL_ROUNDS = 50


class Case(NamedTuple):
    """A playlist, and the allowed ratios of CPU time to each baseline."""

    entries: int
    markets: int
    of_typed_decode: str
    of_row_loop: str


CASES = [
    Case(10_000, FEW_MARKETS, of_typed_decode="2.5", of_row_loop="0.4"),
    Case(10_000, len(MARKETS), of_typed_decode="2.5", of_row_loop="0.25"),
    Case(100_000, FEW_MARKETS, of_typed_decode="2.5", of_row_loop="0.4"),
]
SMALL = 100
SMALL_MS = "12"


def measure() -> Iterator[tuple[str, str, str]]:
    """Rows of the table: what, measured, allowed."""
    for case in CASES:
        bodies = list(responses(case.entries, case.markets))
        ours = _fastest(partial(_tables, bodies))
        what = f"{case.entries:,} entries of {sum(map(len, bodies)) // case.entries / 1000:.0f} KB"
        typed = _fastest(partial(_typed, bodies))
        yield f"{what}: CPU time ÷ typed decode ({ours:.2f} s)", f"{ours / typed:.2f}", case.of_typed_decode
        loop = _fastest(partial(_row_loop, bodies))
        yield f"{what}: CPU time ÷ row loop", f"{ours / loop:.2f}", case.of_row_loop
    small = list(responses(SMALL, FEW_MARKETS))
    seconds = _fastest(partial(_repeated, small)) / SMALL_ROUNDS
    yield f"{SMALL} entries: CPU milliseconds", f"{seconds * 1000:.1f}", SMALL_MS


def _fastest(work: Callable[[], object]) -> float:
    """CPU seconds of the fastest round; the result is freed after the time is taken."""
    seconds = []
    for _ in range(ROUNDS):
        start = process_time()
        result = work()
        seconds.append(process_time() - start)
        del result
    return min(seconds)


def _tables(bodies: list[bytes]) -> None:
    """Our code: eight tables, validated and compressed."""
    total = json.loads(bodies[0])["items"]["total"]
    for frame in build_tables([snapshot_rows(fetched(PLAYLIST, bodies, total))], DAY, RUN).values():
        file = CsvFile()
        file.append(frame)
        file.finish()
        file.close()


def _repeated(bodies: list[bytes]) -> None:
    for _ in range(SMALL_ROUNDS):
        _tables(bodies)


def _typed(bodies: list[bytes]) -> list[Any]:
    """Baseline: only decodes the entries of every response to types."""
    return [decode_typed_page(body) for body in bodies]


def _row_loop(bodies: list[bytes]) -> None:
    """Baseline as in tutorials: one dict per row, three tables, uncompressed CSV."""
    songs: list[Json] = []
    albums: list[Json] = []
    artists: list[Json] = []
    for body in bodies:
        response = json.loads(body)
        found = response["items"]
        for entry in found if isinstance(found, list) else found["items"]:
            song = entry["item"]
            album = song["album"]
            albums.append(
                {
                    "album_id": album["id"],
                    "name": album["name"],
                    "release_date": album["release_date"],
                    "total_tracks": album["total_tracks"],
                    "url": album["external_urls"]["spotify"],
                }
            )
            artists.extend(
                {"artist_id": one["id"], "name": one["name"], "url": one["external_urls"]["spotify"]}
                for one in song["artists"]
            )
            songs.append(
                {
                    "song_id": song["id"],
                    "name": song["name"],
                    "duration_ms": song["duration_ms"],
                    "url": song["external_urls"]["spotify"],
                    "popularity": song["popularity"],
                    "added_at": entry["added_at"],
                    "album_id": album["id"],
                    "artist_id": song["artists"][0]["id"],
                }
            )
    for rows, key in ((songs, "song_id"), (albums, "album_id"), (artists, "artist_id")):
        pl.DataFrame(rows).unique(key).write_csv()
