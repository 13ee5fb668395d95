"""`mine`: which playlists it selects, how many requests it takes, and how failures are reported."""

import json
from typing import Any

import pytest
import requests
from pydantic import SecretStr

from pipeline.errors import Code, ConfigurationError
from pipeline.spotify.client import SpotifyClient
from pipeline.spotify.links import MINE
from pipeline.spotify.listed_playlists import READS
from pipeline.spotify.my_playlists import Wanted, find_wanted
from sandbox.spotify import shapes
from sandbox.spotify.catalogue import CHARTS, EMPTIED, EMPTY, FOREIGN, LIBRARY, MIXTAPE, SHARED, playlist
from sandbox.spotify.objects import ME, user
from sandbox.spotify.settings import AppClass
from sandbox.spotify.sources import PlaylistQuery, Synthetic
from tests.builders import THE_RUN
from tests.spotify import TODAY, Spotify, Start
from tests.spotify_standin import REDIRECT_URI, Standin

OWNED = [CHARTS[0], CHARTS[1], MIXTAPE, EMPTY, EMPTIED]
LIST, USER = "/v1/me/playlists", "/v1/me"


def listed(number: int, **changes: Any) -> dict[str, Any]:
    """A playlist of the user, as `GET /me/playlists` lists it."""
    own = {**(playlist(EMPTY, TODAY) or {}), "id": f"mine{number:018d}", "snapshot_id": f"S{number}"}
    return {**shapes.listed(own, 0, "items"), **changes}


class Account(Synthetic):
    """A user with `count` own playlists and the `given` ones."""

    def __init__(self, count: int = 0, **given: Any) -> None:
        self.playlists = {one["id"]: one for one in map(listed, range(count))} | given

    def library(self) -> list[str]:
        """Ids of the user's playlists, in order."""
        return list(self.playlists)

    def listed(self, ask: PlaylistQuery) -> Any:
        """One playlist of the list."""
        return self.playlists[ask.playlist_id]


def find(spotify: Spotify, *names: str) -> Wanted:
    return find_wanted(spotify.client(), THE_RUN, list(names or [MINE]))


def reason(wanted: Wanted) -> str:
    """The reason of the failed line for `mine`."""
    (line,) = wanted.failed
    assert (line.playlist_id, line.status) == (MINE, "failed")
    return str(line.reason)


CLASSES: list[tuple[AppClass, bool]] = [
    ("restricted", False),
    ("development", False),
    ("development", True),
    ("extended_old", False),
    ("extended_new", False),
    ("extended_new", True),
]


@pytest.mark.parametrize("floats", [False, True], ids=["integers", "floats"])
@pytest.mark.parametrize(("app_class", "old_shape"), CLASSES)
def test_mine_selects_owned_and_collaborative_playlists_for_every_app_class(
    spotify: Spotify, app_class: AppClass, old_shape: bool, floats: bool
) -> None:
    spotify.standin.set(app_class=app_class, old_shape=old_shape, floats=floats)
    wanted = find(spotify)
    spotify.standin.set(app_class="extended_new", old_shape=False, floats=False)

    assert wanted.ids == [SHARED, *OWNED]
    assert wanted.failed == ()
    assert spotify.requested() == [f"{LIST}?limit=50&offset=0 200"]
    assert wanted.snapshot_ids[FOREIGN]  # known from the list, even if it is requested by id
    shown = {one: (playlist(one, TODAY) or {})["snapshot_id"] for one in LIBRARY}
    assert wanted.snapshot_ids == {one: shown[one] for one in wanted.snapshot_ids}


def test_mine_is_expanded_in_place_without_duplicates(spotify: Spotify) -> None:
    assert find(spotify, FOREIGN, MINE, EMPTY).ids == [FOREIGN, SHARED, *OWNED]
    assert find(spotify, EMPTY, MINE).ids == [EMPTY, SHARED, CHARTS[0], CHARTS[1], MIXTAPE, EMPTIED]


