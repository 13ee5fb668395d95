"""Blocks from the environment: all of them, again and again, nothing forgotten."""

import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from secrets import token_hex
from typing import Any

import pytest
from prefect.client.orchestration import get_client
from prefect_aws import S3Bucket
from prefect_snowflake import SnowflakeConnector
from pydantic import SecretStr, ValidationError

from blocks import SpotifyCredentials
from blocks.register import main, register

ENVIRONMENT = {
    "SPOTIFY_CLIENT_ID": "id",
    "SPOTIFY_CLIENT_SECRET": "canary-secret",
    "LAKE_BUCKET": "bucket",
    "SNOWFLAKE_ACCOUNT": "account",
    "SNOWFLAKE_USER": "user",
    "SNOWFLAKE_PRIVATE_KEY": "-----BEGIN PRIVATE KEY-----\nY2FuYXJ5\n-----END PRIVATE KEY-----",
}


@pytest.fixture
def environment(prefect_api: dict[str, str]) -> dict[str, str]:
    del prefect_api
    return {**ENVIRONMENT, "SPOTIFY_CLIENT_ID": f"id{token_hex(4)}"}


def load(kind: Any, name: str) -> Any:  # noqa: ANN401 - blocks have their own fields
    return kind.load(name)


def test_every_block_has_its_default_name(environment: dict[str, str]) -> None:
    assert register(environment) == ["spotify", "aws", "lake", "warehouse"]
    assert load(SpotifyCredentials, "spotify").api_url == "https://api.spotify.com/v1"
    assert load(S3Bucket, "lake").bucket_name == "bucket"
    warehouse = load(SnowflakeConnector, "warehouse")
    found = (warehouse.database, warehouse.schema_, warehouse.warehouse, warehouse.credentials.role)
    assert found == ("SPOTIFY", "PLAYLISTS", "SPOTIFY_LOAD", "SPOTIFY_LOADER")
    assert warehouse.credentials.model_extra["network_timeout"] == 120


def test_it_may_be_repeated_and_takes_the_new_values(environment: dict[str, str]) -> None:
    register(environment, suffix="-again")
    register({**environment, "LAKE_BUCKET": "other"}, suffix="-again")

    assert load(S3Bucket, "lake-again").bucket_name == "other"


@pytest.mark.parametrize("given", [{}, {"SPOTIFY_REFRESH_TOKEN": "first"}], ids=["none", "the original"])
def test_a_stored_refresh_token_outlives_the_environments(
    environment: dict[str, str], given: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    name = f"-kept{token_hex(4)}"
    register({**environment, "SPOTIFY_REFRESH_TOKEN": "first"}, suffix=name)
    stored = load(SpotifyCredentials, f"spotify{name}")
    stored.authorized_at = datetime(2026, 11, 1, tzinfo=UTC)
    stored.save(f"spotify{name}", overwrite=True)
    stored.keep_refresh_token("rotated")
    assert capsys.readouterr().out == ""
    register({**environment, **given}, suffix=name)

    kept = load(SpotifyCredentials, f"spotify{name}")
    assert kept.refresh_token.get_secret_value() == "rotated"
    assert kept.authorized_at == datetime(2026, 11, 1, tzinfo=UTC)
    told = "python -m blocks.authorize_spotify replaces it" in capsys.readouterr().out
    assert told == bool(given)


def test_another_app_takes_no_refresh_token_over(environment: dict[str, str]) -> None:
    register({**environment, "SPOTIFY_REFRESH_TOKEN": "of the old app"}, suffix="-other")
    new = {"SPOTIFY_CLIENT_ID": f"id{token_hex(4)}", "SPOTIFY_REFRESH_TOKEN": "of the new app"}
    register({**environment, **new}, suffix="-other")

    assert load(SpotifyCredentials, "spotify-other").refresh_token.get_secret_value() == "of the new app"


def test_the_rate_limit_is_made_once_and_stays_as_tuned(environment: dict[str, str]) -> None:
    register(environment, suffix="-limited")
    name = load(SpotifyCredentials, "spotify-limited").rate_limit
    with get_client(sync_client=True) as client:
        made = client.read_global_concurrency_limit_by_name(name)
        client.upsert_global_concurrency_limit_by_name(name, 7, 1.0)
        register(environment, suffix="-limited")
        tuned = client.read_global_concurrency_limit_by_name(name)

    assert (made.limit, made.slot_decay_per_second) == (30, 5.0)
    assert (tuned.limit, tuned.slot_decay_per_second) == (7, 1.0)


@pytest.mark.parametrize("missing", sorted(ENVIRONMENT))
def test_a_missing_variable_is_named(environment: Mapping[str, str], missing: str) -> None:
    with pytest.raises(KeyError, match=missing):
        register({name: value for name, value in environment.items() if name != missing}, suffix="-missing")


def test_the_command_names_a_missing_variable_and_shows_no_traceback(prefect_api: dict[str, str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "blocks.register"],
        env=prefect_api,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 1
    assert " is not set: see docs/operations.md" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_command_names_a_wrong_field_and_shows_no_value(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in {**environment, "SPOTIFY_API_URL": "https://u:canary@example.org"}.items():
        monkeypatch.setenv(name, value)

    assert main() == 1
    told = capsys.readouterr().err
    assert "correct SpotifyCredentials, api_url: Value error, must be https://" in told
    assert "canary" not in told


@pytest.mark.parametrize("variable", ["SPOTIFY_REQUESTS_PER_SECOND", "SNOWFLAKE_NETWORK_TIMEOUT"])
def test_the_command_names_a_number_that_is_none(
    environment: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    variable: str,
) -> None:
    for name, value in {**environment, variable: "fast"}.items():
        monkeypatch.setenv(name, value)

    assert main() == 1
    assert f"nothing is registered: {variable} is 'fast', which is no number" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("https://api.example.org/v1", True),
        ("http://127.0.0.1:80/v1", True),
        ("http://[::1]:80/v1", True),
        ("http://localhost:80/v1", True),
        ("http://api.example.org/v1", False),
        ("http://127.0.0.1.example.org/v1", False),
        ("ftp://127.0.0.1/v1", False),
        ("//api.example.org", False),
        ("http://evil.example\\@127.0.0.1/v1", False),
        ("https://canary:canary@api.example.org/v1", False),
        ("http://canary@127.0.0.1/v1", False),
        ("https://api.example.org/v1\n", False),
        ("https://api.example.org/v1?key=canary", False),
        ("https://api.example.org/v1#canary", False),
        ("https://api.example.org:canary/v1", False),
        ("https://", False),
        ("https:evil", False),
        ("https:///v1", False),
    ],
)
def test_secrets_travel_encrypted_or_not_at_all(url: str, allowed: bool) -> None:
    def make() -> SpotifyCredentials:
        return SpotifyCredentials(client_id="i", client_secret=SecretStr("s"), api_url=url, accounts_url=url)

    if allowed:
        assert make().api_url == url
    else:
        with pytest.raises(ValidationError, match="https") as refused:
            make()
        assert [word for word in ("canary", "evil", "example") if word in str(refused.value)] == []


def test_secrets_show_in_no_repr() -> None:
    block = SpotifyCredentials(
        client_id="i", client_secret=SecretStr("canary"), refresh_token=SecretStr("bird")
    )

    assert "canary" not in repr(block) + str(block) + block.model_dump_json()
    assert "bird" not in repr(block) + str(block) + block.model_dump_json()
