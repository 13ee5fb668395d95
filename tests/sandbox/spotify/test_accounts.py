"""The accounts service: consent, authorization codes, lifetime and rotation of tokens."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from sandbox.spotify.accounts import CLIENT_ID, REFRESH_TOKEN
from sandbox.spotify.catalogue import EMPTIED
from tests.spotify_standin import REDIRECT_URI, Standin, Start

DAY = 86_400  # seconds
SCOPE = "playlist-read-private user-read-email"


def authorize(standin: Standin, **changes: str) -> requests.Response:
    query = {
        "client_id": CLIENT_ID,
        "response_type": "code",
        "redirect_uri": REDIRECT_URI,
        "scope": SCOPE,
        "state": "a/b+c=",
        **changes,
    }
    return requests.get(f"{standin.url}/authorize", query, allow_redirects=False, timeout=5)


def redirect_query(response: requests.Response) -> dict[str, list[str]]:
    assert response.status_code == 302
    return parse_qs(urlsplit(response.headers["Location"]).query)


def code(standin: Standin) -> str:
    return redirect_query(authorize(standin))["code"][0]


def redeem(standin: Standin, given: str, redirect_uri: str = REDIRECT_URI) -> Any:  # JSON
    return standin.token(grant_type="authorization_code", code=given, redirect_uri=redirect_uri).json()


def renew(standin: Standin, refresh_token: str = REFRESH_TOKEN) -> Any:  # JSON
    return standin.token(grant_type="refresh_token", refresh_token=refresh_token).json()


def refused(description: str) -> dict[str, str]:
    return {"error": "invalid_grant", "error_description": description}


def test_user_is_redirected_with_code_and_state(shared: Start) -> None:
    response = authorize(shared())
    assert response.headers["Location"].startswith(f"{REDIRECT_URI}?code=")
    assert redirect_query(response)["state"] == ["a/b+c="]


def test_redirect_uri_keeps_its_query(shared: Start) -> None:
    query = redirect_query(authorize(shared(), redirect_uri=f"{REDIRECT_URI}?from=here"))
    assert (query["from"], set(query)) == (["here"], {"from", "code", "state"})


def test_code_is_exchanged_for_a_user_token_and_a_refresh_token(shared: Start) -> None:
    standin = shared(app_class="restricted")
    granted = redeem(standin, code(standin))
    assert granted["scope"] == SCOPE
    assert standin.get(f"/v1/playlists/{EMPTIED}/items", granted["access_token"]).status_code == 200
    renewed = renew(standin, granted["refresh_token"])
    assert renewed["scope"] == SCOPE
    assert "refresh_token" not in renewed


def test_code_works_once(shared: Start) -> None:
    standin = shared()
    once = code(standin)
    assert "access_token" in redeem(standin, once)
    assert redeem(standin, once) == refused("Invalid authorization code")


def test_code_works_only_with_its_redirect_uri_and_a_wrong_one_invalidates_it(shared: Start) -> None:
    standin = shared()
    given = code(standin)
    assert redeem(standin, given, "http://127.0.0.1:10/callback") == refused("Invalid redirect URI")
    assert redeem(standin, given) == refused("Invalid authorization code")


def test_code_expires(start: Start) -> None:
    standin = start()
    given = code(standin)
    standin.set(ahead_s=600)
    assert redeem(standin, given) == refused("Authorization code expired")


def test_user_who_denies_consent_is_redirected_with_an_error(start: Start) -> None:
    assert redirect_query(authorize(start(user_agrees=False))) == {
        "error": ["access_denied"],
        "state": ["a/b+c="],
    }


@pytest.mark.parametrize(
    "redirect_uri",
    ["http://127.0.0.1/callback", "http://[::1]:8080/", "https://app.example.com/callback"],
)
def test_secure_redirect_uri_is_accepted(shared: Start, redirect_uri: str) -> None:
    assert authorize(shared(), redirect_uri=redirect_uri).headers["Location"].startswith(redirect_uri)


@pytest.mark.parametrize(
    "redirect_uri",
    ["http://localhost:8080/", "http://127.0.0.1.example.com/", "http://app.example.com/", "http://[::", ""],
)
def test_insecure_redirect_uri_is_refused(shared: Start, redirect_uri: str) -> None:
    response = authorize(shared(), redirect_uri=redirect_uri)
    assert (response.status_code, response.text) == (400, "INVALID_CLIENT: Insecure redirect URI")


def test_wrong_client_or_response_type_is_not_redirected(shared: Start) -> None:
    for changes in ({"client_id": "somebody"}, {"response_type": "token"}):
        response = authorize(shared(), **changes)
        assert response.status_code == 400
        assert "Location" not in response.headers


def test_access_token_expires_after_its_lifetime(start: Start) -> None:
    standin = start(token_lifetime=10)
    token = standin.bearer()
    path, statuses = f"/v1/playlists/{EMPTIED}", []
    for ahead_s in (9, 10):
        standin.set(ahead_s=ahead_s)
        statuses.append(standin.get(path, token).status_code)
    assert statuses == [200, 401]
    assert renew(standin)["expires_in"] == 10


def test_refresh_token_expires_180_days_after_the_consent_even_if_it_is_used(start: Start) -> None:
    seconds = [0.0]
    standin = start(now=lambda: seconds[0])
    for seconds[0] in (DAY, 100 * DAY, 180 * DAY - 1):
        assert "access_token" in renew(standin)
    seconds[0] = 180 * DAY
    assert renew(standin) == refused("Refresh token expired")


def test_rotation_invalidates_the_old_token_and_does_not_extend_the_lifetime(start: Start) -> None:
    standin = start(rotating=True)
    rotated = renew(standin)["refresh_token"]
    assert renew(standin) == refused("Invalid refresh token")
    standin.set(ahead_s=180 * DAY - 1)
    last = renew(standin, rotated)["refresh_token"]
    standin.set(ahead_s=180 * DAY)
    assert renew(standin, last) == refused("Refresh token expired")


def test_lifetime_counts_from_each_consent(start: Start) -> None:
    standin = start(refresh_days=30)
    standin.set(ahead_s=20 * DAY)
    granted = redeem(standin, code(standin))
    standin.set(ahead_s=40 * DAY)
    assert renew(standin) == refused("Refresh token expired")
    assert "access_token" in renew(standin, granted["refresh_token"])
    standin.set(ahead_s=50 * DAY)
    assert renew(standin, granted["refresh_token"]) == refused("Refresh token expired")
