"""A request to S3 for one playlist is repeated within a budget; many failures are the whole lake's."""

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
class Time:
    """A clock that only waiting and requests move."""

    now: float = 0.0
    waits: list[float] = field(default_factory=list)

    def sleep(self, seconds: float) -> None:
        """Returns at once."""
        self.now += seconds
        self.waits.append(seconds)

    def retries(self, playlists: int) -> RetryBudget:
        """Waits by this clock."""
        return RetryBudget(playlists, sleep=self.sleep, clock=lambda: self.now)


@dataclass
class Failing:
    """A request of so many seconds that fails so often."""

    time: Time
    error: PipelineError
    times: int = 10**6
    seconds: float = 1.0
    requests: int = 0

    def __call__(self) -> str:
        """Fails, or is done."""
        self.time.now += self.seconds
        self.requests += 1
        if self.requests <= self.times:
            raise self.error
        return "done"


def test_what_fails_for_a_while_is_done() -> None:
    time = Time()
    request = Failing(time, SLOW, times=4)
    assert time.retries(3).request("p", request) == "done"
    assert request.requests == 5
    assert all(limit / 2 <= wait <= limit for wait, limit in zip(time.waits, [2, 4, 8, 16], strict=True))


def test_one_playlist_is_given_up_within_the_budget_and_the_others_are_done() -> None:
    time = Time()
    retries, request = time.retries(200), Failing(time, SLOW)
    assert retries.request("first", lambda: "done") == "done"
    with pytest.raises(PlaylistUnavailable, match=r"playlist bad: S3 refused.*SlowDown") as error:
        retries.request("bad", request)
    assert error.value.code == Code.LAKE_UNAVAILABLE
    assert request.requests > 5
    assert BUDGET_S - 17 < time.now <= BUDGET_S + request.seconds  # the last wait, then a request
    assert retries.request("next", lambda: "done") == "done"


def test_all_playlists_share_the_budget() -> None:
    time = Time()
    retries = time.retries(200)
    for playlist in ("bad", "another", "a third"):
        with pytest.raises(PlaylistUnavailable):
            retries.request(playlist, Failing(time, SLOW))
    assert time.now <= BUDGET_S + 3


def test_waits_side_by_side_are_charged_once() -> None:
    time = Time()
    retries = RetryBudget(200, budget_s=2, sleep=time.waits.append, clock=lambda: 0.0)
    for playlist in range(THREADS):
        assert retries.request(str(playlist), Failing(time, SLOW, times=1)) == "done"
    assert sum(time.waits) > 2


@pytest.mark.parametrize("error", [SLOW, DENIED], ids=["503", "denied"])
def test_when_all_fail_it_is_the_whole_lake(error: PipelineError) -> None:
    time = Time()
    retries = time.retries(2)
    with pytest.raises(PlaylistUnavailable):
        retries.request("a", Failing(time, error))
    with pytest.raises(type(error)) as raised:
        retries.request("b", Failing(time, error))
    assert raised.value is error


def test_many_failures_in_a_row_are_about_the_whole_lake() -> None:
    time = Time()
    retries = time.retries(200)
    for _ in range(2):  # with a success between, they are not
        for number in range(MANY_PLAYLISTS - 1):
            with pytest.raises(PlaylistUnavailable):
                retries.request(str(number), Failing(time, SLOW))
        retries.request("fine", lambda: "done")
    for number in range(MANY_PLAYLISTS - 1):
        with pytest.raises(PlaylistUnavailable):
            retries.request(str(number), Failing(time, SLOW))
    with pytest.raises(Transient):
        retries.request("last", Failing(time, SLOW))


def test_a_key_that_is_not_there_proves_nothing() -> None:
    time = Time()
    retries = time.retries(1)
    assert retries.request("a", lambda: False) is False
    with pytest.raises(Transient):
        retries.request("a", Failing(time, SLOW))


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
def test_what_concerns_every_key_stops_the_run_at_once(error: PipelineError) -> None:
    time = Time()
    request = Failing(time, error)
    with pytest.raises(type(error)):
        time.retries(200).request("a", request)
    assert request.requests == 1
    assert time.waits == []


def test_closing_ends_a_wait() -> None:
    retries = RetryBudget(1)
    failed = threading.Event()

    def fail() -> str:
        failed.set()
        raise SLOW

    def insist() -> None:
        with pytest.raises(Transient):
            retries.request("a", fail)

    thread = threading.Thread(target=insist)
    thread.start()
    assert failed.wait(5)
    retries.close()
    thread.join(5)
    assert not thread.is_alive()