def test_without_mine_nothing_is_requested(spotify: Spotify) -> None:
    assert find(spotify, EMPTY, FOREIGN) == Wanted([EMPTY, FOREIGN])
    assert spotify.requested() == []


@pytest.mark.parametrize("floats", [False, True], ids=["integers", "floats"])
def test_all_pages_of_the_list_are_read(start: Start, floats: bool) -> None:
    spotify = start("items", Account(120))
    spotify.standin.set(floats=floats)

    assert find(spotify).ids == [f"mine{number:018d}" for number in range(120)]
    assert spotify.requested() == [f"{LIST}?limit=50&offset={offset} 200" for offset in (0, 50, 100)]


@pytest.mark.parametrize("in_href", [True, False], ids=["user in href", "no user in href"])
def test_the_user_id_is_requested_only_if_the_list_does_not_contain_it(
    spotify: Spotify, in_href: bool
) -> None:
    spotify.standin.set(user_in_href=in_href)
    wanted = find(spotify)
    spotify.standin.set(user_in_href=True)

    assert wanted.ids == [SHARED, *OWNED]
    requests_made = [f"{LIST}?limit=50&offset=0 200", f"{USER} 200"]
    assert spotify.requested() == requests_made[: 1 if in_href else 2]


def test_a_percent_encoded_user_id_is_decoded(spotify: Spotify) -> None:
    mine = listed(1, owner={**user("jürgen|1"), "display_name": None})
    spotify.fail(
        page([mine], href="https://api.spotify.com/v1/users/j%C3%BCrgen%7C1/playlists?offset=0&limit=50")
    )
    assert find(spotify).ids == [mine["id"]]
    assert len(spotify.requested()) == 1


def page(
    items: list[Any], total: float | None = None, offset: int | None = 0, **further: Any
) -> dict[str, Any]:
    """A fault that replaces the next response of the list with this page."""
    response = {
        "href": f"https://api.spotify.com/v1/users/{ME}/playlists",
        "items": items,
        "total": len(items) if total is None else total,
        "offset": offset,
        "limit": 50,
        **further,
    }
    return {"path": f"{LIST}\\?", "status": 200, "body": json.dumps(response)}


UNUSUAL_ITEMS: dict[str, tuple[Any, list[str]]] = {
    "null": (None, []),
    "all its fields null": (listed(1, id=None, owner={"id": None}, snapshot_id=None), []),
    "no owner": (listed(1, owner=None), ["mine" + "1".zfill(18)]),
    "an owner without an id": (listed(1, owner={}), ["mine" + "1".zfill(18)]),
    "optional fields of other types": (
        listed(1, snapshot_id=7, collaborative=1, name=5) | {"owner": {"id": ME, "display_name": 5}},
        ["mine" + "1".zfill(18)],
    ),
    "an invalid id": (listed(1, id="../me"), []),
    "string": ("text", []),
    "no owner, collaborative": (listed(1, owner=None, collaborative=True), ["mine" + "1".zfill(18)]),
    "collaborative is null": (listed(1, collaborative=None), ["mine" + "1".zfill(18)]),
    "a name with a lone surrogate": (listed(1, name="\ud83d"), ["mine" + "1".zfill(18)]),
    "only id and owner": (
        {"id": "mine" + "1".zfill(18), "owner": {"id": ME}},
        ["mine" + "1".zfill(18)],
    ),
}


@pytest.mark.parametrize(("item", "ids"), UNUSUAL_ITEMS.values(), ids=UNUSUAL_ITEMS)
def test_an_unusual_item_does_not_affect_the_others(spotify: Spotify, item: Any, ids: list[str]) -> None:
    spotify.fail(page([listed(7), item, listed(8)]))
    assert find(spotify).ids == [listed(7)["id"], *ids, listed(8)["id"]]


