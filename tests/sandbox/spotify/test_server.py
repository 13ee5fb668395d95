"""The stand-in's HTTP interface, mostly through spotipy, the client that the pipeline uses."""

import itertools
from typing import NamedTuple

import pytest
import requests
import spotipy

from sandbox.spotify.accounts import CLIENT_ID, CLIENT_SECRET, REFRESH_TOKEN
from sandbox.spotify.catalogue import CHARTS, EMPTIED, FOREIGN, MIXTAPE, MIXTAPE_LENGTH, PLAYLISTS
from sandbox.spotify.shapes import Shape
from tests.builders import SHAPES
from tests.spotify_standin import Start

SPOTIFY_OWNED = "37i9dQZEVXbMDoHDwVN2tF"


@pytest.mark.parametrize("shape", SHAPES)
def test_spotipy_reads_all_entries_of_a_playlist(shared: Start, shape: Shape) -> None:
    client = shared(shape).user_client()
    head = client.playlist(MIXTAPE)
    paging = head["items"] if "items" in head else head["tracks"]
    entries = list(paging["items"])
    while len(entries) < paging["total"]:
        entries += client.playlist_items(MIXTAPE, limit=50, offset=len(entries))["items"]
    assert len(entries) == paging["total"] == MIXTAPE_LENGTH


def test_spotipy_follows_next(shared: Start) -> None:
    client = shared().app_client()
    page = client.playlist_items(MIXTAPE, limit=50)
    count = len(page["items"])
    while page["next"]:
        page = client.next(page)
        count += len(page["items"])
    assert count == MIXTAPE_LENGTH


def test_path_tracks_returns_100_entries(shared: Start) -> None:
    client = shared("tracks").app_client()
    page = client._get(f"playlists/{MIXTAPE}/tracks", limit=100)  # noqa: SLF001  # spotipy has no method for it
    assert len(page["items"]) == 100
    assert page["items"][0]["track"]["name"]


def test_page_has_20_entries_by_default(shared: Start) -> None:
    standin = shared()
    page = standin.get(f"/v1/playlists/{MIXTAPE}/items", standin.bearer()).json()
    assert (len(page["items"]), page["limit"]) == (20, 20)


class Refusal(NamedTuple):
    """A path, and the expected error response."""

    path: str
    status: int
    message: str
    shape: Shape = "both"


REFUSALS = [
    Refusal("4uLU6hMCjMI75M1A2tKUQC", 404, "Resource not found"),
    Refusal(SPOTIFY_OWNED, 404, "Resource not found"),
    Refusal("4uLU6hMCjMI75M1A2tKUQC/items", 404, "Resource not found"),
    Refusal("too-short", 400, "Invalid base62 id"),
    Refusal(f"{MIXTAPE}0/items", 400, "Invalid base62 id"),
    Refusal(f"{MIXTAPE}/items?limit=51", 400, "Invalid limit"),
    Refusal(f"{MIXTAPE}/items?limit=0", 400, "Invalid limit"),
    Refusal(f"{MIXTAPE}/items?limit=many", 400, "Invalid limit"),
    Refusal(f"{MIXTAPE}/items?offset=-1", 400, "Invalid offset"),
    Refusal(f"{MIXTAPE}/tracks?limit=101", 400, "Invalid limit"),
    Refusal(f"{MIXTAPE}/followers", 404, "Service not found"),
    Refusal(f"{MIXTAPE}/items", 401, "Valid user authentication required", "items"),
    Refusal(f"{MIXTAPE}/tracks", 403, "Forbidden", "items"),
]


@pytest.mark.parametrize("refusal", REFUSALS, ids=lambda refusal: f"{refusal.path} {refusal.shape}")
def test_refused_request_gets_spotifys_error_body(shared: Start, refusal: Refusal) -> None:
    standin = shared(refusal.shape)
    response = standin.get(f"/v1/playlists/{refusal.path}", standin.bearer())
    assert response.status_code == refusal.status
    assert response.json() == {"error": {"status": refusal.status, "message": refusal.message}}


def test_restricted_app_may_not_read_entries_of_other_users(shared: Start) -> None:
    client = shared("items").user_client()
    assert "items" not in client.playlist(FOREIGN)
    with pytest.raises(spotipy.SpotifyException) as refused:
        client.playlist_items(FOREIGN, limit=50)
    assert refused.value.http_status == 403
    assert client.playlist_items(CHARTS[0], limit=50)["total"] == 50


@pytest.mark.parametrize(
    ("client_id", "secret", "description"),
    [("somebody", CLIENT_SECRET, "Invalid client"), (CLIENT_ID, "guess", "Invalid client secret")],
)
def test_wrong_client_credentials_are_refused(
    shared: Start, client_id: str, secret: str, description: str
) -> None:
    with pytest.raises(spotipy.SpotifyOauthError) as refused:
        shared().app_client(client_id, secret).playlist(MIXTAPE)
    assert (refused.value.error, refused.value.error_description) == ("invalid_client", description)


