"""The shared rate limit: slots are taken in batches; a run continues if Prefect's API fails."""

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
    """A budget of waits whose sleeps only advance its clock."""

    def __init__(self, budget_s: float = BUDGET_S) -> None:
        self.slept: list[float] = []
        self.waits = Waits(budget_s, self.slept.append, lambda: sum(self.slept))

    def take(self, slots: RateLimit, times: int) -> None:
        """Takes slots for a number of requests."""
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


UNUSABLE: dict[str, tuple[int, float, str]] = {
    "a limit of 0": (
        0,
        5.0,
        "is 0, so it never has a slot. This run no longer uses the rate limit and sends one request per",
    ),
    "no decay": (10, 0.0, "has no slot decay"),
    "slow decay": (1, 0.001, "frees a slot only every 1,000 s"),
}


@pytest.mark.parametrize("case", UNUSABLE)
def test_an_unusable_limit_is_a_warning_and_becomes_one_request_per_second(
    create: Callable[[int, float], str], clock: Clock, case: str, caplog: pytest.LogCaptureFixture
) -> None:
    limit, decay, problem = UNUSABLE[case]
    name = create(limit, decay)
    clock.take(RateLimit(name), 5)
    (warning,) = warnings(caplog)
    assert problem in warning
    assert f"prefect gcl update {name} --" in warning
    assert sum(clock.slept) in (3, 4)  # one request per second; with slow decay the first request got a slot


def test_a_missing_limit_is_one_warning_and_no_wait(
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


class FailingApi:
    """A Prefect API with one limit of 10.

    Each increment gets the next of `responses`, the last one again and again; None: no response at all.
    """

    def __init__(self) -> None:
        self.responses: list[Response | None] = []
        self.increments = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one request."""
        request = Request(scope, receive)
        if request.url.path.endswith("/csrf-token"):
            await Response(status_code=404)(scope, receive, send)
            return
        response: Response = JSONResponse(LIMIT)
        if request.url.path.endswith("/increment"):
            self.increments += 1
            scripted = self.responses.pop(0) if len(self.responses) > 1 else self.responses[0]
            if scripted is None:
                await Fault(path="", kind="timeout").apply(scope, receive, send)
                return
            response = scripted
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
def api() -> Iterator[FailingApi]:
    app = FailingApi()
    with running(app) as url, temporary_settings({PREFECT_API_URL: f"{url}/api"}):
        yield app


def test_a_used_up_limit_is_waited_for_and_progress_is_logged(
    api: FailingApi, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    locked = Response(status_code=423, headers={"Retry-After": "400"})
    api.responses = [locked, locked, locked, GRANTED]
    with caplog.at_level(logging.INFO, "flows.rate_limit"):
        clock.take(RateLimit("spotify-x"), 5)
    assert clock.slept == [rate_limit.PROGRESS_INTERVAL_S] * 3
    assert "Waiting for a slot of the rate limit 'spotify-x' for 120 s" in caplog.text
    assert warnings(caplog) == []
    assert clock.waits.charge(sum(clock.slept), BUDGET_S)  # slots are not charged to the budget


@pytest.mark.parametrize("kind", enumerated(["503", "no response", "garbage"], ["503"]))
def test_after_three_failures_in_a_row_the_run_requests_no_more_slots(
    api: FailingApi,
    clock: Clock,
    kind: str,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if kind == "no response":
        monkeypatch.setattr(rate_limit, "CALL_TIMEOUT_S", 1.5)
    api.responses = [{"503": Response(status_code=503), "no response": None, "garbage": Response("?")}[kind]]
    clock.take(RateLimit("spotify-x"), 21)

    assert api.increments == 3  # Prefect's client does not retry
    (warning,) = warnings(caplog)
    assert "3 times in a row. This run no longer uses the rate limit and sends one request per 1 s" in warning
    assert {"503": "HTTP 503", "no response": "TimeoutError", "garbage": "JSONDecodeError"}[kind] in warning
    assert sum(clock.slept) == 18  # the first one immediately after the third failure, then one per second


def test_granted_slots_reset_the_count_of_failures(
    api: FailingApi, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    bad = Response(status_code=500)
    api.responses = [bad, bad, GRANTED, bad, bad, GRANTED]
    clock.take(RateLimit("spotify-x"), 14)
    assert api.increments == 6
    assert (warnings(caplog), clock.slept) == ([], [])


def test_a_429_from_prefect_is_waited_for_and_is_not_a_failure(
    api: FailingApi, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    wait = Response(status_code=429, headers={"Retry-After": "20"})
    api.responses = [wait, wait, wait, wait, wait, GRANTED]
    clock.take(RateLimit("spotify-x"), 5)
    assert clock.slept == [20] * 5
    assert api.increments == 6
    assert warnings(caplog) == []
    assert not clock.waits.charge(100, BUDGET_S - 99)
    assert clock.waits.charge(100, BUDGET_S - 100)


@pytest.mark.parametrize("status", [423, 429])
@pytest.mark.parametrize("after", ["nan", "-inf", "inf", "-5", "1e999"])
def test_an_unusable_retry_after_is_the_shortest_wait(
    api: FailingApi, clock: Clock, status: int, after: str
) -> None:
    api.responses = [Response(status_code=status, headers={"Retry-After": after}), GRANTED]
    clock.take(RateLimit("spotify-x"), 1)
    assert (api.increments, clock.slept) == (2, [SHORTEST_WAIT_S])


def test_a_429_beyond_the_budget_is_not_waited_for(
    api: FailingApi, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    api.responses = [Response(status_code=429, headers={"Retry-After": "3600"})]
    clock.take(RateLimit("spotify-x"), 3)
    assert api.increments == 1
    assert clock.slept == [1, 1]
    (warning,) = warnings(caplog)
    assert "Prefect's API requires a wait of 3,600 s for a slot. This run no longer uses" in warning
