"""Playlist histories for tests: the entries of each snapshot, loaded with the functions of the pipeline."""

import gzip
import json
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from itertools import groupby
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

from pipeline.lake.csv_files import TableFiles
from pipeline.records import Snapshot
from pipeline.threads import threads
from pipeline.transform.responses import snapshot_rows
from pipeline.transform.tables import build_tables
from pipeline.warehouse.copy_files import copy_files
from tests.builders import FETCHED_AT, album, artist, body, entry, fetched, head, song
from tests.warehouses import DAY, Warehouse


class Listed(NamedTuple):
    """An entry: a song at a position; artists and album as (id, name)."""

    position: int
    song_id: str
    song_name: str
    artists: tuple[tuple[str, str | None], ...]
    album: tuple[str, str | None]
    added_at: datetime | None = None
    added_by: str | None = None


class Listing(NamedTuple):
    """One snapshot: the playlist's name and its entries in order; a missing position is a reject."""

    name: str
    entries: tuple[Listed, ...]
    fetched_at: datetime = FETCHED_AT


History = dict[tuple[str, date], Listing]
"""Listings by playlist and date, in order of date within a playlist."""


def load(warehouse: Warehouse, history: History) -> None:
    """Loads a history as a run does: decode, build tables, COPY; one file per table."""
    run_id = warehouse.new_run_id()
    files = TableFiles(DAY, run_id, "copy")
    for (playlist_id, day), listing in history.items():
        files.append(build_tables([snapshot_rows(_snapshot(playlist_id, listing))], day, run_id))
    with threads() as pool:
        written = [upload.result() for upload in files.upload(warehouse.lake, pool)]
    with warehouse.session(run_id) as session:
        copy_files(session, written)


def _snapshot(playlist_id: str, listing: Listing) -> Snapshot:
    by_position = {one.position: _entry(one) for one in listing.entries}
    entries = [by_position.get(position) for position in range(1, max(by_position, default=0) + 1)]
    response = body(head(entries, id_=playlist_id, name=listing.name))
    return fetched(playlist_id, [response], len(entries), at=listing.fetched_at)


def _entry(one: Listed) -> Any:
    artists = [artist(id_, name=name) for id_, name in one.artists]
    on = album(one.album[0], artists, name=one.album[1])
    added_at = one.added_at and one.added_at.strftime("%Y-%m-%dT%H:%M:%SZ")
    added_by = one.added_by and {"id": one.added_by}
    item = song(one.song_id, artists, on, name=one.song_name)
    return entry(item, added_at=added_at, added_by=added_by)


def recorded_charts(path: Path) -> History:
    """Recorded chart positions by day; the last capture, if a day has several."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    rows.sort(key=lambda row: (row["playlist_id"], row["captured_at"], row["rank"]))
    history: History = {}
    for (playlist_id, at), ranked in groupby(rows, lambda row: (row["playlist_id"], row["captured_at"])):
        history[playlist_id, date.fromisoformat(at[:10])] = Listing("Chart", tuple(map(_ranked, ranked)))
    return history


def _ranked(row: dict[str, Any]) -> Listed:
    artists = tuple((one["id"], one["name"]) for one in row["artists"])
    return Listed(
        row["rank"],
        row["track"]["id"],
        row["track"]["name"],
        artists,
        (row["album"]["id"], row["album"]["name"]),
    )


def random_history(playlists: int, days: int, seed: int) -> History:
    """Small playlists with what charts lack: missing days and names, empty lists, duplicates, rejects."""
    random = Random(seed)  # noqa: S311 - seeded: the same lists in every run
    return {
        (f"playlist-{number:02}", DAY - timedelta(days=age)): Listing(
            f"Name {random.randint(1, 2)}", tuple(_random_entries(random))
        )
        for number in range(playlists)
        for age in sorted(random.sample(range(days + 3), days), reverse=True)
    }


def _random_entries(random: Random) -> Iterator[Listed]:
    names = {f"artist-{number}": random.choice(["One", "Two", None]) for number in range(3)}
    titles = {f"song-{number}": random.choice(["Dawn", "Dusk"]) for number in range(5)}
    credits_of = {song_id: tuple(random.sample(sorted(names), random.randint(1, 3))) for song_id in titles}
    for position in range(1, random.randint(0, 6) + 1):
        if random.random() < 0.9:
            song_id = random.choice(sorted(titles))
            artists = tuple((id_, names[id_]) for id_ in credits_of[song_id])
            added_at = random.choice([None, datetime(2026, 1, random.randint(1, 28))])  # noqa: DTZ001 - as TIMESTAMP_NTZ
            yield Listed(
                position,
                song_id,
                titles[song_id],
                artists,
                ("album", None),
                added_at,
                random.choice([None, "ann"]),
            )
