"""Rotation of refresh tokens: storing the new token in the block, concurrent runs, and failures."""

import json
import logging
from datetime import UTC, datetime
from secrets import token_hex
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from blocks import SpotifyCredentials
from pipeline.errors import ConfigurationError, Transient
from pipeline.lake.raw_files import RawFile
from pipeline.records import Envelope
from pipeline.spotify.client import SpotifyClient
from pipeline.spotify.playlists import read_playlist
from pipeline.spotify.token import WAITS_S, AccessToken
from sandbox.spotify.accounts import REFRESH_TOKEN
from sandbox.spotify.catalogue import EMPTY, MIXTAPE, MIXTAPE_LENGTH
from tests.builders import THE_RUN
from tests.spotify import Spotify, Start
from tests.tiers import enumerated

AUTHORIZED_AT = datetime(2026, 11, 1, tzinfo=UTC)


@pytest.fixture
def spotify(start: Start, prefect_api: dict[str, str]) -> Spotify:
    """A stand-in for this test only: changed tokens and settings remain in it."""
    del prefect_api
    return start()


@pytest.fixture
def block(spotify: Spotify) -> str:
    """A stored block with the stand-in's refresh token."""
    name = f"rotation-{token_hex(4)}"
    credentials = spotify.credentials()
    credentials.authorized_at = AUTHORIZED_AT
    credentials.save(name)
    return name


def load(block: str) -> Any:
    return SpotifyCredentials.load(block)


def stored(block: str) -> str:
    return str(load(block).refresh_token.get_secret_value())


def respond(spotify: Spotify, **body: object) -> None:
    """Sets the next response of the token endpoint."""
    spotify.fail({"path": "/api/token", "status": 200, "body": json.dumps(body)})


def client_of(block: str, spotify: Spotify) -> SpotifyClient:
    return SpotifyClient(load(block), sleep=spotify.slept.append)


def test_a_refresh_token_rotated_during_a_run_is_stored_and_works_for_the_next_client(
    spotify: Spotify, block: str
) -> None:
    spotify.standin.set(rotating=True).raise_for_status()
    client = client_of(block, spotify)
    client.authorise()
    first = stored(block)
    spotify.standin.delete("/sandbox/tokens")
    client.playlist(EMPTY)
    second = stored(block)

    assert len({REFRESH_TOKEN, first, second}) == 3
    for old in (REFRESH_TOKEN, first):
        refused = spotify.standin.token(grant_type="refresh_token", refresh_token=old)
        assert refused.json()["error"] == "invalid_grant"
    assert json.loads(client_of(block, spotify).playlist(EMPTY))["id"] == EMPTY
    assert load(block).authorized_at == AUTHORIZED_AT


def test_an_access_token_that_expires_between_pages_is_replaced(spotify: Spotify, block: str) -> None:
    spotify.standin.set(token_lifetime=60).raise_for_status()
    client = client_of(block, spotify)
    client.authorise()
    spotify.standin.set(ahead_s=61).raise_for_status()
    kept = read_playlist(client, THE_RUN, MIXTAPE, lambda _snapshot_id: False, RawFile[Envelope])

    assert kept is not None
    assert kept.envelope.total == MIXTAPE_LENGTH
    assert spotify.tokens_fetched() == 2
    assert [seen for seen in spotify.requested() if seen.endswith(" 401")] == [f"{MIXTAPE} 401"]


def test_a_refresh_token_that_expires_during_a_run_requires_a_new_authorisation(
    spotify: Spotify, block: str
) -> None:
    client = client_of(block, spotify)
    client.authorise()
    spotify.standin.set(refresh_days=180, ahead_s=181 * 86_400).raise_for_status()

    with pytest.raises(ConfigurationError, match=r"older than six months.*python -m blocks authorize"):
        client.playlist(EMPTY)
    assert spotify.requested() == [f"{EMPTY} 401"]
    assert spotify.tokens_fetched() == 2


INVALID_TOKENS: dict[str, object] = {
    "null": None,
    "empty": "",
    "a number": 7,
    "a list": ["x"],
    "an object": {"a": 1},
    "a flag": True,
    "a blank": " ",
    "two lines": "a\nb",
    "lone surrogate": "\ud83d",
}
"""Values that are not a token."""


@pytest.mark.parametrize(
    "invalid", enumerated(INVALID_TOKENS, ["null", "a number", "a blank", "lone surrogate"])
)
def test_an_invalid_refresh_token_is_not_stored(spotify: Spotify, block: str, invalid: str) -> None:
    respond(spotify, access_token="x", expires_in=3600, refresh_token=INVALID_TOKENS[invalid])
    token = AccessToken(load(block))

    assert token.get() == "x"
    assert spotify.fired() == [1]
    assert stored(block) == REFRESH_TOKEN
    token.drop("x")
    assert token.get().startswith("sandbox-access-")


@pytest.mark.parametrize(
    "rest",
    [
        {},
        {"access_token": "x"},
        {"access_token": None, "expires_in": 1},
        {"access_token": "x", "expires_in": "y"},
    ],
)
def test_a_rotated_token_is_stored_even_if_the_response_is_otherwise_unusable(
    spotify: Spotify, block: str, rest: dict[str, object]
) -> None:
    respond(spotify, refresh_token="rotated", **rest)
    with pytest.raises(Transient, match="token endpoint returned"):
        AccessToken(load(block)).get()

    assert spotify.fired() == [1]
    assert stored(block) == "rotated"


RETRIED = {
    f"{name}, {owner} token": (INVALID_TOKENS[name], owner == "user's")
    for name in ("null", "empty", "a number", "a list", "an object", "two lines")
    for owner in ("user's", "app's")
}