def test_invalid_authorization_header_is_refused(shared: Start) -> None:
    url = f"{shared().url}/api/token"
    for authorization in ("", "Basic", "Basic %%%", "Bearer sandbox"):
        form = {"grant_type": "client_credentials"}
        response = requests.post(url, data=form, headers={"Authorization": authorization}, timeout=5)
        assert (response.status_code, response.json()["error"]) == (400, "invalid_client")


def test_unknown_refresh_token_or_grant_type_is_refused(shared: Start) -> None:
    standin = shared()
    with pytest.raises(spotipy.SpotifyOauthError) as refused:
        standin.user_client("expired long ago").playlist(MIXTAPE)
    assert refused.value.error == "invalid_grant"
    response = standin.token(grant_type="password")
    assert (response.status_code, response.json()["error"]) == (400, "unsupported_grant_type")


def test_refresh_token_changes_only_with_rotation(start: Start) -> None:
    staying = start()
    client = staying.user_client()
    client.playlist(EMPTIED)
    assert client.auth_manager.cache_handler.get_cached_token()["refresh_token"] == REFRESH_TOKEN
    rotating = start(rotating=True)
    client = rotating.user_client()
    client.playlist(EMPTIED)
    rotated = client.auth_manager.cache_handler.get_cached_token()["refresh_token"]
    assert rotated != REFRESH_TOKEN
    assert rotating.token(grant_type="refresh_token", refresh_token=REFRESH_TOKEN).status_code == 400
    assert rotating.token(grant_type="refresh_token", refresh_token=rotated).status_code == 200


def test_access_tokens_are_checked_and_expire(start: Start) -> None:
    clock = itertools.count(0, 1800)  # each reading of the clock advances it by half of a token's lifetime
    standin = start(now=lambda: next(clock))
    path = f"/v1/playlists/{EMPTIED}"
    token = standin.bearer()
    responses = [standin.get(path, given) for given in (None, "made-up", token, token)]
    assert [response.status_code for response in responses] == [401, 401, 200, 401]
    assert [response.json().get("error", {}).get("message") for response in responses] == [
        "No token provided",
        "Invalid access token",
        None,
        "The access token expired",
    ]


def test_control_expires_all_access_tokens(start: Start) -> None:
    standin = start()
    token = standin.bearer()
    assert standin.get(f"/v1/playlists/{EMPTIED}", token).status_code == 200
    assert standin.delete("/sandbox/tokens").status_code == 204
    response = standin.get(f"/v1/playlists/{EMPTIED}", token)
    assert (response.status_code, response.json()["error"]["message"]) == (401, "The access token expired")
    assert standin.get(f"/v1/playlists/{EMPTIED}", standin.bearer()).status_code == 200


def test_control_sets_and_resets_the_date(start: Start) -> None:
    standin = start()
    client = standin.app_client()
    now = client.playlist(CHARTS[0])["snapshot_id"]
    assert standin.put("/sandbox/today", {"date": "2026-11-22"}).json() == {"date": "2026-11-22"}
    assert client.playlist(CHARTS[0])["snapshot_id"] != now
    assert standin.put("/sandbox/today", {"days": 3}).json() == {"date": "2026-11-24"}
    assert standin.put("/sandbox/today", {"date": None}).json() == {"date": "2026-11-21"}
    assert client.playlist(CHARTS[0])["snapshot_id"] == now


@pytest.mark.parametrize("value", [{"date": "soon"}, {"date": 7}, {"days": "2"}, {}, []])
def test_invalid_date_is_refused(shared: Start, value: object) -> None:
    response = shared().put("/sandbox/today", value)
    assert response.status_code == 400
    assert "invalid date" in response.json()["error"]


def test_control_lists_the_playlists(shared: Start) -> None:
    assert shared().get("/sandbox/playlists").json() == PLAYLISTS


def test_control_returns_and_clears_the_log_of_requests(start: Start) -> None:
    standin = start()
    standin.get(f"/v1/playlists/{MIXTAPE}/items?limit=50", standin.bearer())
    assert standin.get("/sandbox/requests").json() == [
        {"method": "POST", "path": "/api/token", "query": "", "status": 200, "at_once": 1},
        {
            "method": "GET",
            "path": f"/v1/playlists/{MIXTAPE}/items",
            "query": "limit=50",
            "status": 200,
            "at_once": 1,
        },
    ]
    assert standin.delete("/sandbox/requests").json() == []
    assert standin.get("/sandbox/requests").json() == []
