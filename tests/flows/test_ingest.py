"""Ingest from end to end: Spotify → lake → warehouse → receipt."""

import base64
import gzip
import json
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple

import pytest
import requests

from pipeline.columns import TABLES
from pipeline.errors import Code
from pipeline.lake.layout import LoadMode
from sandbox.spotify.catalogue import CHARTS, EMPTIED, EMPTY, FOREIGN, MIXTAPE, MIXTAPE_LENGTH, playlist
from sandbox.spotify.shapes import response_bodies
from tests.flows.conftest import TODAY, Pipeline
from tests.places import Place
from tests.pools import Pool

CHART, OTHER_CHART = CHARTS
UNKNOWN = "0000000000000000000000"


def test_a_first_run_sets_up_the_warehouse_and_loads_the_playlist(new_pipeline: Pipeline) -> None:
    state = new_pipeline.ingest(CHART, snapshot_date=TODAY)

    assert state.is_completed(), state.message
    place = new_pipeline.place
    assert place.query("SELECT position FROM playlist_songs ORDER BY position") == [
        (n,) for n in range(1, 51)
    ]
    assert place.count("songs") == 50
    assert place.count("song_artists") > 50
    assert place.query("SELECT DISTINCT snapshot_date, playlist_id FROM songs") == [(TODAY, CHART)]


class Published(NamedTuple):
    """The place that one run has published to, and when the run began and ended (UTC)."""

    place: Place
    began: datetime
    ended: datetime


@pytest.fixture(scope="module")
def published(pipelines: dict[LoadMode, Pool[Pipeline]]) -> Iterator[Published]:
    """One run that several tests read."""
    with pipelines["copy"].acquire() as pipeline:
        pipeline.serve()
        began = datetime.now(UTC)
        state = pipeline.ingest(CHART, OTHER_CHART, MIXTAPE, EMPTY, snapshot_date=TODAY)
        assert state.is_completed(), state.message
        yield Published(pipeline.place, began, datetime.now(UTC))


def test_responses_are_kept_unchanged(published: Published) -> None:
    (key,) = published.place.keys(f"raw/playlist_id={MIXTAPE}/")
    run_id = r"\d{8}T\d{6}Z-[0-9a-f]{8}"
    assert re.fullmatch(rf"raw/playlist_id={MIXTAPE}/snapshot_date={TODAY}/{run_id}\.json\.gz", key)
    first, *bodies = gzip.decompress(published.place.read(key)).splitlines()
    envelope = json.loads(first)
    assert envelope["playlist_id"] == MIXTAPE
    assert envelope["total"] == MIXTAPE_LENGTH
    moved = published.began.date() - TODAY  # the shift of the run's clock
    assert published.began <= datetime.fromisoformat(envelope["fetched_at"]) + moved <= published.ended
    shown = playlist(MIXTAPE, TODAY)
    assert shown is not None
    assert [len(_entries(body)) for body in bodies] == [100, 50, 50, 50, 50, 20]
    sent = [entry for body in response_bodies(shown, "both") for entry in _entries(body)]
    assert [entry for body in bodies for entry in _entries(body)] == sent


def _entries(body: bytes) -> list[Any]:
    response = json.loads(body)
    found = response["items"]
    return list(found["items"] if isinstance(found, dict) else found)


def test_the_receipt_accounts_for_every_entry_and_file(published: Published) -> None:
    (receipt,) = published.place.receipts()
    assert receipt["status"] == "completed"
    assert {line["playlist_id"] for line in receipt["playlists"]} == {CHART, OTHER_CHART, MIXTAPE, EMPTY}
    for line in receipt["playlists"]:
        rows = line["rows_by_table"]
        assert line["total"] == line["read"] == rows["playlist_songs"] + rows["rejects"]
        assert sum(line["rejected"].values()) == rows["rejects"]
        assert line["rows_loaded"] == sum(rows.values())
    for table in TABLES:
        assert receipt["rows_by_table"][table] == published.place.count(f"{table}_history")
    for file in receipt["files"]:
        head = published.place.head(file["key"])
        checksum = base64.b64decode(head["ChecksumSHA256"]).hex()
        assert (head["ContentLength"], checksum) == (file["bytes"], file["sha256"])
    assert sorted(file["key"] for file in receipt["files"]) == published.place.keys("tables/")
    assert {"keep_snapshots", "write_tables", "truncate_and_load"} <= set(receipt["seconds"])
    assert 0 < len(receipt["statements"]) <= 24
    assert receipt["statements"][-1] == "COMMIT"


