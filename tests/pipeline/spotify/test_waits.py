"""Waits of a run: one budget, one shared pause for a rate limit, one stop; tokens that expire mid-run."""

import threading
import time

import pytest

from pipeline.errors import (
    Code,
    ConfigurationError,
    PlaylistUnavailable,
    QuotaExceeded,
    RateLimited,
    Transient,
)
from pipeline.spotify.client import SpotifyClient
from pipeline.spotify.waits import Waits
from sandbox.spotify.catalogue import CHARTS, MIXTAPE
from tests.spotify import Spotify

CHART = CHARTS[0]


class Clock:
    """A clock that advances by sleeping."""

    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        """Records the seconds and advances the clock."""
        self.slept.append(seconds)
        self.now += seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def waits(clock: Clock) -> Waits:
    return Waits(300, clock.sleep, lambda: clock.now)


def rate_limited(seconds: float) -> RateLimited:
    return RateLimited(f"rate limit: wait {seconds:g} s", Code.SPOTIFY_RATE_LIMITED, seconds)


def test_a_rate_limit_that_eight_threads_hit_is_waited_for_once(waits: Waits, clock: Clock) -> None:
    for thread in range(8):
        waits.wait(f"playlist {thread}", rate_limited(60), 0, clock.now)
    assert waits.wait_for_pause() == 60
    assert clock.slept == [60]
    waits.wait("playlist x", rate_limited(240), 0, clock.now)
    assert waits.wait_for_pause() == 300
    with pytest.raises(PlaylistUnavailable, match="wait budget of 300 s"):
        waits.wait("playlist x", rate_limited(1), 0, clock.now)


def test_a_rate_limit_pauses_the_other_threads_too(waits: Waits, clock: Clock) -> None:
    waits.wait("playlist x", rate_limited(7), 0, clock.now)
    assert clock.slept == []
    assert waits.wait_for_pause() == 7


def test_time_spent_in_failed_requests_counts_towards_the_budget(waits: Waits, clock: Clock) -> None:
    clock.now = 299.5
    with pytest.raises(PlaylistUnavailable, match="no response; the run's wait budget of 300 s"):
        waits.wait("playlist x", Transient("playlist x: no response", Code.SPOTIFY_UNAVAILABLE), 3, 0)


def test_a_stop_wakes_waiting_threads() -> None:
    waits = Waits(300, None, time.monotonic)
    waiting = threading.Thread(
        target=waits.wait,
        args=("playlist x", Transient("503", Code.SPOTIFY_UNAVAILABLE), 5, time.monotonic()),
    )
    waiting.start()
    waits.stop(QuotaExceeded("enough", Code.SPOTIFY_QUOTA))
    waiting.join(10)
    assert not waiting.is_alive()
    with pytest.raises(QuotaExceeded, match="enough"):
        waits.wait_for_pause()


def test_after_a_stop_no_further_request_is_sent(spotify: Spotify) -> None:
    client = spotify.client()
    spotify.fail({"path": MIXTAPE, "status": 429})
    for playlist in (MIXTAPE, CHART, MIXTAPE):
        with pytest.raises(QuotaExceeded):
            client.playlist(playlist)
    assert spotify.fired() == [1]
    assert len(spotify.requested()) == 1


def with_dropped_token(spotify: Spotify, *faults: dict[str, object]) -> SpotifyClient:
    """A client whose access token is dropped just before its next request."""
    client = spotify.client()
    client.authorise()
    spotify.fail(*faults)

    def drop_once(_waits: Waits) -> None:
        client._before_request = lambda _waits: None  # noqa: SLF001
        client._token.drop(client._token.get())  # noqa: SLF001

    client._before_request = drop_once  # noqa: SLF001
    return client


def test_a_503_of_the_token_endpoint_during_a_run_is_retried(spotify: Spotify) -> None:
    client = with_dropped_token(spotify, {"path": "/api/token", "status": 503})
    assert client.playlist(CHART)
    assert spotify.fired() == [1]
    assert len(spotify.slept) == 1


def test_a_token_refused_during_a_run_stops_the_run_with_the_reason(spotify: Spotify) -> None:
    body = '{"error": "invalid_grant"}'
    client = with_dropped_token(spotify, {"path": "/api/token", "status": 400, "body": body})
    with pytest.raises(ConfigurationError, match="Authorise again"):
        client.playlist(CHART)
    assert spotify.fired() == [1]


@pytest.mark.parametrize(
    ("after", "error"), [("7", None), ("3600", QuotaExceeded), (None, QuotaExceeded)], ids=str
)
def test_a_429_of_the_token_endpoint_is_a_rate_limit_or_a_quota(
    spotify: Spotify, after: str | None, error: type[Exception] | None
) -> None:
    spotify.fail({"path": "/api/token", "status": 429, "headers": {"Retry-After": after} if after else {}})
    client = spotify.client()
    if error:
        with pytest.raises(error):
            client.authorise()
    else:
        client.authorise()
    assert spotify.fired() == [1]
    assert spotify.slept == ([] if error else [7])
