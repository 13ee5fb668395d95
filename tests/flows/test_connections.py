"""Clients from blocks: the shared rate limit, and the reminder before a refresh token dies."""

import logging
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from secrets import token_hex
from threading import Thread
from typing import Any

import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import BlockDocumentUpdate
from prefect.settings import (
    PREFECT_API_KEY,
    PREFECT_API_URL,
    PREFECT_CLIENT_MAX_RETRIES,
    temporary_settings,
)
from prefect_snowflake import SnowflakeConnector, SnowflakeCredentials
from pydantic import SecretStr

from blocks import SpotifyCredentials
from flows.connections import find_spotify, open_session
from pipeline.errors import Code, ConfigurationError, PipelineError, Transient


@pytest.fixture
def credentials(prefect_api: dict[str, str]) -> SpotifyCredentials:
    del prefect_api
    return SpotifyCredentials(
        client_id=f"id{token_hex(4)}", client_secret=SecretStr("s"), refresh_token=SecretStr("r")
    )


@pytest.mark.parametrize(("days", "reminded"), [(0, False), (149, False), (150, True), (400, True)])
def test_a_run_reminds_from_day_150(
    credentials: SpotifyCredentials, days: int, reminded: bool, caplog: pytest.LogCaptureFixture
) -> None:
    credentials.authorized_at = datetime.now(UTC) - timedelta(days=days, minutes=1)
    credentials.save("reminder", overwrite=True)
    with caplog.at_level(logging.WARNING):
        find_spotify("reminder")

    assert (f"authorised the app {days} days ago" in caplog.text) == reminded


def test_an_app_without_a_user_is_never_reminded(
    credentials: SpotifyCredentials, caplog: pytest.LogCaptureFixture
) -> None:
    credentials.refresh_token = None
    credentials.save("app-only", overwrite=True)
    find_spotify("app-only")

    assert "authorised" not in caplog.text


def spoil(saved: Any, wrong: dict[str, object]) -> None:
    """Stores what the block itself would refuse, as Prefect's own form may."""
    with get_client(sync_client=True) as api:
        document = api.read_block_document(saved, include_secrets=True)
        changed = BlockDocumentUpdate(data={**document.data, **wrong}, merge_existing_data=False)
        api.update_block_document(saved, changed)


WRONG: dict[str, tuple[dict[str, object], str]] = {
    "no client id": ({"client_id": None}, "client_id: Input should be a valid string"),
    "a secret of the wrong type": ({"client_secret": {"canary": "canary"}}, "client_secret: "),
    "plain http": ({"api_url": "http://canary.example/v1"}, "api_url: Value error, must be https://"),
}


@pytest.mark.parametrize(("wrong", "said"), WRONG.values(), ids=WRONG)
def test_a_block_that_cannot_be_read_shows_none_of_its_values(
    credentials: SpotifyCredentials, wrong: dict[str, object], said: str
) -> None:
    name = f"wrong-{token_hex(4)}"
    credentials.client_secret = SecretStr("canary")
    spoil(credentials.save(name), wrong)

    with pytest.raises(ConfigurationError, match="Correct it") as refused:
        find_spotify(name)
    assert said in str(refused.value)
    assert "canary" not in "".join(traceback.format_exception(refused.value))


def test_a_block_that_cannot_be_read_is_not_replaced_by_another_one(prefect_api: dict[str, str]) -> None:
    del prefect_api
    name = f"admin-{token_hex(4)}"
    login = SnowflakeCredentials(account="a", user="u", password=SecretStr("canary"))
    connector = SnowflakeConnector(credentials=login, database="d", schema_="s", warehouse="w")
    spoil(connector.save(name), {"database": {"canary": "canary"}})

    with pytest.raises(
        ConfigurationError, match=rf"the block '{name}' .*cannot be used \(database: "
    ) as refused:
        open_session(name, "run", otherwise="nowhere")
    assert "canary" not in "".join(traceback.format_exception(refused.value))


@contextmanager
def repeating_api(status: int, asked: list[str]) -> Iterator[str]:
    """An API that answers every request with a status and a page that repeats the request."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(str(self.headers["Authorization"]))
            body = str(dict(self.headers)).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/api"
        server.shutdown()


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (403, ConfigurationError),
        (413, ConfigurationError),
        (500, Transient),
        (200, Transient),
    ],
)  # 200: what is no block
def test_an_api_that_gives_no_block_shows_none_of_its_answer(status: int, kind: type[PipelineError]) -> None:
    asked: list[str] = []
    with (
        repeating_api(status, asked) as url,
        temporary_settings({PREFECT_API_URL: url, PREFECT_API_KEY: "canary", PREFECT_CLIENT_MAX_RETRIES: 0}),
        pytest.raises(kind) as refused,
    ):
        find_spotify("spotify")
    assert "Bearer canary" in asked
    assert refused.value.code == Code.PREFECT_UNAVAILABLE
    assert url in refused.value.message
    assert len(str(refused.value).splitlines()) == 1
    assert "canary" not in "".join(traceback.format_exception(refused.value))