def test_every_entry_becomes_a_row_or_a_reject(published: Published) -> None:
    place = published.place
    rejects = place.query("SELECT reason FROM rejects WHERE playlist_id = ?", MIXTAPE)
    reasons = {reason for (reason,) in rejects}
    assert reasons == {"null_item", "no_item", "tombstone", "local_file", "episode", "lone_surrogate"}
    positions = place.query(
        "SELECT position FROM playlist_songs WHERE playlist_id = ?"
        " UNION ALL SELECT position FROM rejects WHERE playlist_id = ?",
        MIXTAPE,
        MIXTAPE,
    )
    assert sorted(positions) == [(number,) for number in range(1, MIXTAPE_LENGTH + 1)]


ORPHANS = {
    "songs without album": "SELECT song_id FROM songs WHERE album_id NOT IN (SELECT album_id FROM albums)",
    "songs without artist": (
        "SELECT song_id FROM songs WHERE artist_id NOT IN (SELECT artist_id FROM artists)"
    ),
    "entries without song": (
        "SELECT song_id FROM playlist_songs WHERE song_id NOT IN (SELECT song_id FROM songs)"
    ),
    "credits without artist": (
        "SELECT artist_id FROM song_artists WHERE artist_id NOT IN (SELECT artist_id FROM artists)"
    ),
    "album credits without artist": (
        "SELECT artist_id FROM album_artists WHERE artist_id NOT IN (SELECT artist_id FROM artists)"
    ),
    "album credits without album": (
        "SELECT album_id FROM album_artists WHERE album_id NOT IN (SELECT album_id FROM albums)"
    ),
}


def test_every_id_has_its_row_and_keys_are_unique(published: Published) -> None:
    orphans = {name: len(published.place.query(sql)) for name, sql in ORPHANS.items()}
    assert orphans == dict.fromkeys(ORPHANS, 0)
    keys = {"songs": "song_id", "albums": "album_id", "artists": "artist_id"}
    keys |= {"song_artists": "song_id, artist_id", "album_artists": "album_id, artist_id"}
    for view, key in keys.items():
        duplicates = published.place.query(f"SELECT {key} FROM {view} GROUP BY {key} HAVING COUNT(*) > 1")
        assert (view, duplicates) == (view, [])


def test_running_again_leaves_the_same_tables(pipeline: Pipeline) -> None:
    pipeline.ingest(CHART, MIXTAPE, snapshot_date=TODAY)
    first = pipeline.place.contents(TABLES)
    state = pipeline.ingest(CHART, MIXTAPE, snapshot_date=TODAY, skip_unchanged=False)

    assert state.is_completed()
    assert pipeline.place.contents(TABLES) == first
    one, two = pipeline.place.receipts()
    assert (one["partitions_replaced"], two["partitions_replaced"]) == (0, 2)
    assert pipeline.place.query("SELECT DISTINCT run_id FROM songs") == [(two["run_id"],)]


def test_an_unchanged_playlist_costs_one_request(pipeline: Pipeline) -> None:
    url = pipeline.serve()
    pipeline.ingest(MIXTAPE, snapshot_date=TODAY)
    requests.delete(f"{url}/sandbox/requests", timeout=5)
    state = pipeline.ingest(MIXTAPE, snapshot_date=TODAY)

    requested = [one["path"] for one in requests.get(f"{url}/sandbox/requests", timeout=5).json()]
    assert [path for path in requested if path != "/api/token"] == [f"/v1/playlists/{MIXTAPE}"]
    assert state.message == "1 playlist unchanged"
    assert len(pipeline.place.keys("raw/")) == 1


