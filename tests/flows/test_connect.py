"""Clients from blocks: the shared rate limit, and the reminder before a refresh token dies."""

import logging
import traceback
from datetime import UTC, datetime, timedelta
from secrets import token_hex
from typing import Any

import httpx
import pytest
from prefect.client import orchestration
from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import BlockDocumentUpdate
from prefect_snowflake import SnowflakeConnector, SnowflakeCredentials
from pydantic import SecretStr

from blocks import SpotifyCredentials
from flows.connect import find_spotify, open_session
from flows.errors import ConfigurationError


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


@pytest.fixture
def limit(credentials: SpotifyCredentials) -> str:
    """A block with its rate limit; the block's name is the limit's."""
    credentials.save(credentials.rate_limit)
    with get_client(sync_client=True) as api:
        api.upsert_global_concurrency_limit_by_name(credentials.rate_limit, 100, 1.0)
    return credentials.rate_limit


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name == "flows.connect"]


def test_a_rate_limit_that_is_deleted_mid_run_is_one_warning(
    limit: str, caplog: pytest.LogCaptureFixture
) -> None:
    client = find_spotify(limit)
    with get_client(sync_client=True) as api:
        api.delete_global_concurrency_limit_by_name(limit)
    for _ in range(3):
        client._before_request()  # noqa: SLF001 - what every request does first

    (warning,) = warnings(caplog)
    assert f"there is no rate limit {limit!r}: create it, python -m blocks.register" in warning


def test_questions_for_a_slot_that_time_out_are_one_warning_and_the_next_one_is_asked(
    limit: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = find_spotify(limit)
    increment: Any = orchestration.PrefectClient.increment_concurrency_slots
    asked: list[object] = []

    async def slow(*args: Any, **options: Any) -> object:
        asked.append(options)
        if len(asked) <= 2:
            raise httpx.ReadTimeout("")
        return await increment(*args, **options)

    monkeypatch.setattr(orchestration.PrefectClient, "increment_concurrency_slots", slow)
    for _ in range(3):
        client._before_request()  # noqa: SLF001 - what every request does first

    assert len(asked) == 3
    (warning,) = warnings(caplog)
    assert f"no slot of the rate limit {limit!r} for a request (ReadTimeout)" in warning


def test_a_rate_limit_without_slot_decay_is_a_warning_that_says_how_to_mend_it(
    limit: str, caplog: pytest.LogCaptureFixture
) -> None:
    with get_client(sync_client=True) as api:
        api.upsert_global_concurrency_limit_by_name(limit, 100, 0.0)
    find_spotify(limit)._before_request()  # noqa: SLF001 - goes on all the same

    (warning,) = warnings(caplog)
    assert f"prefect gcl update {limit} --slot-decay-per-second 5" in warning


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