def test_a_playlist_without_a_snapshot_id_is_selected_and_has_none_to_compare(spotify: Spotify) -> None:
    spotify.fail(page([listed(7, snapshot_id=None), listed(8)]))
    wanted = find(spotify)
    assert wanted.ids == [listed(7)["id"], listed(8)["id"]]
    assert wanted.snapshot_ids == {listed(8)["id"]: "S8"}


ALL = [listed(number) for number in range(60)]
COMPLETE = {
    "the server lowers the limit": [page(ALL[:40], 60, limit=40), page(ALL[40:], 60, 40, limit=40)],
    "more than requested": [page(ALL, 60)],
    "no offset": [page(ALL[:50], 60, offset=None), page(ALL[50:], 60, offset=None)],
}


@pytest.mark.parametrize("pages", COMPLETE.values(), ids=COMPLETE)
def test_other_page_sizes_are_accepted(spotify: Spotify, pages: list[dict[str, Any]]) -> None:
    spotify.fail(*pages)
    assert find(spotify).ids == [one["id"] for one in ALL]
    assert len(spotify.requested()) == len(pages)


INCOMPLETE = {
    "a page is cut short": [page(ALL[:50], 60), page(ALL[50:55], 60, 50)],
    "one is left out and one is null": [page([*ALL[:5], *ALL[6:49], None], 60)],
    "a page is sent again": [page(ALL[:50], 60), page(ALL[:50], 60, 0)],
    "a page is sent again with the next offset": [page(ALL[:50], 60), page(ALL[:10], 60, 50)],
    "a page begins too early": [page(ALL[:50], 60), page(ALL[49:], 60, 49)],
    "a page begins too late": [page(ALL[:50], 60), page(ALL[51:], 60, 51)],
    "one is removed between two pages": [page(ALL[:50], 60), page(ALL[51:], 59, 50)],
    "more than counted": [page(ALL[:50], 49)],
}


@pytest.mark.parametrize("pages", INCOMPLETE.values(), ids=INCOMPLETE)
def test_an_incomplete_list_is_read_again_and_then_fails(
    spotify: Spotify, pages: list[dict[str, Any]]
) -> None:
    spotify.fail(*pages)
    assert find(spotify).ids == [SHARED, *OWNED]
    assert len(spotify.requested()) == len(pages) + 1

    spotify.fail(*pages * READS)
    refused = find(spotify, MINE, EMPTY)
    assert refused.ids == [EMPTY]
    assert reason(refused).endswith(f"[{Code.SPOTIFY_CHANGING}]")
    assert spotify.fired() == [1] * len(pages) * READS


UNREADABLE = {
    "no list": {"items": None, "total": 0},
    "no total": {"items": []},
    "a fractional total": {"items": [listed(1)], "total": 1.5},
    "a huge total": {"items": [listed(1)], "total": 2**60},
    "string": "text",
}


@pytest.mark.parametrize("response", UNREADABLE.values(), ids=UNREADABLE)
def test_a_response_that_is_not_a_list_fails_mine(spotify: Spotify, response: Any) -> None:
    spotify.fail({"path": LIST, "status": 200, "body": json.dumps(response)})
    assert reason(find(spotify)).endswith(f"[{Code.SPOTIFY_UNREADABLE}]")


TRANSIENT: dict[str, dict[str, Any]] = {
    "throttled": {"status": 429, "headers": {"Retry-After": "2"}},
    "503": {"status": 503},
    "truncated": {"kind": "truncated"},
    "not JSON": {"kind": "html"},
    "expired": {"status": 401, "body": '{"error": {"status": 401, "message": "The access token expired"}}'},
}


