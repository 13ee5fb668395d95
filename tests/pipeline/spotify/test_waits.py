"""All waiting of a run: one budget, one pause for a rate window, one stop; a token that ages under way."""

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
    """A clock that sleeping moves."""

    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        """Notes the seconds, and lets them pass."""
        self.slept.append(seconds)
        self.now += seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def waits(clock: Clock) -> Waits:
    return Waits(300, clock.sleep, lambda: clock.now)


def window(seconds: float) -> RateLimited:
    return RateLimited(f"rate limit: wait {seconds:g} s", Code.SPOTIFY_RATE_LIMITED, seconds)


def test_a_window_that_eight_threads_meet_is_waited_for_once(waits: Waits, clock: Clock) -> None:
    for thread in range(8):
        waits.wait(f"playlist {thread}", window(60), 0, clock.now)
    assert waits.wait_for_pause() == 60
    assert clock.slept == [60]
    waits.wait("playlist x", window(240), 0, clock.now)
    assert waits.wait_for_pause() == 300
    with pytest.raises(PlaylistUnavailable, match="wait budget of 300 s"):
        waits.wait("playlist x", window(1), 0, clock.now)


def test_a_window_pauses_those_who_have_not_met_it(waits: Waits, clock: Clock) -> None:
    waits.wait("playlist x", window(7), 0, clock.now)
    assert clock.slept == []
    assert waits.wait_for_pause() == 7


def test_time_lost_in_failed_requests_counts(waits: Waits, clock: Clock) -> None:
    clock.now = 299.5
    with pytest.raises(PlaylistUnavailable, match="no response; the run's wait budget of 300 s"):
        waits.wait("playlist x", Transient("playlist x: no response", Code.SPOTIFY_UNAVAILABLE), 3, 0)


def test_what_stops_the_run_wakes_those_who_wait() -> None:
    waits = Waits(300, None, time.monotonic)
    slow = threading.Thread(
        target=waits.wait,
        args=("playlist x", Transient("503", Code.SPOTIFY_UNAVAILABLE), 5, time.monotonic()),
    )
    slow.start()
    waits.stop(QuotaExceeded("enough", Code.SPOTIFY_QUOTA))
    slow.join(10)
    assert not slow.is_alive()
    with pytest.raises(QuotaExceeded, match="enough"):
        waits.wait_for_pause()


def test_after_a_stop_nothing_more_is_asked(spotify: Spotify) -> None:
    client = spotify.client()
    spotify.fail({"path": MIXTAPE, "status": 429})
    for playlist in (MIXTAPE, CHART, MIXTAPE):
        with pytest.raises(QuotaExceeded):
            client.playlist(playlist)
    assert spotify.fired() == [1]
    assert len(spotify.requested()) == 1


def aging(spotify: Spotify, *faults: dict[str, object]) -> SpotifyClient:
    """A client whose token is dropped by somebody else just before its request."""
    client = spotify.client()
    client.authorise()
    spotify.fail(*faults)

    def drop_once(_waits: Waits) -> None:
        client._before_request = lambda _waits: None  # noqa: SLF001
        client._token.drop(client._token.get())  # noqa: SLF001

    client._before_request = drop_once  # noqa: SLF001
    return client


def test_a_token_endpoint_that_stumbles_under_way_is_asked_again(spotify: Spotify) -> None:
    client = aging(spotify, {"path": "/api/token", "status": 503})
    assert client.playlist(CHART)
    assert spotify.fired() == [1]
    assert len(spotify.slept) == 1


def test_a_refused_token_under_way_stops_with_the_reason(spotify: Spotify) -> None:
    body = '{"error": "invalid_grant"}'
    client = aging(spotify, {"path": "/api/token", "status": 400, "body": body})
    with pytest.raises(ConfigurationError, match="Authorise again"):
        client.playlist(CHART)
    assert spotify.fired() == [1]


@pytest.mark.parametrize(
    ("after", "error"), [("7", None), ("3600", QuotaExceeded), (None, QuotaExceeded)], ids=str
)
def test_the_token_endpoint_has_windows_and_quota_too(
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
