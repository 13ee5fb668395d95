"""The rolling window, the daily quota, and latency."""

import asyncio

import pytest
from starlette.types import Message, Receive, Scope, Send

from sandbox.spotify.catalogue import EMPTIED
from sandbox.spotify.limits import Limits
from sandbox.spotify.middleware import Script, ScriptMiddleware
from sandbox.spotify.settings import Settings
from tests.spotify_standin import Standin, Start

PATH = f"/v1/playlists/{EMPTIED}"
DAY = 86_400  # seconds
QUOTA = {"error": {"status": 429, "message": "Daily quota exceeded", "reason": "QUOTA_EXCEEDED"}}


def statuses(standin: Standin, token: str, count: int) -> list[int]:
    return [standin.get(PATH, token).status_code for _ in range(count)]


def test_window_is_rolling(start: Start) -> None:
    seconds = [0.0]
    standin = start(now=lambda: seconds[0], window=2)
    token = standin.bearer()
    responses = []
    for seconds[0] in (0.0, 12.5, 13.0, 29.5, 30.0, 41.0, 42.5):
        responses.append(standin.get(PATH, token))
    assert [response.status_code for response in responses] == [200, 200, 429, 429, 200, 429, 200]
    waits = [response.headers.get("Retry-After") for response in responses]
    assert waits == [None, None, "17", "1", None, "2", None]
    assert responses[2].json() == {"error": {"status": 429, "message": "API rate limit exceeded"}}
    assert [seen["status"] for seen in standin.log()].count(429) == 3


def test_waiting_for_retry_after_is_sufficient(start: Start) -> None:
    standin = start(window=1)
    token = standin.bearer()
    standin.get(PATH, token)
    wait = int(standin.get(PATH, token).headers["Retry-After"])
    standin.set(ahead_s=wait)
    assert standin.get(PATH, token).status_code == 200


def test_window_of_0_refuses_every_request(start: Start) -> None:
    standin = start(window=0)
    response = standin.get(PATH, standin.bearer())
    assert (response.status_code, response.headers["Retry-After"]) == (429, "30")


def test_quota_limits_the_requests_of_a_day(start: Start) -> None:
    standin = start(quota=2)
    token = standin.bearer()
    assert statuses(standin, token, 3) == [200, 200, 429]
    response = standin.get(PATH, token)
    assert response.json() == QUOTA
    assert "Retry-After" not in response.headers
    standin.set(ahead_s=DAY)
    assert statuses(standin, standin.bearer(), 3) == [200, 200, 429]


def test_quota_is_checked_before_the_window(start: Start) -> None:
    standin = start(quota=1, window=1)
    token = standin.bearer()
    assert statuses(standin, token, 1) == [200]
    assert standin.get(PATH, token).json() == QUOTA


@pytest.mark.parametrize("limit", ["window", "quota"])
def test_limit_counts_from_the_time_it_is_set(start: Start, limit: str) -> None:
    standin = start(**{limit: 1})
    token = standin.bearer()
    assert statuses(standin, token, 2) == [200, 429]
    standin.set(**{limit: 2})
    assert statuses(standin, token, 3) == [200, 200, 429]
    standin.set(**{limit: None})
    assert statuses(standin, token, 3) == [200, 200, 200]


def test_requests_for_tokens_and_controls_are_not_counted(start: Start) -> None:
    standin = start(quota=1)
    for _ in range(3):
        standin.bearer()
        standin.get("/sandbox/playlists")
    assert statuses(standin, standin.bearer(), 2) == [200, 429]


def test_latency_delays_each_response(start: Start) -> None:
    standin = start(latency_ms=60)
    response = standin.get(PATH, standin.bearer())
    assert response.status_code == 200
    assert response.elapsed.total_seconds() >= 0.06
    assert standin.set(latency_ms=0).json()["latency_ms"] == 0


def test_log_contains_the_number_of_concurrent_requests() -> None:
    script = Script()

    async def send_two_batches_of_three() -> None:
        all_arrived = asyncio.Barrier(3)

        async def app(_scope: Scope, _receive: Receive, _send: Send) -> None:
            await all_arrived.wait()

        async def receive() -> Message:
            raise AssertionError

        async def send(_message: Message) -> None:
            raise AssertionError

        middleware = ScriptMiddleware(app, script, Limits(Settings(), lambda: 0.0))
        scope = {"type": "http", "method": "GET", "path": PATH, "query_string": b""}
        for _ in range(2):
            await asyncio.gather(*(middleware(scope, receive, send) for _ in range(3)))

    asyncio.run(send_two_batches_of_three())
    assert [request.at_once for request in script.requests] == [1, 2, 3, 1, 2, 3]