@pytest.mark.parametrize("fault", TRANSIENT.values(), ids=TRANSIENT)
@pytest.mark.parametrize("path", [f"{LIST}\\?", f"{USER}$"], ids=["list", "user"])
def test_transient_faults_are_retried(spotify: Spotify, path: str, fault: dict[str, Any]) -> None:
    spotify.standin.set(user_in_href=False)
    spotify.fail({"path": path, **fault})
    wanted = find(spotify)
    spotify.standin.set(user_in_href=True)

    assert wanted.ids == [SHARED, *OWNED]
    assert spotify.fired() == [1]
    assert len(spotify.requested()) == 3


LASTING = {
    "refused": (
        {"status": 403, "body": '{"error": {"status": 403, "message": "Insufficient client scope"}}'},
        "SCOPE",
    ),
    "not found": ({"status": 404}, "REFUSED"),
    "unavailable": ({"status": 503, "times": 99}, "BUDGET"),
}


@pytest.mark.parametrize(("fault", "code"), LASTING.values(), ids=LASTING)
def test_a_failed_list_does_not_affect_playlists_requested_by_id(
    spotify: Spotify, fault: dict[str, Any], code: str
) -> None:
    spotify.fail({"path": LIST, **fault})
    wanted = find(spotify, FOREIGN, MINE, EMPTY)
    assert wanted.ids == [FOREIGN, EMPTY]
    assert reason(wanted).startswith("mine: ")
    assert reason(wanted).endswith(f"[SPOTIFY_{code}]")


@pytest.mark.parametrize("token", [None, ""], ids=["no refresh token", "empty refresh token"])
def test_without_a_user_nothing_is_requested(spotify: Spotify, token: str | None) -> None:
    credentials = spotify.credentials()
    credentials.refresh_token = None if token is None else SecretStr(token)
    with pytest.raises(ConfigurationError, match="python -m blocks authorize") as refused:
        find_wanted(SpotifyClient(credentials), THE_RUN, [EMPTY, MINE])
    assert refused.value.code == Code.SPOTIFY_NO_USER
    assert spotify.requested() == []
    assert spotify.tokens_fetched() == 0


@pytest.mark.parametrize("scope", ["playlist-read-private", "", "playlist-read-collaborative user-top-read"])
def test_a_consent_without_the_playlist_scopes_is_refused(spotify: Spotify, scope: str) -> None:
    credentials = spotify.credentials()
    credentials.refresh_token = SecretStr(consent(spotify.standin, scope))
    wanted = find_wanted(SpotifyClient(credentials), THE_RUN, [MINE])

    missing = {"playlist-read-private", "playlist-read-collaborative"} - set(scope.split())
    assert all(one in reason(wanted) for one in missing)
    assert reason(wanted).endswith(f"Authorise again: python -m blocks authorize [{Code.SPOTIFY_SCOPE}]")
    assert LIST not in "".join(spotify.requested())


def consent(standin: Standin, scope: str) -> str:
    """A refresh token of a user who granted only this scope."""
    query = f"client_id=sandbox-client&response_type=code&redirect_uri={REDIRECT_URI}&scope={scope}"
    sent = requests.get(f"{standin.url}/authorize?{query}", allow_redirects=False, timeout=5).headers[
        "location"
    ]
    code = sent.split("code=")[1]
    granted = standin.token(grant_type="authorization_code", code=code, redirect_uri=REDIRECT_URI).json()
    return str(granted["refresh_token"])


FOLLOWED = {**listed(1), "owner": {**user("another-user"), "display_name": None}}


@pytest.mark.parametrize("account", [{}, {FOLLOWED["id"]: FOLLOWED}], ids=["no playlist", "followed only"])
def test_an_account_without_own_playlists_fails_mine_and_names_the_user(
    start: Start, account: dict[str, Any]
) -> None:
    spotify = start("items", Account(**account))
    wanted = find(spotify, MINE, EMPTY)
    assert wanted.ids == [EMPTY]
    assert reason(wanted).startswith(f"mine: user {ME} owns no playlist and collaborates on none. ")
    assert reason(wanted).endswith(f"[{Code.PLAYLISTS_EMPTY}]")
