"""Recorded responses of the real Web API, served by the stand-in and ingested."""

import json
from pathlib import Path
from shutil import copy
from typing import Any

from pipeline.columns import TABLES
from sandbox.spotify.recordings import Recordings
from tests.flows.conftest import TODAY, Pipeline


def load(path: Path) -> Any:
    response = json.loads(path.read_text(encoding="utf-8"))
    return response[0] if isinstance(response, list) else response


def test_top_50_global_has_the_recorded_ids_and_names(
    pipeline: Pipeline, recordings: Path, tmp_path: Path
) -> None:
    copy(recordings / "danielmschaves_top50_global_a.json", tmp_path)
    pipeline.serve(tmp_path)
    response = load(recordings / "danielmschaves_top50_global_a.json")
    state = pipeline.ingest(f"https://open.spotify.com/playlist/{response['id']}?si=x", snapshot_date=TODAY)

    assert state.is_completed(), state.message
    place = pipeline.place
    tracks = [entry["track"] for entry in response["tracks"]["items"]]
    assert place.query("SELECT position, song_id FROM playlist_songs ORDER BY position") == [
        (number, track["id"]) for number, track in enumerate(tracks, start=1)
    ]
    assert dict(place.query("SELECT song_id, name FROM songs")) == {t["id"]: t["name"] for t in tracks}
    assert place.count("songs") == 50
    assert place.count("song_artists") > place.count("songs")
    assert sorted(place.query("SELECT song_id, artist_id, artist_position FROM song_artists")) == sorted(
        (track["id"], artist["id"], number)
        for track in tracks
        for number, artist in enumerate(track["artists"], start=1)
    )
    artists = [a for track in tracks for a in (*track["artists"], *track["album"]["artists"])]
    assert dict(place.query("SELECT artist_id, name FROM artists")) == {a["id"]: a["name"] for a in artists}
    albums = [track["album"] for track in tracks]
    assert dict(place.query("SELECT album_id, name FROM albums")) == {a["id"]: a["name"] for a in albums}
    assert place.query("SELECT DISTINCT added_by FROM playlist_songs") == [(None,)]


def test_every_recorded_entry_is_accounted_for(pipeline: Pipeline, recordings: Path) -> None:
    pipeline.serve(recordings)
    listing = Recordings.read(recordings).listing()
    state = pipeline.ingest(*listing, snapshot_date=TODAY)

    assert state.is_completed(), state.message
    (receipt,) = pipeline.place.receipts()
    assert {line["playlist_id"] for line in receipt["playlists"]} == set(listing)
    for line in receipt["playlists"]:
        entries = _entries(load(recordings / listing[line["playlist_id"]]))
        assert line["read"] == line["total"] == len(entries), listing[line["playlist_id"]]
    rejected = {listing[line["playlist_id"]]: line["rejected"] for line in receipt["playlists"]}
    assert rejected["joostlek_playlist_2.json"] == {"local_file": 1}
    assert rejected["joostlek_playlist_3.json"] == {"episode": 1}
    assert rejected["zmb3_playlist_items_episodes.json"] == {"episode": 4}
    assert rejected["joostlek_new_playlist.json"] == {}
    assert sum(receipt["rows_by_table"].values()) == sum(
        pipeline.place.count(f"{table}_history") for table in TABLES
    )


def _entries(response: dict[str, Any]) -> list[Any]:
    found = response.get("items") or response.get("tracks") or []
    return list(found["items"] if isinstance(found, dict) else found)
