"""Permissions of each class of app: playlists, artists and albums, single and in batches."""

from typing import Any, Literal, NamedTuple, get_args

import pytest

from sandbox.spotify.catalogue import CHARTS, FOREIGN, MIXTAPE, PLAYLISTS, SPOTIFY_OWNED
from sandbox.spotify.settings import AppClass
from tests.spotify_standin import Standin, Start

APP_CLASSES: tuple[AppClass, ...] = get_args(AppClass)
OTHERS = [app_class for app_class in APP_CLASSES if app_class != "restricted"]
TOKENS: tuple[Literal["user", "app"], ...] = ("user", "app")
USER_NEEDED = "Valid user authentication required"
FORBIDDEN, NOT_FOUND = "Forbidden", "Resource not found"
WITHHELD = {"popularity", "followers", "label", "available_markets"}
UNKNOWN = "4uLU6hMCjMI75M1A2tKUQC"


class Reading(NamedTuple):
    """A read of a playlist; `keys`: expected paging keys of its head, None: not found."""

    app_class: AppClass
    playlist: str
    token: Literal["user", "app"]
    keys: set[str] | None
    refusal: str | None = None  # expected error message of its pages


READINGS = [
    Reading("restricted", MIXTAPE, "user", {"items"}),
    Reading("restricted", MIXTAPE, "app", set(), USER_NEEDED),
    Reading("restricted", FOREIGN, "user", set(), FORBIDDEN),
    Reading("restricted", FOREIGN, "app", set(), USER_NEEDED),
    Reading("restricted", SPOTIFY_OWNED, "user", None, NOT_FOUND),
    *(
        Reading(app_class, playlist, token, {"items", "tracks"})
        for app_class in OTHERS
        for playlist in (MIXTAPE, FOREIGN)
        for token in TOKENS
    ),
    Reading("development", SPOTIFY_OWNED, "user", None, NOT_FOUND),
    Reading("extended_new", SPOTIFY_OWNED, "user", None, NOT_FOUND),
    Reading("extended_old", SPOTIFY_OWNED, "user", {"items", "tracks"}),
    Reading("extended_old", SPOTIFY_OWNED, "app", {"items", "tracks"}),
]


@pytest.mark.parametrize("reading", READINGS, ids=lambda one: "-".join(map(str, one[:3])))
def test_app_reads_the_playlists_of_its_class(shared: Start, reading: Reading) -> None:
    standin = shared(app_class=reading.app_class)
    token = standin.bearer(user=reading.token == "user")
    head = standin.get(f"/v1/playlists/{reading.playlist}", token)
    assert head.status_code == (404 if reading.keys is None else 200)
    if reading.keys is not None:
        assert {"items", "tracks"} & set(head.json()) == reading.keys
    page = standin.get(f"/v1/playlists/{reading.playlist}/items", token).json()
    assert page.get("error", {}).get("message") == reading.refusal
    assert len(page.get("items", [])) == (0 if reading.refusal else 20)


@pytest.mark.parametrize("app_class", APP_CLASSES)
def test_spotifys_own_playlist_is_listed_if_the_app_may_read_it(shared: Start, app_class: AppClass) -> None:
    listed = set(shared(app_class=app_class).get("/sandbox/playlists").json())
    assert listed - set(PLAYLISTS) == ({SPOTIFY_OWNED} if app_class == "extended_old" else set())
    assert set(PLAYLISTS) <= listed


def test_default_class_is_extended_new(shared: Start) -> None:
    assert shared().get("/sandbox/settings").json()["app_class"] == "extended_new"


def ids(standin: Standin, kind: str) -> list[str]:
    """Returns the ids of all artists or albums of a chart, without duplicates."""
    entries = standin.get(f"/v1/playlists/{CHARTS[0]}/items?limit=50", standin.bearer(user=True)).json()
    songs = [entry["item"] for entry in entries["items"]]
    found = [song["album"] for song in songs]
    if kind == "artists":
        found = [artist for song in songs for artist in (*song["artists"], *song["album"]["artists"])]
    return list(dict.fromkeys(one["id"] for one in found))


