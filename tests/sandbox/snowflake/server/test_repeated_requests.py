"""Repeated requests run once, and unexpected errors are not retried by the connector."""

import asyncio
import uuid
from collections.abc import Callable
from typing import Any

import pytest
import requests
from snowflake.connector.errors import ProgrammingError

from sandbox.snowflake.server import repeated_requests
from sandbox.snowflake.server.repeated_requests import RepeatedRequests

Connect = Callable[..., Any]


def post(connection: Any, sql: str, request_id: str, **extra: str) -> dict[str, Any]:
    """Sends a statement as the connector does."""
    response: dict[str, Any] = requests.post(
        f"http://127.0.0.1:{connection.port}/queries/v1/query-request",
        params={"requestId": request_id, **extra},
        headers={"Authorization": f'Snowflake Token="{connection.rest.token}"'},
        json={"sqlText": sql},
        timeout=10,
    ).json()
    return response


def test_same_request_id_runs_once(connection: Any, run: Callable[..., Any]) -> None:
    run("CREATE TABLE repeated (a INT)")
    request_id = str(uuid.uuid4())
    first = post(connection, "INSERT INTO repeated VALUES (1)", request_id)
    again = post(connection, "INSERT INTO repeated VALUES (1)", request_id, retryCount="1")
    assert first["success"]
    assert first == again
    assert run("SELECT COUNT(*) FROM repeated") == [(1,)]
    post(connection, "INSERT INTO repeated VALUES (1)", str(uuid.uuid4()))
    assert run("SELECT COUNT(*) FROM repeated") == [(2,)]


def test_repeated_begin_succeeds(connection: Any) -> None:
    request_id = str(uuid.uuid4())
    assert [post(connection, "BEGIN", request_id)["success"] for _ in range(2)] == [True, True]


def scope(request_id: str) -> dict[str, Any]:
    return {
        "type": "http",
        "path": repeated_requests.QUERY_PATH,
        "query_string": f"requestId={request_id}".encode(),
    }


class Backend:
    """An app that counts its calls, and sends `body` after `may_respond` is set."""

    def __init__(self, body: bytes = b"x") -> None:
        self.runs = 0
        self.body = body
        self.may_respond = asyncio.Event()

    async def __call__(self, _scope: Any, _receive: Any, send: Any) -> None:
        """Counts the call, waits, and sends the body."""
        self.runs += 1
        await self.may_respond.wait()
        await send({"type": "http.response.body", "body": self.body})


async def receive() -> Any:
    raise AssertionError("nothing to receive")


def test_repeated_request_gets_the_first_response_even_if_the_first_client_left() -> None:
    async def scenario() -> None:
        backend, responses = Backend(), []
        app = RepeatedRequests(backend)

        async def send(message: Any) -> None:
            responses.append(message["body"])

        first = asyncio.create_task(app(scope("r"), receive, send))
        await asyncio.sleep(0)
        first.cancel()
        second = asyncio.create_task(app(scope("r"), receive, send))
        await asyncio.sleep(0)
        backend.may_respond.set()
        await second
        assert (backend.runs, responses) == (1, [b"x"])

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("limit", "value"), [("MAX_CACHED_RESPONSES", 2), ("MAX_CACHED_BYTES", 20)], ids=["by number", "by size"]
)
def test_cache_of_responses_is_bounded(monkeypatch: pytest.MonkeyPatch, limit: str, value: int) -> None:
    monkeypatch.setattr(repeated_requests, limit, value)

    async def scenario() -> None:
        backend = Backend(b"x" * 10)
        backend.may_respond.set()
        app = RepeatedRequests(backend)

        async def send(message: Any) -> None:
            assert message["body"]

        for number in range(50):
            await app(scope(str(number)), receive, send)
        assert len(app.responses) <= 4
        await app(scope("49"), receive, send)
        assert backend.runs == 50

    asyncio.run(scenario())


def test_unexpected_exception_is_returned_as_an_error_without_retries(
    connection: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError("something in the engine")

    monkeypatch.setattr("sandbox.snowflake.statements.cursor.Cursor._execute_statement", broken)
    with pytest.raises(ProgrammingError, match=r"does not emulate this statement.*something in the engine"):
        connection.cursor().execute("SELECT 1")


def test_unsupported_result_type_is_returned_as_an_error_without_retries(run: Callable[..., Any]) -> None:
    with pytest.raises(ProgrammingError, match="does not emulate"):
        run("SELECT INTERVAL '1 day'")
