"""The shared rate limit: slots in batches, and what a run does when Prefect's API is sick."""

import logging
from collections.abc import Callable, Iterator
from secrets import token_hex

import pytest
from prefect.client.orchestration import get_client
from prefect.settings import PREFECT_API_URL, temporary_settings
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from flows import rate_limit
from flows.rate_limit import RateLimit
from pipeline.spotify.waits import SHORTEST_WAIT_S, Waits
from sandbox.spotify.faults import Fault
from tests.serving import running
from tests.tiers import enumerated

BUDGET_S = 300.0
SOME_ID = "f2b7a6de-7c7e-4d39-8a59-0a3c6f6a4f10"


class Clock:
    """Waits whose sleep moves their clock."""

    def __init__(self, budget_s: float = BUDGET_S) -> None:
        self.slept: list[float] = []
        self.waits = Waits(budget_s, self.slept.append, lambda: sum(self.slept))

    def take(self, slots: RateLimit, times: int) -> None:
        """Takes slots for as many requests."""
        for _ in range(times):
            slots.take(self.waits)


@pytest.fixture
def clock() -> Clock:
    return Clock()


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Warnings of the module so far."""
    found = [record for record in caplog.records if record.name == "flows.rate_limit"]
    return [record.getMessage() for record in found if record.levelno == logging.WARNING]


@pytest.fixture
def create(prefect_api: dict[str, str]) -> Callable[[int, float], str]:
    """Creates a rate limit on the real server."""
    del prefect_api

    def one(limit: int, decay: float) -> str:
        name = f"spotify-{token_hex(4)}"
        with get_client(sync_client=True) as api:
            api.upsert_global_concurrency_limit_by_name(name, limit, decay)
        return name

    return one


def active(name: str) -> int:
    with get_client(sync_client=True) as api:
        return api.read_global_concurrency_limit_by_name(name).active_slots


@pytest.mark.parametrize(("limit", "requests", "taken"), [(10, 1, 5), (10, 5, 5), (10, 6, 10), (2, 1, 2)])
def test_one_call_takes_slots_for_several_requests(
    create: Callable[[int, float], str], clock: Clock, limit: int, requests: int, taken: int
) -> None:
    name = create(limit, 0.0001)
    clock.take(RateLimit(name), requests)
    assert active(name) == taken
    assert clock.slept == []


DESCRIBED: dict[str, tuple[int, float, str]] = {
    "a limit of 0": (
        0,
        5.0,
        "is 0, so it never has a slot. This run no longer asks for slots and sends one request per",
    ),
    "no decay": (10, 0.0, "has no slot decay"),
    "slow decay": (1, 0.001, "frees a slot only every 1,000 s"),
}


@pytest.mark.parametrize("case", DESCRIBED)
def test_a_limit_that_cannot_be_used_is_described_and_replaced(
    create: Callable[[int, float], str], clock: Clock, case: str, caplog: pytest.LogCaptureFixture
) -> None:
    limit, decay, says = DESCRIBED[case]
    name = create(limit, decay)
    clock.take(RateLimit(name), 5)
    (warning,) = warnings(caplog)
    assert says in warning
    assert f"prefect gcl update {name} --" in warning
    assert sum(clock.slept) in (3, 4)  # one request per second; slow decay gave the first its slot


def test_a_missing_limit_is_one_warning_and_nothing_waits(
    create: Callable[[int, float], str], clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    name = create(1, 1000.0)
    slots = RateLimit(name)
    clock.take(slots, 1)
    with get_client(sync_client=True) as api:
        api.delete_global_concurrency_limit_by_name(name)
    clock.take(slots, 5)
    (warning,) = warnings(caplog)
    assert (
        f"There is no rate limit {name!r}, so concurrent runs may exceed Spotify's rate. Create it: python -m"
        in warning
    )
    assert clock.slept == []


class Sick:
    """Prefect's API with one limit of 10, whose increments are answered as told; the last answer stays."""

    def __init__(self) -> None:
        self.answers: list[Response | None] = []
        self.asked = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request."""
        request = Request(scope, receive)
        if request.url.path.endswith("/csrf-token"):
            await Response(status_code=404)(scope, receive, send)
            return
        response: Response = JSONResponse(LIMIT)
        if request.url.path.endswith("/increment"):
            self.asked += 1
            answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
            if answer is None:
                await Fault(path="", kind="timeout").apply(scope, receive, send)
                return
            response = answer
        await response(scope, receive, send)


LIMIT: dict[str, object] = {
    "id": SOME_ID,
    "name": "spotify-x",
    "limit": 10,
    "active": True,
    "active_slots": 0,
    "slot_decay_per_second": 5.0,
    "created": "2026-11-20T00:00:00Z",
    "updated": "2026-11-20T00:00:00Z",
}
GRANTED = JSONResponse([{"id": SOME_ID, "name": "spotify-x", "limit": 10}])


@pytest.fixture
def sick() -> Iterator[Sick]:
    app = Sick()
    with running(app) as url, temporary_settings({PREFECT_API_URL: f"{url}/api"}):
        yield app


def test_a_limit_that_is_used_up_is_waited_for_and_said(
    sick: Sick, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    locked = Response(status_code=423, headers={"Retry-After": "400"})
    sick.answers = [locked, locked, locked, GRANTED]
    with caplog.at_level(logging.INFO, "flows.rate_limit"):
        clock.take(RateLimit("spotify-x"), 5)
    assert clock.slept == [rate_limit.PROGRESS_S] * 3
    assert "Waiting for a slot of the rate limit 'spotify-x' for 120 s" in caplog.text
    assert warnings(caplog) == []
    assert clock.waits.charge(sum(clock.slept), BUDGET_S)  # nothing of it is charged


@pytest.mark.parametrize("kind", enumerated(["503", "silence", "garbage"], ["503"]))
def test_after_three_failures_in_a_row_the_run_asks_no_more(
    sick: Sick, clock: Clock, kind: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    if kind == "silence":
        monkeypatch.setattr(rate_limit, "CALL_TIMEOUT_S", 1.5)
    sick.answers = [{"503": Response(status_code=503), "silence": None, "garbage": Response("?")}[kind]]
    clock.take(RateLimit("spotify-x"), 21)

    assert sick.asked == 3  # Prefect's client retries nothing by itself
    (warning,) = warnings(caplog)
    assert "3 times in a row. This run no longer asks for slots and sends one request per 1 s" in warning
    assert {"503": "HTTP 503", "silence": "TimeoutError", "garbage": "JSONDecodeError"}[kind] in warning
    assert sum(clock.slept) == 18  # the first went at once after the third failure, then one per second


def test_two_failures_are_forgotten_once_there_are_slots(
    sick: Sick, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    bad = Response(status_code=500)
    sick.answers = [bad, bad, GRANTED, bad, bad, GRANTED]
    clock.take(RateLimit("spotify-x"), 14)
    assert sick.asked == 6
    assert (warnings(caplog), clock.slept) == ([], [])


def test_a_429_of_prefect_is_waited_for_and_is_no_failure(
    sick: Sick, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    wait = Response(status_code=429, headers={"Retry-After": "20"})
    sick.answers = [wait, wait, wait, wait, wait, GRANTED]
    clock.take(RateLimit("spotify-x"), 5)
    assert clock.slept == [20] * 5
    assert sick.asked == 6
    assert warnings(caplog) == []
    assert not clock.waits.charge(100, BUDGET_S - 99)
    assert clock.waits.charge(100, BUDGET_S - 100)


@pytest.mark.parametrize("status", [423, 429])
@pytest.mark.parametrize("after", ["nan", "-inf", "inf", "-5", "1e999"])
def test_a_wait_that_is_no_time_is_the_shortest(sick: Sick, clock: Clock, status: int, after: str) -> None:
    sick.answers = [Response(status_code=status, headers={"Retry-After": after}), GRANTED]
    clock.take(RateLimit("spotify-x"), 1)
    assert (sick.asked, clock.slept) == (2, [SHORTEST_WAIT_S])


def test_a_429_beyond_the_budget_is_not_waited_for(
    sick: Sick, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    sick.answers = [Response(status_code=429, headers={"Retry-After": "3600"})]
    clock.take(RateLimit("spotify-x"), 3)
    assert sick.asked == 1
    assert clock.slept == [1, 1]
    (warning,) = warnings(caplog)
    assert "Prefect's API asks to wait 3,600 s before it gives a slot. This run no longer asks" in warning
