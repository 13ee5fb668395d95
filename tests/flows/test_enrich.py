"""Enrichment: details of artists and albums are kept first and requested once; unknown values are null."""

import gzip
import json
from typing import Any

import pytest
import requests

from pipeline.columns import TABLES
from sandbox.spotify.catalogue import CHARTS, MIXTAPE
from tests.flows.conftest import TODAY, Pipeline

CHART = CHARTS[0]
QUOTA = json.dumps({"error": {"status": 429, "message": "quota", "reason": "QUOTA_EXCEEDED"}})


def requested(url: str) -> list[str]:
    """Paths of the requests for artists and albums so far, without `/v1/`."""
    seen = requests.get(f"{url}/sandbox/requests", timeout=10).json()
    return [one["path"].removeprefix("/v1/") for one in seen if one["path"].startswith(("/v1/ar", "/v1/al"))]


def unknown(pipeline: Pipeline) -> tuple[int, int]:
    """Numbers of artists without genres and of albums without UPC."""
    (artists,) = pipeline.place.query("SELECT COUNT(*) FROM artists WHERE genres IS NULL")
    (albums,) = pipeline.place.query("SELECT COUNT(*) FROM albums WHERE upc IS NULL")
    return int(artists[0]), int(albums[0])


def details(pipeline: Pipeline) -> dict[str, dict[str, Any]]:
    """The details in the last receipt, by kind: artists, albums."""
    return {line["kind"]: line for line in pipeline.place.receipts()[-1]["details"]}


def test_enrichment_is_off_by_default(pipeline: Pipeline) -> None:
    url = pipeline.serve()
    assert pipeline.ingest(CHART, snapshot_date=TODAY).is_completed()
    assert requested(url) == []
    assert pipeline.place.keys("details/") == []
    assert unknown(pipeline) == (pipeline.place.count("artists"), pipeline.place.count("albums"))