@pytest.mark.parametrize(
    "case",
    enumerated(
        RETRIED,
        ["null, user's token", "a number, user's token", "two lines, user's token", "empty, app's token"],
    ),
)
def test_an_invalid_access_token_is_requested_again(spotify: Spotify, case: str) -> None:
    invalid, user = RETRIED[case]
    respond(spotify, access_token=invalid, expires_in=3600)

    assert json.loads(spotify.client(user=user).playlist(EMPTY))["id"] == EMPTY
    assert spotify.fired() == [1]
    assert len(spotify.slept) == 1


def test_a_refresh_token_in_the_response_to_an_app_is_ignored(spotify: Spotify, block: str) -> None:
    credentials = load(block)
    credentials.refresh_token = None
    credentials.save(block, overwrite=True)
    respond(spotify, access_token="x", expires_in=3600, refresh_token="unexpected")

    assert AccessToken(load(block)).get() == "x"
    assert spotify.fired() == [1]
    assert load(block).refresh_token is None


def break_saving(monkeypatch: pytest.MonkeyPatch, times: int) -> list[str]:
    """Makes the next `times` saves of a block fail; returns the list of failed saves."""
    save: Any = SpotifyCredentials.save
    failed: list[str] = []

    def broken(block: SpotifyCredentials, name: str, **options: bool) -> object:
        if len(failed) < times:
            failed.append(name)
            raise httpx.ConnectError("canary")
        return save(block, name, **options)

    monkeypatch.setattr(SpotifyCredentials, "save", broken)
    return failed


def test_a_failed_save_is_retried(
    spotify: Spotify, block: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    failed = break_saving(monkeypatch, len(WAITS_S))
    respond(spotify, access_token="x", expires_in=3600, refresh_token="rotated")
    slept: list[float] = []

    assert AccessToken(load(block), slept.append).get() == "x"
    assert (len(failed), slept) == (len(WAITS_S), list(WAITS_S))
    assert stored(block) == "rotated"
    assert caplog.text == ""


def test_a_save_that_keeps_failing_is_logged_as_an_error_and_the_run_continues(
    spotify: Spotify, block: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    failed = break_saving(monkeypatch, len(WAITS_S) + 1)
    spotify.standin.set(rotating=True).raise_for_status()
    token = AccessToken(load(block), spotify.slept.append)
    first = token.get()

    assert len(failed) == len(WAITS_S) + 1
    assert stored(block) == REFRESH_TOKEN
    (error,) = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert "could not be stored (ConnectError)" in error.getMessage()
    assert "Authorise again: python -m blocks authorize" in error.getMessage()
    assert "canary" not in caplog.text
    token.drop(first)
    assert token.get() != first
    assert stored(block) != REFRESH_TOKEN  # the next save succeeds and stores the current token
    assert AccessToken(load(block)).get()


def test_a_save_whose_response_is_lost_counts_as_done(
    spotify: Spotify, block: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    save: Any = SpotifyCredentials.save
    lost: list[object] = []

    def lose(*args: Any, **options: Any) -> None:
        save(*args, **options)
        lost.append(args)
        if len(lost) == 1:
            raise httpx.ReadTimeout("")

    monkeypatch.setattr(SpotifyCredentials, "save", lose)
    respond(spotify, access_token="x", expires_in=3600, refresh_token="rotated")

    assert AccessToken(load(block), spotify.slept.append).get() == "x"
    assert lost
    assert stored(block) == "rotated"


def test_a_token_stored_by_another_run_is_used(spotify: Spotify, block: str) -> None:
    spotify.standin.set(rotating=True).raise_for_status()
    late, early = client_of(block, spotify), client_of(block, spotify)
    early.authorise()
    late.authorise()

    assert spotify.tokens_fetched() == 3  # one of them refused
    assert json.loads(late.playlist(EMPTY))["id"] == EMPTY
    assert json.loads(client_of(block, spotify).playlist(EMPTY))["id"] == EMPTY


@pytest.mark.parametrize("reason", ["same token", "block deleted"])
def test_a_refused_token_without_a_successor_stops_the_run(spotify: Spotify, block: str, reason: str) -> None:
    client = client_of(block, spotify)
    spotify.standin.set(refresh_days=0).raise_for_status()
    if reason == "block deleted":
        SpotifyCredentials.delete(block)

    with pytest.raises(ConfigurationError, match="Spotify refuses the refresh token"):
        client.authorise()
    assert spotify.tokens_fetched() == 1


def test_storing_a_token_changes_no_other_field_of_the_block(spotify: Spotify, block: str) -> None:
    running = load(block)
    changed = load(block)
    changed.authorized_at, changed.client_secret = datetime(2026, 12, 1, tzinfo=UTC), SecretStr("changed")
    changed.save(block, overwrite=True)
    respond(spotify, access_token="x", expires_in=3600, refresh_token="rotated")

    assert AccessToken(running).get() == "x"
    after = load(block)
    assert after.refresh_token.get_secret_value() == "rotated"
    assert after.client_secret.get_secret_value() == "changed"
    assert after.authorized_at == datetime(2026, 12, 1, tzinfo=UTC)


def test_a_token_stored_by_another_process_meanwhile_is_not_overwritten(spotify: Spotify, block: str) -> None:
    token = AccessToken(load(block))
    other = load(block)
    other.refresh_token = SecretStr("authorised-meanwhile")
    other.save(block, overwrite=True)
    respond(spotify, access_token="x", expires_in=3600, refresh_token="rotated")

    assert token.get() == "x"
    assert spotify.fired() == [1]
    assert stored(block) == "authorised-meanwhile"