def test_a_playlist_without_a_receipt_is_loaded_again(pipeline: Pipeline) -> None:
    pipeline.ingest(EMPTY, snapshot_date=TODAY)
    (receipt,) = pipeline.place.keys("runs/")
    pipeline.place.delete(receipt)

    assert pipeline.ingest(EMPTY, snapshot_date=TODAY).message == "1 playlist loaded"


def test_an_unchanged_playlist_is_loaded_for_each_date(pipeline: Pipeline) -> None:
    pipeline.ingest(EMPTY, snapshot_date=date(2026, 11, 19))

    assert pipeline.ingest(EMPTY, snapshot_date=TODAY).message == "1 playlist loaded"
    assert pipeline.place.count("playlists_history") == 2
    assert pipeline.place.query("SELECT snapshot_date FROM playlists") == [(TODAY,)]


def test_an_empty_playlist_has_a_row_and_no_songs(pipeline: Pipeline) -> None:
    state = pipeline.ingest(EMPTY, snapshot_date=TODAY)

    assert state.is_completed()
    assert pipeline.place.query("SELECT item_count FROM playlists") == [(0,)]
    assert pipeline.place.count("playlist_songs") == 0
    assert [key.split("/")[1] for key in pipeline.place.keys("tables/")] == ["playlists"]


def test_views_show_an_emptied_playlist_as_empty(pipeline: Pipeline) -> None:
    full, emptied = sorted((date(2026, 11, 19), date(2026, 11, 20)), key=lambda day: -(day.toordinal() % 2))
    pipeline.serve(today=full)
    pipeline.ingest(EMPTIED, snapshot_date=date(2026, 11, 18))
    assert pipeline.place.count("playlist_songs") > 0
    pipeline.serve(today=emptied)
    pipeline.ingest(EMPTIED, snapshot_date=TODAY)

    assert pipeline.place.count("playlist_songs") == 0
    assert pipeline.place.count("songs") == 0
    assert pipeline.place.count("playlist_songs_history") > 0


def test_reloading_an_emptied_playlist_deletes_the_songs_of_that_date(pipeline: Pipeline) -> None:
    full, emptied = sorted((date(2026, 11, 19), date(2026, 11, 20)), key=lambda day: -(day.toordinal() % 2))
    pipeline.serve(today=full)
    pipeline.ingest(EMPTIED, snapshot_date=TODAY)
    pipeline.serve(today=emptied)
    pipeline.ingest(EMPTIED, snapshot_date=TODAY)

    assert pipeline.place.count("playlists_history") == 1
    assert pipeline.place.count("songs_history") == 0


def test_a_missing_playlist_fails_alone(pipeline: Pipeline) -> None:
    state = pipeline.ingest(UNKNOWN, CHART, snapshot_date=TODAY)

    assert state.is_failed()
    assert "1 playlist loaded, 1 failed" in state.message
    assert UNKNOWN in state.message
    assert "deleted, private or a wrong id" in state.message
    assert pipeline.place.count("songs") == 50
    assert pipeline.place.receipts()[0]["status"] == "failed"


def test_the_snapshot_is_kept_when_the_warehouse_fails(pipeline: Pipeline) -> None:
    without_database = pipeline.with_blocks(SNOWFLAKE_DATABASE="NOWHERE")
    assert without_database.ingest(CHART, snapshot_date=TODAY).is_failed()
    assert len(pipeline.place.keys("raw/")) == 1

    assert pipeline.backfill().message == "1 playlist loaded"
    assert pipeline.place.count("songs") == 50


def test_a_playlist_with_unreadable_songs_is_kept_and_fails(pipeline: Pipeline) -> None:
    shown = json.loads(response_bodies(dict(playlist(CHART, TODAY) or {}), "items")[0])
    for one in shown["items"]["items"]:
        one["item"]["id"] = 7
    pipeline.serve({"chart": shown})
    state = pipeline.ingest(CHART, snapshot_date=TODAY)

    assert state.is_failed()
    assert "`$.id`" in state.message
    assert len(pipeline.place.keys("raw/")) == 1
    assert pipeline.place.receipts()[0]["playlists"][0]["status"] == "failed"


