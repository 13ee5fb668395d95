"""Each class of Spotify app through the flow: what it may read lands, and for the rest the run says why."""

from typing import Literal, NamedTuple

import pytest
import requests

from sandbox.spotify.catalogue import FOREIGN, MIXTAPE, SPOTIFY_OWNED
from sandbox.spotify.settings import AppClass
from tests.flows.conftest import TODAY, Pipeline
from tests.tiers import enumerated

NOT_YOURS = f"playlist {FOREIGN}: Spotify returns the playlist's name but not its entries to this app"
CLOSED = f"playlist {SPOTIFY_OWNED}: Spotify's own playlists are closed to this class of app"


class Case(NamedTuple):
    """An app and its token; what lands, and why the rest does not."""

    app_class: AppClass
    token: Literal["user", "app"]
    lands: set[str]
    reasons: list[str]
    knows_popularity: bool = True


_CASES = [
    Case("restricted", "user", {MIXTAPE}, [NOT_YOURS, CLOSED], knows_popularity=False),
    Case("extended_old", "user", {MIXTAPE, FOREIGN, SPOTIFY_OWNED}, []),
    Case("development", "app", {MIXTAPE, FOREIGN}, [CLOSED]),
    Case("development", "user", {MIXTAPE, FOREIGN}, [CLOSED]),
    Case("extended_new", "app", {MIXTAPE, FOREIGN}, [CLOSED]),
    Case("extended_old", "app", {MIXTAPE, FOREIGN, SPOTIFY_OWNED}, []),
]
ALWAYS = ["restricted-user", "development-app"]
CASES = {f"{case.app_class}-{case.token}": case for case in _CASES}


@pytest.mark.parametrize("name", enumerated(CASES, ALWAYS))
def test_what_an_app_may_read_lands(pipeline: Pipeline, name: str) -> None:
    case = CASES[name]
    app = show(pipeline, case.app_class, user=case.token == "user")
    state = app.ingest(MIXTAPE, FOREIGN, SPOTIFY_OWNED, snapshot_date=TODAY)

    assert state.is_completed() == (not case.reasons)
    for reason in case.reasons:
        assert reason in state.message
    place = pipeline.place
    assert {one for (one,) in place.query("SELECT playlist_id FROM playlists")} == case.lands
    assert place.count("playlist_songs") > 300
    (known,) = place.query("SELECT COUNT(popularity) > 0 FROM songs")
    assert known == (case.knows_popularity,)


def test_a_restricted_app_without_a_user_is_told_what_it_lacks(pipeline: Pipeline) -> None:
    state = show(pipeline, "restricted", user=False).ingest(MIXTAPE, snapshot_date=TODAY)

    assert state.is_failed()
    assert "the SpotifyCredentials block has no refresh_token: authorise a user" in state.message
    assert pipeline.place.keys("tables/") == []


def show(pipeline: Pipeline, app_class: AppClass, *, user: bool) -> Pipeline:
    """Shows the catalogue to an app of a class, with its user's consent or without; returns its pipeline."""
    url = pipeline.show()
    requests.patch(f"{url}/sandbox/settings", json={"app_class": app_class}, timeout=10).raise_for_status()
    return pipeline if user else pipeline.with_blocks(SPOTIFY_REFRESH_TOKEN="")
