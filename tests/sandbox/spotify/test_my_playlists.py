"""GET /me/playlists, for each class of app, shape and scope."""

from typing import Any, get_args
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from sandbox.spotify.accounts import CLIENT_ID
from sandbox.spotify.catalogue import LIBRARY, PLAYLISTS, SHARED, SPOTIFY_OWNED
from sandbox.spotify.objects import ME
from sandbox.spotify.settings import AppClass
from sandbox.spotify.shapes import Shape
from tests.builders import SHAPES
from tests.spotify_standin import REDIRECT_URI, TIMEOUT_S, Standin, Start


def ids(page: Any) -> list[str | None]:
    return [one and one["id"] for one in page["items"]]


@pytest.mark.parametrize("app_class", get_args(AppClass))
def test_spotifys_own_playlist_is_null_if_the_app_may_not_see_it(shared: Start, app_class: AppClass) -> None:
    page = shared(app_class=app_class).user_client().current_user_playlists()
    expected = [SHARED, *PLAYLISTS, SPOTIFY_OWNED if app_class == "extended_old" else None]
    assert ids(page) == expected
    assert page["total"] == len(LIBRARY)


@pytest.mark.parametrize("shape", SHAPES)
def test_total_is_under_the_keys_of_the_shape(shared: Start, shape: Shape) -> None:
    client = shared(shape).user_client()
    shown = client.current_user_playlists(limit=1, offset=2)["items"][0]
    keys = {"tracks": {"tracks"}, "items": {"items"}, "both": {"tracks", "items"}}[shape]
    assert {"tracks", "items"} & shown.keys() == keys
    playlist = client.playlist(shown["id"])
    assert {shown[key]["total"] for key in keys} == {50}
    assert shown["snapshot_id"] == playlist["snapshot_id"]


def test_spotipy_follows_next_and_href_contains_the_user(start: Start) -> None:
    standin = start(user_in_href=False)
    client = standin.user_client()
    page = client.current_user_playlists(limit=3)
    found = ids(page)
    while page["next"]:
        page = client.next(page)
        found += ids(page)
    assert found == [*LIBRARY[:-1], None]
    assert client.me()["id"] == ME
    standin.set(user_in_href=True)
    assert f"/v1/users/{ME}/playlists?" in client.current_user_playlists()["href"]


@pytest.mark.parametrize("path", ["me", "me/playlists"])
def test_token_of_the_app_is_refused(shared: Start, path: str) -> None:
    standin = shared()
    response = standin.get(f"/v1/{path}", standin.bearer())
    assert (response.status_code, response.json()["error"]["message"]) == (
        401,
        "Valid user authentication required",
    )
    assert standin.get(f"/v1/{path}").status_code == 401


@pytest.mark.parametrize("query", ["limit=51", "limit=0", "offset=-1"])
def test_invalid_limit_or_offset_is_refused(shared: Start, query: str) -> None:
    standin = shared()
    assert standin.get(f"/v1/me/playlists?{query}", standin.bearer(user=True)).status_code == 400


@pytest.mark.parametrize(
    ("scope", "has_shared"), [("playlist-read-private", False), ("playlist-read-collaborative", True)]
)
def test_playlists_outside_the_granted_scope_are_not_listed(
    shared: Start, scope: str, has_shared: bool
) -> None:
    standin = shared()
    page = standin.get("/v1/me/playlists", token_for(standin, scope)).json()
    assert (SHARED in ids(page)) == has_shared
    assert page["total"] == len(LIBRARY) - (not has_shared)


def token_for(standin: Standin, scope: str) -> str:
    """Returns an access token with this scope only."""
    query = {"client_id": CLIENT_ID, "response_type": "code", "redirect_uri": REDIRECT_URI, "scope": scope}
    sent = requests.get(f"{standin.url}/authorize", query, allow_redirects=False, timeout=TIMEOUT_S)
    (code,) = parse_qs(urlsplit(sent.headers["location"]).query)["code"]
    granted = standin.token(grant_type="authorization_code", code=code, redirect_uri=REDIRECT_URI)
    return str(granted.json()["access_token"])


def test_integers_can_be_sent_as_floats(start: Start) -> None:
    standin = start(floats=True)
    token = standin.bearer(user=True)
    text = standin.get("/v1/me/playlists?limit=1", token).text
    assert '"total":8.0' in text
    assert '"duration_ms":' in (entries := standin.get(f"/v1/playlists/{SHARED}/items", token).text)
    assert ".0," in entries.split('"duration_ms":')[1][:12]
