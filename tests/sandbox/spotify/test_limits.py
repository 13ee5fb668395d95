"""The rolling window, the day's quota, and answers that take their time."""

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


def test_the_window_rolls(start: Start) -> None:
    seconds = [0.0]
    standin = start(now=lambda: seconds[0], window=2)
    token = standin.bearer()
    answers = []
    for seconds[0] in (0.0, 12.5, 13.0, 29.5, 30.0, 41.0, 42.5):
        answers.append(standin.get(PATH, token))
    assert [answer.status_code for answer in answers] == [200, 200, 429, 429, 200, 429, 200]
    waits = [answer.headers.get("Retry-After") for answer in answers]
    assert waits == [None, None, "17", "1", None, "2", None]
    assert answers[2].json() == {"error": {"status": 429, "message": "API rate limit exceeded"}}
    assert [seen["status"] for seen in standin.log()].count(429) == 3


def test_waiting_as_told_is_enough(start: Start) -> None:
    standin = start(window=1)
    token = standin.bearer()
    standin.get(PATH, token)
    wait = int(standin.get(PATH, token).headers["Retry-After"])
    standin.set(ahead_s=wait)
    assert standin.get(PATH, token).status_code == 200


def test_a_window_of_none_lets_nothing_through(start: Start) -> None:
    standin = start(window=0)
    answer = standin.get(PATH, standin.bearer())
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "30")


def test_the_quota_of_a_day(start: Start) -> None:
    standin = start(quota=2)
    token = standin.bearer()
    assert statuses(standin, token, 3) == [200, 200, 429]
    answer = standin.get(PATH, token)
    assert answer.json() == QUOTA
    assert "Retry-After" not in answer.headers
    standin.set(ahead_s=DAY)
    assert statuses(standin, standin.bearer(), 3) == [200, 200, 429]


def test_the_quota_is_said_before_the_window(start: Start) -> None:
    standin = start(quota=1, window=1)
    token = standin.bearer()
    assert statuses(standin, token, 1) == [200]
    assert standin.get(PATH, token).json() == QUOTA


@pytest.mark.parametrize("limit", ["window", "quota"])
def test_a_limit_counts_from_when_it_is_set(start: Start, limit: str) -> None:
    standin = start(**{limit: 1})
    token = standin.bearer()
    assert statuses(standin, token, 2) == [200, 429]
    standin.set(**{limit: 2})
    assert statuses(standin, token, 3) == [200, 200, 429]
    standin.set(**{limit: None})
    assert statuses(standin, token, 3) == [200, 200, 200]


def test_tokens_and_controls_are_not_counted(start: Start) -> None:
    standin = start(quota=1)
    for _ in range(3):
        standin.bearer()
        standin.get("/sandbox/playlists")
    assert statuses(standin, standin.bearer(), 2) == [200, 429]


def test_answers_take_their_time(start: Start) -> None:
    standin = start(latency_ms=60)
    answer = standin.get(PATH, standin.bearer())
    assert answer.status_code == 200
    assert answer.elapsed.total_seconds() >= 0.06
    assert standin.set(latency_ms=0).json()["latency_ms"] == 0


def test_the_log_tells_how_many_requests_are_answered_at_once() -> None:
    script = Script()

    async def ask_twice_three() -> None:
        all_there = asyncio.Barrier(3)

        async def app(_scope: Scope, _receive: Receive, _send: Send) -> None:
            await all_there.wait()

        async def receive() -> Message:
            raise AssertionError

        async def send(_message: Message) -> None:
            raise AssertionError

        asked = ScriptMiddleware(app, script, Limits(Settings(), lambda: 0.0))
        scope = {"type": "http", "method": "GET", "path": PATH, "query_string": b""}
        for _ in range(2):
            await asyncio.gather(*(asked(scope, receive, send) for _ in range(3)))

    asyncio.run(ask_twice_three())
    assert [seen.at_once for seen in script.requests] == [1, 2, 3, 1, 2, 3]