def test_refresh_full_deletes_every_other_partition(pipeline: Pipeline) -> None:
    pipeline.ingest(CHART, OTHER_CHART, snapshot_date=date(2026, 11, 18))
    pipeline.ingest(CHART, OTHER_CHART, snapshot_date=date(2026, 11, 19))
    state = pipeline.ingest(CHART, snapshot_date=TODAY, **pipeline.confirmed)

    assert state.is_completed()
    for table in TABLES:
        found = pipeline.place.query(f"SELECT DISTINCT playlist_id, snapshot_date FROM {table}_history")
        assert found in ([(CHART, TODAY)], []), table
    receipt = pipeline.place.receipts()[-1]
    assert (receipt["partitions_deleted"], receipt["partitions_replaced"]) == (4, 0)
    assert receipt["message"] == state.message == "1 playlist loaded. Partitions: 4 deleted, 0 replaced"


@pytest.mark.parametrize("confirmation", [None, "SPOTIFY.PLAYLISTS", "lower case"])
def test_refresh_full_requires_database_and_schema_as_confirmation(
    pipeline: Pipeline, confirmation: str | None
) -> None:
    url = pipeline.serve()
    name = pipeline.confirmed["confirm_delete"]
    given = name.lower() if confirmation == "lower case" else confirmation
    state = pipeline.ingest(CHART, refresh="full", confirm_delete=given)

    assert state.is_failed()
    assert state.message.endswith(f"[{Code.FULL_REFRESH_UNCONFIRMED}]")
    assert f"deletes from {name} every row of other playlists and of other dates" in state.message
    assert f"set confirm_delete to {name};" in state.message
    assert pipeline.place.keys() == []
    assert requests.get(f"{url}/sandbox/requests", timeout=5).json() == []


@pytest.mark.parametrize("days", [-2, 1], ids=["two days ago", "tomorrow"])
def test_a_date_that_spotify_cannot_show_is_refused_before_any_request(pipeline: Pipeline, days: int) -> None:
    url = pipeline.serve()
    state = pipeline.ingest(CHART, on=TODAY, snapshot_date=TODAY + timedelta(days=days))

    assert state.is_failed()
    assert state.message.endswith(f"[{Code.SNAPSHOT_DATE_REFUSED}]")
    assert "run backfill-playlists" in state.message
    assert pipeline.place.keys() == []
    assert requests.get(f"{url}/sandbox/requests", timeout=5).json() == []


def test_a_snapshot_fetched_on_its_date_replaces_one_fetched_the_day_after(pipeline: Pipeline) -> None:
    """`skip_unchanged` does not skip it, although both have the same snapshot id."""
    pipeline.serve()
    assert pipeline.ingest(EMPTY, on=TODAY + timedelta(days=1), snapshot_date=TODAY).is_completed()
    late = pipeline.ingest(EMPTY, on=TODAY + timedelta(days=1), snapshot_date=TODAY)
    assert late.message == "1 playlist unchanged"

    assert pipeline.ingest(EMPTY, snapshot_date=TODAY).message == "1 playlist loaded"
    fetched = "SELECT fetched_at::DATE FROM playlists_history"
    assert pipeline.place.query(fetched) == [(TODAY,)]
    again = pipeline.ingest(EMPTY, on=TODAY + timedelta(days=1), snapshot_date=TODAY, skip_unchanged=False)
    assert again.message == "1 playlist superseded"
    assert pipeline.place.query(fetched) == [(TODAY,)]


@pytest.mark.parametrize("playlists", [(EMPTY,), (CHART, UNKNOWN)], ids=["empty", "one failed"])
def test_refresh_full_refuses_empty_or_incomplete_data(
    pipeline: Pipeline, playlists: tuple[str, ...]
) -> None:
    pipeline.ingest(OTHER_CHART, FOREIGN, snapshot_date=TODAY)
    before = pipeline.place.contents(TABLES)
    state = pipeline.ingest(*playlists, snapshot_date=TODAY, **pipeline.confirmed)

    assert state.is_failed()
    assert "Nothing was loaded" in state.message
    assert pipeline.place.contents(TABLES) == before
