"""Insight views on a long history in the stand-in: counting all rows, and typical queries."""

from contextlib import ExitStack
from datetime import date
from time import perf_counter

from pipeline.view_columns import VIEW_COLUMNS
from sandbox.account_objects import create_account_objects
from sandbox.lake import create_lake
from sandbox.services import BUCKET, s3_client, start_stand_ins
from tests.places import Place, open_connections
from tests.warehouses import Warehouse

SNAPSHOTS, PLAYLISTS, SONGS = 500, 20, 100
ALLOWED_S = "10"
FIRST, PLAYLIST = date(2025, 6, 1), "list007"
NEWEST = date.fromordinal(FIRST.toordinal() + SNAPSHOTS - 1)
CELLS = f"""CREATE TABLE cells AS
SELECT
    'list' || LPAD(MOD(SEQ4(), {PLAYLISTS})::VARCHAR, 3, '0') AS p,
    FLOOR(SEQ4() / {PLAYLISTS})::INTEGER AS k,
    DATEADD(DAY, FLOOR(SEQ4() / {PLAYLISTS})::INTEGER, '{FIRST}'::DATE)::DATE AS d
FROM TABLE(GENERATOR(ROWCOUNT => {SNAPSHOTS * PLAYLISTS}))"""
SLOTS = f"""CREATE TABLE slots AS
SELECT c.p, c.d, c.k, n.i + 1 AS position, c.k * 2 + MOD(n.i * 37, {SONGS}) AS s
FROM cells AS c CROSS JOIN (SELECT SEQ4() AS i FROM TABLE(GENERATOR(ROWCOUNT => {SONGS}))) AS n"""
"""In each playlist, two songs are replaced every day."""
ROWS = {
    "playlists": ["p, d, 'r', p, NULL, 'o', NULL, TRUE, FALSE, NULL, 's', 100, 'u', NULL, d FROM cells"],
    "playlist_songs": ["p, d, 'r', position, 'song' || s, d, 'someone' FROM slots"],
    "songs": [
        "p, d, 'r', 'song' || s, 'Song' || s, 'album' || s, 'artist' || s, 1, TRUE, 1, 1, 1, p, p FROM slots"
    ],
    "albums": [
        "p, d, 'r', 'album' || s, 'Album ' || s, 'album', d, 'day', 1, NULL, NULL, 'u', NULL FROM slots"
    ],
    "artists": ["p, d, 'r', 'artist' || s, 'Artist ' || s, 'u', NULL, NULL, NULL FROM slots"],
    "song_artists": [
        "p, d, 'r', 'song' || s, 'artist' || s, 1 FROM slots",
        f"p, d, 'r', 'song' || s, 'artist' || (k * 2 + MOD(s - k * 2 + 1, {SONGS})), 2 FROM slots",
    ],
}
COUNTED = [view for view in VIEW_COLUMNS if view != "chart_movers"]
"""All views except chart_movers, which has a row per pair of dates and is queried for one pair."""
OF_PLAYLIST = f"WHERE playlist_id = '{PLAYLIST}'"
TYPICAL = [
    f"tracklist {OF_PLAYLIST}",
    f"tracklist_history {OF_PLAYLIST} AND snapshot_date = '{NEWEST}'",
    f"playlist_changes {OF_PLAYLIST} AND snapshot_date = '{NEWEST}'",
    f"playlist_changes WHERE snapshot_date = '{NEWEST}'",
    f"song_journeys {OF_PLAYLIST} AND is_listed",
    f"number_one_runs {OF_PLAYLIST}",
    f"longest_runs {OF_PLAYLIST}",
    f"top_artists {OF_PLAYLIST} AND snapshot_date = '{NEWEST}'",
    f"chart_movers {OF_PLAYLIST} AND from_date = '{FIRST}' AND to_date = '{NEWEST}'",
    "freshness",
]


def measure() -> list[tuple[str, str, str]]:
    """Rows of the table: what, measured, allowed."""
    with ExitStack() as stack:
        addresses = start_stand_ins(stack)
        create_lake(s3_client(addresses.s3), BUCKET, addresses.snowflake)
        create_account_objects(addresses.snowflake, f"s3://{BUCKET}/")
        warehouse = Warehouse(Place.create(addresses))
        warehouse.set_up()
        _fill(warehouse.place)
        counted = {view: _seconds(warehouse.place, f"SELECT COUNT(*) FROM {view}") for view in COUNTED}
        typical = {query: _seconds(warehouse.place, f"SELECT * FROM {query}") for query in TYPICAL}
        while open_connections:
            open_connections.pop().close()
    size = f"{SNAPSHOTS} snapshots x {PLAYLISTS} playlists x {SONGS} songs: seconds for"
    return [
        (f"{size} the rows of all views (slowest: {_slowest(counted)})", _total(counted), ALLOWED_S),
        (f"{size} {len(TYPICAL)} typical queries (slowest: {_slowest(typical)})", _total(typical), ALLOWED_S),
    ]


def _fill(place: Place) -> None:
    for statement in (CELLS, SLOTS):
        place.query(statement)
    for table, selects in ROWS.items():
        for select in selects:
            place.query(f"INSERT INTO {table}_history SELECT {select}")


def _seconds(place: Place, query: str) -> float:
    start = perf_counter()
    place.query(query)
    return perf_counter() - start


def _total(seconds: dict[str, float]) -> str:
    return f"{sum(seconds.values()):.1f}"


def _slowest(seconds: dict[str, float]) -> str:
    query = max(seconds, key=lambda one: seconds[one])
    return f"{query.split()[0]} {seconds[query]:.1f}"