def test_details_fill_the_columns_and_are_kept_unchanged(pipeline: Pipeline) -> None:
    url = pipeline.serve()
    state = pipeline.ingest(CHART, MIXTAPE, snapshot_date=TODAY, enrich=True)

    assert state.message.startswith("2 playlists loaded. Warnings: ")
    assert unknown(pipeline) == (0, 0)
    artists, albums = (pipeline.place.count(table) for table in ("artists", "albums"))
    assert requested(url).count("artists") == -(-artists // 50)
    assert requested(url).count("albums") == -(-albums // 20)
    assert len(pipeline.place.keys("details/")) == 2
    fetched = {
        one["id"]: one for key in pipeline.place.keys("details/kind=artists/") for one in kept(pipeline, key)
    }
    rows = pipeline.place.query("SELECT artist_id, genres, popularity, follower_count FROM artists")
    assert len(rows) == artists == len(fetched)
    assert {row[0]: (json.loads(row[1]), *row[2:]) for row in rows} == {
        id_: (one["genres"], one["popularity"], one["followers"]["total"]) for id_, one in fetched.items()
    }


def kept(pipeline: Pipeline, key: str) -> list[Any]:
    """The artists in a file of kept details."""
    _, *bodies = gzip.decompress(pipeline.place.read(key)).splitlines()
    return [one for body in bodies for one in json.loads(body)["artists"]]


def test_kept_details_are_used_by_later_runs_and_backfills(pipeline: Pipeline) -> None:
    url = pipeline.serve()
    pipeline.ingest(CHART, snapshot_date=TODAY, enrich=True)
    first = requested(url)
    before = pipeline.place.contents(TABLES)
    state = pipeline.ingest(CHART, snapshot_date=TODAY, enrich=True, skip_unchanged=False)

    assert state.is_completed()
    assert first
    assert requested(url) == first
    assert details(pipeline)["artists"]["cached"] == details(pipeline)["artists"]["wanted"] > 0
    assert pipeline.place.contents(TABLES) == before

    state = pipeline.backfill(start_date=TODAY, end_date=TODAY)

    assert state.is_completed(), state.message
    assert unknown(pipeline) == (0, 0)
    assert pipeline.place.contents(TABLES) == before


@pytest.mark.faults
def test_a_restricted_app_requests_details_one_by_one(pipeline: Pipeline) -> None:
    url = pipeline.serve()
    requests.patch(f"{url}/sandbox/settings", json={"app_class": "restricted"}, timeout=10)
    state = pipeline.ingest(CHART, snapshot_date=TODAY, enrich=True)

    assert state.is_completed(), state.message
    assert unknown(pipeline) == (0, 0)
    assert pipeline.place.query("SELECT COUNT(label), COUNT(upc) > 0 FROM albums") == [(0, True)]
    singles = [path for path in requested(url) if "/" in path]
    assert (
        len(singles) == len(set(singles)) == pipeline.place.count("artists") + pipeline.place.count("albums")
    )


def test_a_used_up_quota_leaves_details_out_and_the_run_completes(pipeline: Pipeline) -> None:
    url = pipeline.serve()
    fault = {"path": "/v1/artists", "status": 429, "body": QUOTA, "times": 9}
    requests.put(f"{url}/sandbox/faults", json=[fault], timeout=10).raise_for_status()
    state = pipeline.ingest(CHART, snapshot_date=TODAY, enrich=True)

    artists = pipeline.place.count("artists")
    assert state.is_completed()
    warning = (
        f"Without details: {artists} artists ({artists} left out: Spotify's quota for this app is used up"
    )
    assert warning in state.message
    assert unknown(pipeline) == (artists, pipeline.place.count("albums"))
    assert requests.get(f"{url}/sandbox/faults", timeout=10).json()[0]["fired"] >= 1
    assert not [path for path in requested(url) if path.startswith("albums")]
    assert details(pipeline)["artists"] == {
        "kind": "artists",
        "wanted": artists,
        "cached": 0,
        "fetched": 0,
        "unknown": 0,
        "unreadable": 0,
        "left_out": artists,
        "reason": f"{artists} left out: Spotify's quota for this app is used up: run again tomorrow"
        " [SPOTIFY_QUOTA]",
        "nulled": {},
    }


def test_unreadable_details_are_reported_and_requested_again(pipeline: Pipeline) -> None:
    url = pipeline.serve()
    fault = {"path": "/v1/artists", "status": 200, "body": '{"artists": []}', "times": 9}
    requests.put(f"{url}/sandbox/faults", json=[fault], timeout=10).raise_for_status()
    state = pipeline.ingest(CHART, snapshot_date=TODAY, enrich=True)

    artists = pipeline.place.count("artists")
    reason = f"{artists} with an unreadable response [SPOTIFY_UNREADABLE]"
    assert f"Without details: {artists} artists ({reason})" in state.message
    assert unknown(pipeline) == (artists, 0)
    assert details(pipeline)["artists"]["unreadable"] == artists
    requests.put(f"{url}/sandbox/faults", json=[], timeout=10).raise_for_status()
    pipeline.ingest(CHART, snapshot_date=TODAY, enrich=True, skip_unchanged=False)
    assert unknown(pipeline) == (0, 0)
    assert details(pipeline)["artists"]["fetched"] == artists


@pytest.mark.faults
def test_details_unknown_to_spotify_are_not_requested_again(pipeline: Pipeline) -> None:
    url = pipeline.serve()
    requests.patch(f"{url}/sandbox/settings", json={"app_class": "restricted"}, timeout=10)
    (missing,), *_ = pipeline_artists(pipeline)
    fault = {"path": f"/v1/artists/{missing}", "status": 404}
    requests.put(f"{url}/sandbox/faults", json=[fault], timeout=10).raise_for_status()
    for _ in range(2):
        state = pipeline.ingest(CHART, snapshot_date=TODAY, enrich=True, skip_unchanged=False)
        assert state.message.endswith("Without details: 1 artists (1 unknown to Spotify)")
        assert details(pipeline)["artists"]["unknown"] == 1
    assert requested(url).count(f"artists/{missing}") == 1


def pipeline_artists(pipeline: Pipeline) -> list[tuple[str]]:
    """Artists of the chart, after a run without enrichment."""
    pipeline.ingest(CHART, snapshot_date=TODAY)
    return pipeline.place.query("SELECT artist_id FROM artists ORDER BY artist_id")
