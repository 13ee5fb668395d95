"""`mine`, all playlists of the user: requests on an unchanged day, changes during a run, refusals."""

from typing import Any

import pytest
import requests

from pipeline.columns import TABLES
from pipeline.errors import Code
from sandbox.spotify.catalogue import CHARTS, EMPTIED, EMPTY, FOREIGN, MIXTAPE, MIXTAPE_LENGTH, SHARED
from sandbox.spotify.objects import ME
from tests.builders import artist, entry, head, song
from tests.flows.conftest import TODAY, Pipeline

MINE = [SHARED, *CHARTS, MIXTAPE, EMPTY, EMPTIED]
LIST = "/v1/me/playlists"
FIFTY = [f"mine{number:018d}" for number in range(50)]


def account(owner: str = ME, **snapshot_ids: str) -> dict[str, Any]:
    """Fifty playlists of two songs, by file name."""
    songs = [entry(song(f"song-{number}", artists=[artist("artist-1")])) for number in range(2)]
    return {
        one: head(
            songs, "both", one, type="playlist", owner={"id": owner}, snapshot_id=snapshot_ids.get(one, "S1")
        )
        for one in FIFTY
    }


def requested(url: str) -> list[str]:
    """Paths requested since the last call, without those for tokens."""
    seen = [one["path"] for one in requests.get(f"{url}/sandbox/requests", timeout=5).json()]
    requests.delete(f"{url}/sandbox/requests", timeout=5)
    return [path for path in seen if path != "/api/token"]


def test_an_unchanged_day_of_fifty_playlists_costs_one_request(pipeline: Pipeline) -> None:
    url = pipeline.serve(account())
    first = pipeline.ingest("mine", snapshot_date=TODAY)
    assert first.message == "50 playlists loaded"
    assert sorted(requested(url)) == sorted([LIST, *(f"/v1/playlists/{one}" for one in FIFTY)])

    again = pipeline.ingest("mine", snapshot_date=TODAY)
    assert again.message == "50 playlists unchanged"
    assert requested(url) == [LIST]
    lines = pipeline.place.receipts()[-1]["playlists"]
    assert {line["playlist_id"]: line["status"] for line in lines} == dict.fromkeys(FIFTY, "unchanged")

    pipeline.serve(account(**{FIFTY[7]: "S2"}))
    changed = pipeline.ingest("mine", snapshot_date=TODAY)
    assert changed.message == "1 playlist loaded, 49 unchanged"
    assert requested(url) == [LIST, f"/v1/playlists/{FIFTY[7]}"]

    reloaded = pipeline.ingest("mine", snapshot_date=TODAY, skip_unchanged=False)
    assert reloaded.message == "50 playlists loaded"


def test_a_restricted_app_reads_the_playlists_its_user_owns_or_edits(pipeline: Pipeline) -> None:
    url = pipeline.serve()
    requests.patch(f"{url}/sandbox/settings", json={"app_class": "restricted"}, timeout=5).raise_for_status()
    state = pipeline.ingest("mine", snapshot_date=TODAY)

    assert state.message.startswith(f"{len(MINE)} playlists loaded")
    found = pipeline.place.query("SELECT playlist_id, is_collaborative FROM playlists")
    assert set(found) == {(one, one == SHARED) for one in MINE}


def test_a_playlist_that_changes_after_it_was_listed_is_loaded_as_read(pipeline: Pipeline) -> None:
    url = pipeline.serve()
    change = {"playlist": MIXTAPE, "after": 1, "times": 1, "entries": 3}
    requests.patch(f"{url}/sandbox/settings", json={"changes": [change]}, timeout=5).raise_for_status()
    pipeline.ingest("mine", snapshot_date=TODAY)
    counted = pipeline.place.query("SELECT item_count FROM playlists WHERE playlist_id = ?", MIXTAPE)
    assert counted == [(MIXTAPE_LENGTH + 3,)]
    requested(url)

    assert pipeline.ingest("mine", snapshot_date=TODAY).message == f"{len(MINE)} playlists unchanged"
    assert requested(url) == [LIST]


@pytest.mark.faults
def test_mine_may_be_combined_with_ids_and_no_playlist_is_read_twice(pipeline: Pipeline) -> None:
    url = pipeline.serve()
    state = pipeline.ingest(EMPTY, "mine", FOREIGN, CHARTS[0], snapshot_date=TODAY)

    assert state.message.startswith(f"{len(MINE) + 1} playlists loaded")
    heads = [path for path in requested(url) if path.startswith("/v1/playlists/") and path.count("/") == 3]
    assert sorted({*heads}) == sorted(f"/v1/playlists/{one}" for one in [*MINE, FOREIGN])


def test_without_a_refresh_token_nothing_is_requested(pipeline: Pipeline) -> None:
    url = pipeline.serve()
    state = pipeline.with_blocks(SPOTIFY_REFRESH_TOKEN="").ingest(EMPTY, "mine", snapshot_date=TODAY)

    assert state.is_failed()
    assert "python -m blocks authorize" in state.message
    assert state.message.endswith(f"[{Code.SPOTIFY_NO_USER}]")
    assert requests.get(f"{url}/sandbox/requests", timeout=5).json() == []
    assert pipeline.place.keys() == []


def test_a_user_without_playlists_fails_the_run(pipeline: Pipeline) -> None:
    pipeline.serve(account(owner="somebody-else"))
    state = pipeline.ingest("mine", snapshot_date=TODAY)

    assert state.is_failed()
    assert state.message.startswith(f"1 playlist failed. mine: user {ME} owns no playlist")
    assert f"[{Code.PLAYLISTS_EMPTY}]" in state.message
    assert pipeline.place.keys("raw/") == pipeline.place.keys("tables/") == []


def test_a_failed_listing_deletes_nothing_and_the_other_playlists_are_loaded(pipeline: Pipeline) -> None:
    url = pipeline.serve()
    pipeline.ingest(FOREIGN, snapshot_date=TODAY)
    before = pipeline.place.contents(TABLES)
    fault = {"path": LIST, "status": 403, "times": 2}
    requests.put(f"{url}/sandbox/faults", json=[fault], timeout=5).raise_for_status()

    refused = pipeline.ingest("mine", CHARTS[0], snapshot_date=TODAY, **pipeline.confirmed)
    assert f"[{Code.FULL_REFRESH_REFUSED}]" in refused.message
    assert pipeline.place.contents(TABLES) == before
    state = pipeline.ingest("mine", CHARTS[0], snapshot_date=TODAY)
    assert state.message.startswith("1 playlist loaded, 1 failed. mine: ")
    assert f"[{Code.SPOTIFY_SCOPE}]" in state.message


def test_a_backfill_refuses_mine(pipeline: Pipeline) -> None:
    state = pipeline.backfill(EMPTY, "mine")
    assert state.is_failed()
    assert "Leave playlists empty for all kept playlists, or list ids" in state.message
    assert state.message.endswith(f"[{Code.PLAYLIST_INVALID}]")
