"""The client's retries: which faults it retries, how long it waits, and when it gives up."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import ConfigurationError, PlaylistUnavailable
from pipeline.spotify.token import AccessToken
from pipeline.threads import THREADS
from pipeline.usage import metered
from sandbox.spotify.catalogue import CHARTS, EMPTIED, EMPTY, MIXTAPE
from tests.spotify import Spotify

CHART = CHARTS[0]


def _fault(**further: object) -> dict[str, object]:
    return {"path": f"/v1/playlists/{CHART}", **further}


TRANSIENT: dict[str, dict[str, object]] = {
    "503": _fault(status=503),
    "500, twice": _fault(status=500, times=2),
    "502 with HTML": _fault(kind="html", status=502),
    "reset": _fault(kind="reset"),
    "empty body": _fault(kind="empty"),
    "HTML instead of JSON": _fault(kind="html"),
    "cut response": _fault(kind="truncated"),
    "null": _fault(status=200, body="null"),
    "error that is a string": _fault(status=500, body='{"error": "server_error"}'),
}


@pytest.mark.parametrize("fault", TRANSIENT.values(), ids=TRANSIENT)
def test_transient_faults_are_retried_with_exponential_backoff(
    spotify: Spotify, fault: dict[str, Any]
) -> None:
    times = fault.get("times", 1)
    spotify.fail(fault)
    with metered() as meter:
        body = spotify.client().playlist(CHART)
    assert json.loads(body)["id"] == CHART
    assert meter.usage().spotify_requests == len(spotify.requested()) + spotify.tokens_fetched()
    assert spotify.fired() == [times]
    assert len(spotify.requested()) == times + 1
    assert len(spotify.slept) == times
    assert all(2**attempt / 2 <= slept <= 2**attempt for attempt, slept in enumerate(spotify.slept))


def test_the_body_is_returned_unchanged(spotify: Spotify) -> None:
    spotify.fail(_fault(status=200, body='{ "id":\n"\\ud83d", "f": 1.0 }'))
    assert spotify.client().playlist(CHART) == b'{ "id":\n"\\ud83d", "f": 1.0 }'
    assert spotify.fired() == [1]


def test_a_429_is_retried_after_its_retry_after(spotify: Spotify) -> None:
    spotify.fail(
        _fault(status=429, headers={"Retry-After": "7"}), _fault(status=429, headers={"Retry-After": "2"})
    )
    assert json.loads(spotify.client().playlist(CHART))["id"] == CHART
    assert spotify.fired() == [1, 1]
    assert spotify.slept == [7, 2]


def test_an_expired_token_is_replaced_once_without_waiting(spotify: Spotify) -> None:
    client = spotify.client()
    client.playlist(EMPTY)
    spotify.standin.delete("/sandbox/tokens")
    assert json.loads(client.playlist(CHART))["id"] == CHART
    assert [seen.rsplit(" ", 1)[1] for seen in spotify.requested()] == ["200", "401", "200"]
    assert spotify.tokens_fetched() == 2
    assert spotify.slept == []


def test_many_threads_replace_an_expired_token_once(spotify: Spotify) -> None:
    client = spotify.client()
    client.authorise()
    spotify.standin.delete("/sandbox/tokens")
    with ThreadPoolExecutor(THREADS) as threads:
        bodies = list(threads.map(client.playlist, [CHART, EMPTY, EMPTIED, MIXTAPE] * 6))
    assert [json.loads(body)["id"] for body in bodies] == [CHART, EMPTY, EMPTIED, MIXTAPE] * 6
    assert spotify.tokens_fetched() == 2


def test_a_retry_after_of_zero_uses_up_the_budget_in_steps_of_a_second(spotify: Spotify) -> None:
    spotify.fail(_fault(status=429, headers={"Retry-After": "0"}, times=99))
    with pytest.raises(PlaylistUnavailable, match="wait budget of 5 s is used up"):
        spotify.client(budget_s=5).playlist(CHART)
    assert spotify.slept == [1.0] * 5
    assert spotify.fired() == [6]


@pytest.mark.parametrize("body", ["{}", "[]", '{"access_token": "x"}', '"text"'])
def test_an_unusable_token_response_is_retried(spotify: Spotify, body: str) -> None:
    spotify.fail({"path": "/api/token", "status": 200, "body": body})
    assert json.loads(spotify.client().playlist(CHART))["id"] == CHART
    assert spotify.fired() == [1]
    assert len(spotify.slept) == 1


@pytest.mark.parametrize("body", ["[]", '"text"', '{"error": "text"}', "<html>"])
def test_a_502_of_the_token_endpoint_is_retried_whatever_its_body(spotify: Spotify, body: str) -> None:
    spotify.fail({"path": "/api/token", "status": 502, "body": body})
    assert json.loads(spotify.client().playlist(CHART))["id"] == CHART
    assert spotify.fired() == [1]


def test_a_response_nested_too_deeply_fails_its_playlist(spotify: Spotify) -> None:
    spotify.fail(_fault(status=200, body='{"a":' + "[" * 200_000 + "]" * 200_000 + "}"))
    with pytest.raises(PlaylistUnavailable, match="nested too deeply"):
        spotify.client().playlist(CHART)
    assert spotify.fired() == [1]


def test_a_thread_with_the_old_token_does_not_drop_the_new_one(spotify: Spotify) -> None:
    token = AccessToken(spotify.credentials())
    seen_by_both = token.get()
    token.drop(seen_by_both)
    new = token.get()
    token.drop(seen_by_both)
    assert token.get() == new != seen_by_both
    assert spotify.tokens_fetched() == 2


def test_many_threads_fetch_one_token_and_get_their_own_responses(spotify: Spotify) -> None:
    client = spotify.client()
    with ThreadPoolExecutor(THREADS) as threads:
        bodies = list(threads.map(client.playlist, [CHART, EMPTY, EMPTIED, MIXTAPE] * 6))
    assert [json.loads(body)["id"] for body in bodies] == [CHART, EMPTY, EMPTIED, MIXTAPE] * 6
    assert spotify.tokens_fetched() == 1


@pytest.mark.parametrize("user", [True, False], ids=["user's token", "app's token"])
def test_authorising_fetches_the_token_and_nothing_else(spotify: Spotify, *, user: bool) -> None:
    client = spotify.client(user=user)
    client.authorise()
    client.authorise()
    assert spotify.tokens_fetched() == 1
    assert spotify.requested() == []
    assert json.loads(client.playlist(EMPTY))["id"] == EMPTY
    assert spotify.tokens_fetched() == 1


TOKEN_PATH = {"path": "/api/token"}
TOKEN_TRANSIENT: dict[str, dict[str, object]] = {
    "503": {"status": 503},
    "503 with HTML": {"kind": "html", "status": 503},
    "429": {"status": 429, "headers": {"Retry-After": "1"}},
    "reset": {"kind": "reset"},
    "empty body": {"kind": "empty"},
    "HTML instead of JSON": {"kind": "html"},
}


@pytest.mark.parametrize("user", [True, False], ids=["user's token", "app's token"])
@pytest.mark.parametrize("fault", TOKEN_TRANSIENT.values(), ids=TOKEN_TRANSIENT)
def test_transient_faults_of_the_token_endpoint_are_retried(
    spotify: Spotify, fault: dict[str, object], *, user: bool
) -> None:
    spotify.fail(TOKEN_PATH | fault)
    spotify.client(user=user).authorise()
    assert spotify.fired() == [1]
    assert spotify.tokens_fetched() == 2
    assert len(spotify.slept) == 1


@pytest.mark.parametrize("code", ["invalid_grant", "invalid_client"])
def test_a_refused_token_is_not_retried(spotify: Spotify, code: str) -> None:
    spotify.fail(TOKEN_PATH | {"status": 400, "times": 9, "body": json.dumps({"error": code})})
    with pytest.raises(ConfigurationError, match=r"Spotify refuses the (refresh token|client id or secret)"):
        spotify.client().authorise()
    assert spotify.fired() == [1]
    assert spotify.slept == []


def test_a_wrong_client_secret_is_a_configuration_error(spotify: Spotify) -> None:
    with pytest.raises(ConfigurationError, match="client id or secret"):
        spotify.client(secret="wrong").authorise()
    assert spotify.tokens_fetched() == 1


def test_an_exhausted_wait_budget_fails_the_playlist(spotify: Spotify) -> None:
    spotify.fail(_fault(status=429, headers={"Retry-After": "40"}, times=9))
    with pytest.raises(
        PlaylistUnavailable, match=rf"{CHART}.*requires a wait of 40 s.*used up. Run again later"
    ):
        spotify.client(budget_s=100).playlist(CHART)
    assert spotify.slept == [40, 40]
    assert spotify.fired() == [3]


def test_all_playlists_of_a_client_share_one_wait_budget(spotify: Spotify) -> None:
    spotify.fail({"path": "/v1/playlists/", "status": 429, "headers": {"Retry-After": "40"}, "times": 3})
    client = spotify.client(budget_s=100)
    with pytest.raises(PlaylistUnavailable, match=CHART):
        client.playlist(CHART)
    spotify.fail({"path": "/v1/playlists/", "status": 429, "headers": {"Retry-After": "40"}})
    with pytest.raises(PlaylistUnavailable, match=EMPTY):
        client.playlist(EMPTY)
    assert spotify.slept == [40, 40]
    assert spotify.fired() == [1]
    assert json.loads(client.playlist(EMPTY))["id"] == EMPTY


def test_retries_of_a_lasting_fault_end_within_the_budget(spotify: Spotify) -> None:
    spotify.fail(_fault(status=503, times=99))
    with pytest.raises(PlaylistUnavailable, match=f"playlist {CHART}: Spotify returned 503"):
        spotify.client(budget_s=20).playlist(CHART)
    assert len(spotify.slept) >= 4  # 1 + 2 + 4 + 8 s at most, each with jitter
    assert sum(spotify.slept) <= 20
    assert spotify.fired() == [len(spotify.slept) + 1]


def test_a_netrc_file_does_not_override_the_token(
    spotify: Spotify, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("default login other-user password other\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    assert json.loads(spotify.client().playlist(CHART))["id"] == CHART