def get(standin: Standin, path: str) -> Any:  # any JSON value
    return standin.get(f"/v1/{path}", standin.bearer(user=True)).json()


@pytest.mark.parametrize(("kind", "maximum"), [("artists", 50), ("albums", 20)])
@pytest.mark.parametrize("app_class", OTHERS)
def test_batch_returns_objects_in_order_and_null_for_an_unknown_id(
    shared: Start, app_class: AppClass, kind: str, maximum: int
) -> None:
    standin = shared(app_class=app_class)
    requested = ids(standin, kind)[: maximum - 1]
    requested.insert(3, UNKNOWN)
    objects = get(standin, f"{kind}?ids={','.join(requested)}")[kind]
    assert [one and one["id"] for one in objects] == [None if one == UNKNOWN else one for one in requested]
    assert objects[0] == get(standin, f"{kind}/{requested[0]}")


@pytest.mark.parametrize("kind", ["artists", "albums"])
def test_artists_and_albums_of_a_chart_are_found(shared: Start, kind: str) -> None:
    standin = shared()
    token = standin.bearer()
    requested = ids(standin, kind)
    responses = [standin.get(f"/v1/{kind}/{one}", token) for one in requested[:30]]
    assert len(responses) == 30
    assert [response.json().get("id") for response in responses] == requested[:30]


@pytest.mark.parametrize(
    ("path", "status", "message"),
    [
        (f"artists?ids={','.join([UNKNOWN] * 51)}", 400, "Too many ids requested"),
        (f"albums?ids={','.join([UNKNOWN] * 21)}", 400, "Too many ids requested"),
        ("artists", 400, "Invalid base62 id"),
        ("albums?ids=short", 400, "Invalid base62 id"),
        ("artists/short", 400, "Invalid base62 id"),
        (f"artists/{UNKNOWN}", 404, NOT_FOUND),
        (f"albums/{UNKNOWN}", 404, NOT_FOUND),
    ],
)
def test_invalid_or_unknown_ids_are_refused(shared: Start, path: str, status: int, message: str) -> None:
    assert get(shared(), path) == {"error": {"status": status, "message": message}}


@pytest.mark.parametrize("kind", ["artists", "albums"])
def test_restricted_app_gets_single_objects_without_withheld_fields(shared: Start, kind: str) -> None:
    restricted, full = shared(app_class="restricted"), shared()
    wanted = ids(full, kind)[0]
    assert get(restricted, f"{kind}?ids={wanted}")["error"] == {"status": 403, "message": FORBIDDEN}
    reduced, complete = get(restricted, f"{kind}/{wanted}"), get(full, f"{kind}/{wanted}")
    assert complete["popularity"] in range(101)
    assert set(complete) - set(reduced) == WITHHELD & set(complete)
    assert reduced["name"] == complete["name"]


def test_artists_and_albums_need_a_token(shared: Start) -> None:
    for path in ("artists", "albums", f"artists/{UNKNOWN}", f"albums/{UNKNOWN}"):
        assert shared().get(f"/v1/{path}").status_code == 401


def test_artists_are_full_objects_and_equal_in_every_process(start: Start, shared: Start) -> None:
    batch = f"artists?ids={','.join(ids(shared(), 'artists')[:50])}"
    artists = get(shared(), batch)["artists"]
    assert get(start(), batch)["artists"] == artists
    assert {len(artist["genres"]) for artist in artists} == {0, 1, 2}
    assert len({artist["followers"]["total"] for artist in artists}) == len(artists)


def test_albums_are_full_objects(shared: Start) -> None:
    standin = shared()
    song = get(standin, f"playlists/{CHARTS[0]}/items?limit=1")["items"][0]["item"]
    album = get(standin, f"albums/{song['album']['id']}")
    assert {key: album[key] for key in song["album"]} == song["album"]
    assert album["label"].endswith(" Records")
    assert len(album["external_ids"]["upc"]) == 12
    assert [track["track_number"] for track in album["tracks"]["items"]] == list(
        range(1, album["total_tracks"] + 1)
    )
    assert song["id"] in {track["id"] for track in album["tracks"]["items"]}
