"""Retries of S3 requests per playlist within a budget; failures of many playlists stop the run."""

import threading
from dataclasses import dataclass, field

import pytest

from pipeline.errors import (
    Code,
    ConfigurationError,
    LakeConflict,
    PipelineError,
    PlaylistUnavailable,
    Transient,
)
from pipeline.lake.retry_budget import BUDGET_S, MANY_PLAYLISTS, RetryBudget
from pipeline.threads import THREADS

SLOW = Transient("S3 refused PutObject (SlowDown, HTTP 503)", Code.LAKE_UNAVAILABLE)
DENIED = ConfigurationError("access is denied", Code.LAKE_DENIED)


@dataclass
class Clock:
    """A clock that advances only by waits and requests."""

    now: float = 0.0
    waits: list[float] = field(default_factory=list)

    def sleep(self, seconds: float) -> None:
        """Records the wait and advances the clock; returns immediately."""
        self.now += seconds
        self.waits.append(seconds)

    def retries(self, playlists: int) -> RetryBudget:
        """A retry budget that uses this clock."""
        return RetryBudget(playlists, sleep=self.sleep, clock=lambda: self.now)


@dataclass
class Failing:
    """A request that takes `seconds` and fails `times` times."""

    clock: Clock
    error: PipelineError
    times: int = 10**6
    seconds: float = 1.0
    requests: int = 0

    def __call__(self) -> str:
        """Raises the error, or returns once it has failed `times` times."""
        self.clock.now += self.seconds
        self.requests += 1
        if self.requests <= self.times:
            raise self.error
        return "done"


def test_a_transient_fault_is_retried_with_growing_waits() -> None:
    clock = Clock()
    request = Failing(clock, SLOW, times=4)
    assert clock.retries(3).request("p", request) == "done"
    assert request.requests == 5
    assert all(limit / 2 <= wait <= limit for wait, limit in zip(clock.waits, [2, 4, 8, 16], strict=True))


def test_a_lasting_fault_fails_its_playlist_within_the_budget_and_no_other() -> None:
    clock = Clock()
    retries, request = clock.retries(200), Failing(clock, SLOW)
    assert retries.request("first", lambda: "done") == "done"
    with pytest.raises(PlaylistUnavailable, match=r"playlist bad: S3 refused.*SlowDown") as error:
        retries.request("bad", request)
    assert error.value.code == Code.LAKE_UNAVAILABLE
    assert request.requests > 5
    assert BUDGET_S - 17 < clock.now <= BUDGET_S + request.seconds  # 17: the last wait and a request
    assert retries.request("next", lambda: "done") == "done"


def test_all_playlists_share_the_budget() -> None:
    clock = Clock()
    retries = clock.retries(200)
    for playlist in ("bad", "another", "a third"):
        with pytest.raises(PlaylistUnavailable):
            retries.request(playlist, Failing(clock, SLOW))
    assert clock.now <= BUDGET_S + 3


def test_concurrent_waits_are_charged_once() -> None:
    clock = Clock()
    retries = RetryBudget(200, budget_s=2, sleep=clock.waits.append, clock=lambda: 0.0)
    for playlist in range(THREADS):
        assert retries.request(str(playlist), Failing(clock, SLOW, times=1)) == "done"
    assert sum(clock.waits) > 2


@pytest.mark.parametrize("error", [SLOW, DENIED], ids=["503", "denied"])
def test_if_every_playlist_fails_the_run_stops(error: PipelineError) -> None:
    clock = Clock()
    retries = clock.retries(2)
    with pytest.raises(PlaylistUnavailable):
        retries.request("a", Failing(clock, error))
    with pytest.raises(type(error)) as raised:
        retries.request("b", Failing(clock, error))
    assert raised.value is error


def test_many_failed_playlists_in_a_row_stop_the_run() -> None:
    clock = Clock()
    retries = clock.retries(200)
    for _ in range(2):  # a success in between resets the count
        for number in range(MANY_PLAYLISTS - 1):
            with pytest.raises(PlaylistUnavailable):
                retries.request(str(number), Failing(clock, SLOW))
        retries.request("fine", lambda: "done")
    for number in range(MANY_PLAYLISTS - 1):
        with pytest.raises(PlaylistUnavailable):
            retries.request(str(number), Failing(clock, SLOW))
    with pytest.raises(Transient):
        retries.request("last", Failing(clock, SLOW))


def test_a_missing_key_does_not_count_as_a_success() -> None:
    clock = Clock()
    retries = clock.retries(1)
    assert retries.request("a", lambda: False) is False
    with pytest.raises(Transient):
        retries.request("a", Failing(clock, SLOW))


@pytest.mark.parametrize(
    "error",
    [
        ConfigurationError("no bucket", Code.LAKE_BUCKET),
        ConfigurationError("wrong key", Code.LAKE_CREDENTIALS),
        ConfigurationError("clock", Code.CLOCK_SKEWED),
        LakeConflict("other content", Code.LAKE_CONFLICT),
    ],
    ids=lambda error: error.code,
)
def test_an_error_that_concerns_every_key_stops_the_run_without_a_retry(error: PipelineError) -> None:
    clock = Clock()
    request = Failing(clock, error)
    with pytest.raises(type(error)):
        clock.retries(200).request("a", request)
    assert request.requests == 1
    assert clock.waits == []


def test_closing_ends_a_wait() -> None:
    retries = RetryBudget(1)
    failed = threading.Event()

    def fail() -> str:
        failed.set()
        raise SLOW

    def request() -> None:
        with pytest.raises(Transient):
            retries.request("a", fail)

    thread = threading.Thread(target=request)
    thread.start()
    assert failed.wait(5)
    retries.close()
    thread.join(5)
    assert not thread.is_alive()
