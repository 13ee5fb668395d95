"""Each class of Spotify app: readable playlists are loaded, the message gives the reason for the others."""

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
    """An app class and its token; the playlists that are loaded, and the reasons for the others."""

    app_class: AppClass
    token: Literal["user", "app"]
    loaded: set[str]
    reasons: list[str]
    has_popularity: bool = True


_CASES = [
    Case("restricted", "user", {MIXTAPE}, [NOT_YOURS, CLOSED], has_popularity=False),
    Case("extended_old", "user", {MIXTAPE, FOREIGN, SPOTIFY_OWNED}, []),
    Case("development", "app", {MIXTAPE, FOREIGN}, [CLOSED]),
    Case("development", "user", {MIXTAPE, FOREIGN}, [CLOSED]),
    Case("extended_new", "app", {MIXTAPE, FOREIGN}, [CLOSED]),
    Case("extended_old", "app", {MIXTAPE, FOREIGN, SPOTIFY_OWNED}, []),
]
ALWAYS = ["restricted-user", "development-app"]
CASES = {f"{case.app_class}-{case.token}": case for case in _CASES}


@pytest.mark.parametrize("name", enumerated(CASES, ALWAYS))
def test_readable_playlists_are_loaded_and_the_others_are_explained(pipeline: Pipeline, name: str) -> None:
    case = CASES[name]
    app = with_app(pipeline, case.app_class, user=case.token == "user")
    state = app.ingest(MIXTAPE, FOREIGN, SPOTIFY_OWNED, snapshot_date=TODAY)

    assert state.is_completed() == (not case.reasons)
    for reason in case.reasons:
        assert reason in state.message
    place = pipeline.place
    assert {one for (one,) in place.query("SELECT playlist_id FROM playlists")} == case.loaded
    assert place.count("playlist_songs") > 300
    (known,) = place.query("SELECT COUNT(popularity) > 0 FROM songs")
    assert known == (case.has_popularity,)


def test_a_restricted_app_without_a_refresh_token_fails_with_instructions(pipeline: Pipeline) -> None:
    state = with_app(pipeline, "restricted", user=False).ingest(MIXTAPE, snapshot_date=TODAY)

    assert state.is_failed()
    assert "the SpotifyCredentials block has no refresh_token: authorise a user" in state.message
    assert pipeline.place.keys("tables/") == []


def with_app(pipeline: Pipeline, app_class: AppClass, *, user: bool) -> Pipeline:
    """Sets the app class of the stand-in; returns a pipeline with a refresh token (`user`) or without one."""
    url = pipeline.serve()
    requests.patch(f"{url}/sandbox/settings", json={"app_class": app_class}, timeout=10).raise_for_status()
    return pipeline if user else pipeline.with_blocks(SPOTIFY_REFRESH_TOKEN="")
