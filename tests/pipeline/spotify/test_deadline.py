"""Deadline of a request, size limit of a response, and clock skew against Spotify."""

import time

import pytest

from pipeline.errors import Code, ConfigurationError, PipelineError, PlaylistUnavailable
from pipeline.spotify import http
from pipeline.spotify.client import SpotifyClient
from sandbox.spotify.catalogue import EMPTY, MIXTAPE
from tests.spotify import Spotify, Start
from tests.tiers import enumerated

DEADLINE_S = 0.4
BUDGET_S = 2.0
PLAYLIST = rf"/v1/playlists/{MIXTAPE}\?"
REQUESTS = {
    "playlist": PLAYLIST,
    "items page": f"/v1/playlists/{MIXTAPE}/items",
    "token": "/api/token",
}


@pytest.fixture
def spotify(start: Start, monkeypatch: pytest.MonkeyPatch) -> Spotify:
    monkeypatch.setattr(http, "DEADLINE_S", DEADLINE_S)
    return start("items")


def client_of(spotify: Spotify) -> SpotifyClient:
    """A client with a real clock that jumps ahead instead of sleeping."""
    slept = spotify.slept
    return SpotifyClient(spotify.credentials(), BUDGET_S, slept.append, lambda: time.monotonic() + sum(slept))


def read(client: SpotifyClient, kind: str) -> bytes:
    return client.page(MIXTAPE, "items", 0) if kind == "items page" else client.playlist(MIXTAPE)


@pytest.mark.parametrize("kind", ["trickle", "slow_headers"])
@pytest.mark.parametrize("requested", enumerated(REQUESTS, ["playlist"]))
def test_a_trickling_response_is_retried_until_the_budget_is_used_up(
    spotify: Spotify, requested: str, kind: str
) -> None:
    client = client_of(spotify)
    spotify.fail({"path": REQUESTS[requested], "kind": kind, "status": 200, "every_ms": 20, "times": 99})
    began = time.monotonic()
    with pytest.raises(
        PlaylistUnavailable, match=r"not complete after 0\.4 s; the run's wait budget of 2 s"
    ) as failed:
        read(client, requested)

    (fired,) = spotify.fired()
    assert failed.value.code == Code.SPOTIFY_BUDGET
    assert 2 <= fired <= BUDGET_S / DEADLINE_S
    assert time.monotonic() - began + sum(spotify.slept) < BUDGET_S + 2 * DEADLINE_S + 5  # a busy machine
    spotify.fail()
    assert client.playlist(EMPTY)  # other playlists are still read


def test_a_trickling_error_response_is_retried(spotify: Spotify) -> None:
    client = client_of(spotify)
    spotify.fail({"path": PLAYLIST, "kind": "trickle", "status": 403, "every_ms": 20})
    assert client.playlist(MIXTAPE)
    assert spotify.fired() == [1]
    assert len(spotify.slept) == 1


@pytest.mark.parametrize("requested", ["playlist", "token"])
def test_a_body_above_the_size_limit_is_refused(
    spotify: Spotify, requested: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "DEADLINE_S", 60.0)
    client = client_of(spotify)
    body = " " * (http.MAX_BODY_BYTES + 1)
    spotify.fail({"path": REQUESTS[requested], "status": 200, "body": body})
    with pytest.raises(
        PlaylistUnavailable, match="response is larger than 16 MiB and was not read"
    ) as failed:
        client.playlist(MIXTAPE)
    assert failed.value.code == Code.SPOTIFY_UNREADABLE
    assert spotify.fired() == [1]


@pytest.mark.parametrize(("behind_s", "refused"), [(50, False), (75, True), (-86_400, False)])
def test_a_clock_ahead_of_spotify_stops_the_run_before_any_playlist_is_requested(
    start: Start, *, behind_s: float, refused: bool
) -> None:
    spotify = start()
    spotify.standin.set(date_behind_s=behind_s).raise_for_status()
    client, error = spotify.client(), None
    try:
        client.authorise()
    except PipelineError as raised:
        error = raised
    assert client.clock_ahead_s == pytest.approx(behind_s, abs=10)
    assert (error is not None) == refused
    if refused:
        assert isinstance(error, ConfigurationError)
        assert error.code == Code.CLOCK_SKEWED
        with pytest.raises(ConfigurationError, match="s ahead of Spotify's"):
            client.playlist(EMPTY)
        assert spotify.requested() == []
