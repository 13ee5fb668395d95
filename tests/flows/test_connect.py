"""Clients from blocks: the shared rate limit, and the reminder before a refresh token dies."""

import logging
from datetime import UTC, datetime, timedelta
from secrets import token_hex

import pytest
from prefect.client.orchestration import get_client
from pydantic import SecretStr

from blocks import SpotifyCredentials
from flows.connect import find_spotify


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


def test_a_missing_rate_limit_is_a_warning(
    credentials: SpotifyCredentials, caplog: pytest.LogCaptureFixture
) -> None:
    credentials.save("unlimited", overwrite=True)
    client = find_spotify("unlimited")
    client._before_request()  # noqa: SLF001 - goes on all the same

    assert f"no rate limit 'spotify-{credentials.client_id}'" in caplog.text


def test_each_request_takes_a_slot(credentials: SpotifyCredentials, caplog: pytest.LogCaptureFixture) -> None:
    credentials.save("limited", overwrite=True)
    with get_client(sync_client=True) as api:
        api.upsert_global_concurrency_limit_by_name(credentials.rate_limit, 10, 0.0001)
        client = find_spotify("limited")
        for _ in range(3):
            client._before_request()  # noqa: SLF001 - what every request does first
        taken = api.read_global_concurrency_limit_by_name(credentials.rate_limit).active_slots

    assert taken == 4
    assert "no rate limit" not in caplog.text
