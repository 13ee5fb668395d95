"""Builders of entries, playlists and tables with invented values, for tests."""

import json
from contextlib import closing
from copy import deepcopy
from datetime import UTC, date, datetime
from typing import Any, Literal

import polars as pl

from pipeline.lake.csv_files import CsvFile, TableFiles
from pipeline.lake.layout import LoadMode
from pipeline.lake.store import Lake
from pipeline.records import Envelope, File, Run, Snapshot
from pipeline.threads import threads
from pipeline.transform.responses import snapshot_rows
from pipeline.transform.tables import Tables, build_tables

Json = dict[str, Any]
Shape = Literal["tracks", "items", "both"]
Path = tuple[str | int, ...]

SHAPES: tuple[Shape, ...] = ("tracks", "items", "both")
WRAPPED_AS: dict[Shape, tuple[str, ...]] = {
    "tracks": ("track",),
    "items": ("item",),
    "both": ("item", "track"),
}
PLAYLIST = "aPlaylist0000000000001"
OTHER_PLAYLIST = "bPlaylist0000000000002"
RUN = "20261121T060000Z-0123abcd"
DAY = date(2026, 11, 21)
FETCHED_AT = datetime(2026, 11, 21, 6, 0, 0, tzinfo=UTC)
THE_RUN = Run(RUN, DAY, FETCHED_AT, "ingest-playlists", "1.2.3")
ADDED_AT = "2025-06-01T12:00:00Z"


def artist(id_: str, **changes: object) -> Json:
    name = f"Artist {id_}"
    return {
        "id": id_,
        "name": name,
        "external_urls": {"spotify": f"https://a/{id_}"},
        "type": "artist",
    } | changes


def album(id_: str = "album-1", artists: list[Json] | None = None, **changes: object) -> Json:
    return {
        "id": id_,
        "name": f"Album {id_}",
        "album_type": "album",
        "total_tracks": 12,
        "artists": artists if artists is not None else [artist("artist-1")],
        "release_date": "2024-02-29",
        "release_date_precision": "day",
        "external_urls": {"spotify": f"https://b/{id_}"},
        "images": [
            {"url": f"https://large/{id_}", "width": 640},
            {"url": f"https://small/{id_}", "width": 64},
        ],
        "available_markets": ["AT", "NZ"],
    } | changes


def song(
    id_: str = "song-1", artists: list[Json] | None = None, on: Json | None = None, **changes: object
) -> Json:
    return {
        "id": id_,
        "name": f"Song {id_}",
        "album": on or album(),
        "artists": artists if artists is not None else [artist("artist-1")],
        "duration_ms": 180_000,
        "explicit": False,
        "disc_number": 1,
        "track_number": 2,
        "popularity": 30,
        "external_ids": {"isrc": f"ISRC-{id_}"},
        "external_urls": {"spotify": f"https://s/{id_}"},
        "is_local": False,
        "type": "track",
        "uri": f"spotify:track:{id_}",
        "episode": False,  # Spotify's boolean keys in the song object, not the wrapper of the song
        "track": True,
    } | changes


def entry(item: Json | None, **changes: object) -> Json:
    """An entry with the song under `item`; `shaped` renames the key."""
    return {
        "added_at": ADDED_AT,
        "added_by": {"id": "user-1"},
        "is_local": False,
        "item": item,
        "primary_color": None,
    } | changes


def shaped(wrapped: Json, shape: Shape) -> Json:
    """The entry with the song under the keys of an API shape."""
    rest = {key: value for key, value in wrapped.items() if key != "item"}
    if "item" not in wrapped:
        return rest
    return rest | dict.fromkeys(WRAPPED_AS[shape], wrapped["item"])


def head(
    entries: list[Any],
    shape: Shape = "items",
    id_: str = PLAYLIST,
    total: int | None = None,
    **changes: object,
) -> Json:
    """Response of `GET /playlists/{id}` with all entries, or with the first of `total` entries."""
    paging = {"items": [shaped(one, shape) if isinstance(one, dict) else one for one in entries]}
    pages = {
        f"{key}s": paging | {"total": len(entries) if total is None else total} for key in WRAPPED_AS[shape]
    }
    return {
        "id": id_,
        "name": "A Playlist",
        "description": "",
        "owner": {"id": "owner-1", "display_name": "Owner One"},
        "snapshot_id": "AAAA/+8=",
        "public": True,
        "collaborative": False,
        "followers": {"href": None, "total": 7},
        "external_urls": {"spotify": f"https://p/{id_}"},
        "images": [{"url": "https://cover"}, {"url": "https://cover-small"}],
        **pages,
    } | changes


def page(entries: list[Json], total: int, offset: int | None = None) -> Json:
    """Response of `GET /playlists/{id}/items`; without `offset` the last page."""
    before = total - len(entries) if offset is None else offset
    return {"items": entries, "total": total, "limit": max(len(entries), 1), "offset": before}


def body(response: object) -> bytes:
    """The response encoded as ASCII JSON, in which lone surrogates are escaped."""
    return json.dumps(response).encode("ascii")


def snapshot(responses: list[Any], total: int, id_: str = PLAYLIST) -> Snapshot:
    """A snapshot with these responses, as objects or as bytes."""
    bodies = [one if isinstance(one, bytes) else body(one) for one in responses]
    return fetched(id_, bodies, total)


def fetched(
    id_: str, bodies: list[bytes], total: int, snapshot_id: str = "AAAA/+8=", at: datetime = FETCHED_AT
) -> Snapshot:
    """A snapshot with these response bodies."""
    return Snapshot(Envelope(RUN, id_, snapshot_id, at, "both", total, "1.2.3"), bodies)


def tables_of(*entries: Any, shape: Shape = "items") -> Tables:
    """The tables of one playlist with these entries."""
    kept = snapshot([head(list(entries), shape)], len(entries))
    return build_tables([snapshot_rows(kept)], DAY, RUN)


def encode_csv(*frames: pl.DataFrame) -> bytes:
    """The CSV file of a table that consists of these batches."""
    with closing(CsvFile()) as csv:
        for frame in frames:
            csv.append(frame)
        file, _ = csv.finish()
        file.seek(0)
        return file.read()


def write_files(lake: Lake, tables: Tables, day: date, run_id: str, load: LoadMode = "copy") -> list[File]:
    """Writes the tables of one date to the lake."""
    files = TableFiles(day, run_id, load)
    files.append(tables)
    with threads() as pool:
        return [upload.result() for upload in files.upload(lake, pool)]


def rows(tables: Tables, table: str, *columns: str) -> list[Any]:
    """Rows of a table: values if one column is given, tuples for several."""
    values = tables[table].select(columns).rows()
    return [row[0] for row in values] if len(columns) == 1 else values


def only(tables: Tables, table: str) -> Json:
    """The only row of a table; {} if there is no row or more than one."""
    return tables[table].row(0, named=True) if tables[table].height == 1 else {}


def replaced(json_value: Json, path: Path, value: object) -> Json:
    """A copy with the value at a path replaced."""
    copy = deepcopy(json_value)
    _parent(copy, path)[path[-1]] = value
    return copy


def without(json_value: Json, path: Path) -> Json:
    """A copy with the key at a path removed."""
    copy = deepcopy(json_value)
    del _parent(copy, path)[path[-1]]
    return copy


def _parent(json_value: Any, path: Path) -> Any:
    for step in path[:-1]:
        json_value = json_value[step]
    return json_value
