"""The spotipy adapter: unchanged bytes, a token per request, one connection for all requests."""

import json
import logging
from pathlib import Path

import pytest

from pipeline.spotify.http import ClientState, ErrorResponse
from pipeline.spotify.spotipy_adapter import WebApi, refresh_token, request_app_token
from sandbox.spotify.accounts import REFRESH_TOKEN
from sandbox.spotify.catalogue import EMPTY
from tests.spotify import Spotify

PATH = f"playlists/{EMPTY}"


@pytest.fixture
def web_api(spotify: Spotify) -> WebApi:
    return WebApi(spotify.credentials().api_url, ClientState())


@pytest.fixture
def token(spotify: Spotify) -> str:
    response = json.loads(request_app_token(spotify.credentials(), ClientState()))
    return str(response["access_token"])


def test_requests_share_a_connection(
    spotify: Spotify, web_api: WebApi, token: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG, "urllib3.connectionpool"):
        for _ in range(3):
            web_api.get(token, PATH, {})
        with pytest.raises(ErrorResponse):
            web_api.get("unknown", PATH, {})
    assert [seen.rsplit(" ", 1)[1] for seen in spotify.requested()] == ["200"] * 3 + ["401"]
    assert caplog.text.count("Starting new HTTP connection") == 1


@pytest.mark.parametrize("body", ["", "<html>", "null", "[1, 2.0]", '{"a": "\\ud83d"}'])
def test_a_body_is_returned_unchanged(spotify: Spotify, web_api: WebApi, token: str, body: str) -> None:
    spotify.fail({"path": PATH, "status": 200, "body": body})
    assert web_api.get(token, PATH, {"fields": "id"}) == body.encode()
    assert spotify.fired() == [1]


def test_an_error_response_has_status_headers_and_a_quote(
    spotify: Spotify, web_api: WebApi, token: str
) -> None:
    error = {"error": {"status": 429, "message": "slow\ndown", "reason": "QUOTA_EXCEEDED"}}
    spotify.fail({"path": PATH, "status": 429, "body": json.dumps(error), "headers": {"Retry-After": "7"}})
    with pytest.raises(ErrorResponse) as raised:
        web_api.get(token, PATH, {})
    refused = raised.value
    assert (refused.status, refused.headers["retry-after"]) == (429, "7")
    assert (refused.quote.text, refused.quote.reason) == ("slowdown", "QUOTA_EXCEEDED")


@pytest.mark.parametrize("body", ["", "<html>", "[]", '"text"', "{}", '{"expires_in": "x"}', "[" * 100_000])
def test_a_token_response_is_returned_unchanged(spotify: Spotify, body: str) -> None:
    app = spotify.credentials()
    spotify.fail({"path": "/api/token", "status": 200, "body": body, "times": 2})
    assert request_app_token(app, ClientState()) == body.encode()
    assert refresh_token(app, REFRESH_TOKEN, ClientState()) == body.encode()
    assert spotify.fired() == [2]


def test_no_token_is_written_to_a_file(
    spotify: Spotify, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert json.loads(refresh_token(spotify.credentials(), REFRESH_TOKEN, ClientState()))["access_token"]
    assert json.loads(request_app_token(spotify.credentials(), ClientState()))["access_token"]
    assert [*tmp_path.iterdir()] == []
