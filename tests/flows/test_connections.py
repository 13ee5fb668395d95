"""Clients from blocks: warning before the consent expires; errors that show no secret of a block."""

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


@pytest.mark.parametrize(("days", "warned"), [(0, False), (149, False), (150, True), (400, True)])
def test_a_run_warns_from_day_150_after_the_consent(
    credentials: SpotifyCredentials, days: int, warned: bool, caplog: pytest.LogCaptureFixture
) -> None:
    credentials.authorized_at = datetime.now(UTC) - timedelta(days=days, minutes=1)
    credentials.save("consent", overwrite=True)
    with caplog.at_level(logging.WARNING):
        find_spotify("consent")

    assert (f"authorised the app {days} days ago" in caplog.text) == warned


def test_an_app_without_a_user_is_never_warned(
    credentials: SpotifyCredentials, caplog: pytest.LogCaptureFixture
) -> None:
    credentials.refresh_token = None
    credentials.save("app-only", overwrite=True)
    find_spotify("app-only")

    assert "authorised" not in caplog.text


def store_invalid(saved: Any, wrong: dict[str, object]) -> None:
    """Stores values that the block class rejects; Prefect's form for blocks can do the same."""
    with get_client(sync_client=True) as api:
        document = api.read_block_document(saved, include_secrets=True)
        changed = BlockDocumentUpdate(data={**document.data, **wrong}, merge_existing_data=False)
        api.update_block_document(saved, changed)


WRONG: dict[str, tuple[dict[str, object], str]] = {
    "no client id": ({"client_id": None}, "client_id: Input should be a valid string"),
    "a secret of the wrong type": ({"client_secret": {"canary": "canary"}}, "client_secret: "),
    "plain http": ({"api_url": "http://canary.example/v1"}, "api_url: Value error, must be https://"),
}


@pytest.mark.parametrize(("wrong", "problem"), WRONG.values(), ids=WRONG)
def test_the_error_of_an_invalid_block_shows_none_of_its_values(
    credentials: SpotifyCredentials, wrong: dict[str, object], problem: str
) -> None:
    name = f"wrong-{token_hex(4)}"
    credentials.client_secret = SecretStr("canary")
    store_invalid(credentials.save(name), wrong)

    with pytest.raises(ConfigurationError, match="Correct it") as refused:
        find_spotify(name)
    assert problem in str(refused.value)
    assert "canary" not in "".join(traceback.format_exception(refused.value))


def test_an_invalid_admin_block_does_not_fall_back_to_the_other(prefect_api: dict[str, str]) -> None:
    del prefect_api
    name = f"admin-{token_hex(4)}"
    login = SnowflakeCredentials(account="a", user="u", password=SecretStr("canary"))
    connector = SnowflakeConnector(credentials=login, database="d", schema_="s", warehouse="w")
    store_invalid(connector.save(name), {"database": {"canary": "canary"}})

    with pytest.raises(
        ConfigurationError, match=rf"the block '{name}' .*cannot be used \(database: "
    ) as refused:
        open_session(name, "run", otherwise="nowhere")
    assert "canary" not in "".join(traceback.format_exception(refused.value))


@contextmanager
def echoing_api(status: int, tokens: list[str]) -> Iterator[str]:
    """An API that returns `status` and the headers of the request; appends their tokens to `tokens`."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            tokens.append(str(self.headers["Authorization"]))
            body = str(dict(self.headers)).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Keeps the output of the tests clean."""

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
)  # 200: the body is not a block
def test_the_error_of_a_failing_api_shows_nothing_of_its_response(
    status: int, kind: type[PipelineError]
) -> None:
    tokens: list[str] = []
    with (
        echoing_api(status, tokens) as url,
        temporary_settings({PREFECT_API_URL: url, PREFECT_API_KEY: "canary", PREFECT_CLIENT_MAX_RETRIES: 0}),
        pytest.raises(kind) as refused,
    ):
        find_spotify("spotify")
    assert "Bearer canary" in tokens
    assert refused.value.code == Code.PREFECT_UNAVAILABLE
    assert url in refused.value.message
    assert len(str(refused.value).splitlines()) == 1
    assert "canary" not in "".join(traceback.format_exception(refused.value))
