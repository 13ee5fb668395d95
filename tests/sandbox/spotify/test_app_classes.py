"""What each class of app may read: playlists, and artists and albums one by one or in batches."""

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
    """A try to read a playlist, which keys its head has, and what its pages say."""

    app_class: AppClass
    playlist: str
    token: Literal["user", "app"]
    keys: set[str] | None  # None: there is no such playlist
    pages: str | None = None  # the refusal


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
def test_who_may_read_which_playlist(shared: Start, reading: Reading) -> None:
    standin = shared(app_class=reading.app_class)
    token = standin.bearer(user=reading.token == "user")
    head = standin.get(f"/v1/playlists/{reading.playlist}", token)
    assert head.status_code == (404 if reading.keys is None else 200)
    if reading.keys is not None:
        assert {"items", "tracks"} & set(head.json()) == reading.keys
    page = standin.get(f"/v1/playlists/{reading.playlist}/items", token).json()
    assert page.get("error", {}).get("message") == reading.pages
    assert len(page.get("items", [])) == (0 if reading.pages else 20)


@pytest.mark.parametrize("app_class", APP_CLASSES)
def test_a_playlist_of_spotifys_is_listed_where_it_can_be_read(shared: Start, app_class: AppClass) -> None:
    listed = set(shared(app_class=app_class).get("/sandbox/playlists").json())
    assert listed - set(PLAYLISTS) == ({SPOTIFY_OWNED} if app_class == "extended_old" else set())
    assert set(PLAYLISTS) <= listed


def test_the_default_reads_all_but_spotifys_own(shared: Start) -> None:
    assert shared().get("/sandbox/settings").json()["app_class"] == "extended_new"


def ids(standin: Standin, kind: str) -> list[str]:
    """Give the ids of all artists or albums of a chart, each once."""
    entries = standin.get(f"/v1/playlists/{CHARTS[0]}/items?limit=50", standin.bearer(user=True)).json()
    songs = [entry["item"] for entry in entries["items"]]
    found = [song["album"] for song in songs]
    if kind == "artists":
        found = [artist for song in songs for artist in (*song["artists"], *song["album"]["artists"])]
    return list(dict.fromkeys(one["id"] for one in found))


def get(standin: Standin, path: str) -> Any:  # any JSON value
    return standin.get(f"/v1/{path}", standin.bearer(user=True)).json()


@pytest.mark.parametrize(("kind", "most"), [("artists", 50), ("albums", 20)])
@pytest.mark.parametrize("app_class", OTHERS)
def test_batches_answer_in_order_with_null_for_the_unknown(
    shared: Start, app_class: AppClass, kind: str, most: int
) -> None:
    standin = shared(app_class=app_class)
    asked = ids(standin, kind)[: most - 1]
    asked.insert(3, UNKNOWN)
    answers = get(standin, f"{kind}?ids={','.join(asked)}")[kind]
    assert [one and one["id"] for one in answers] == [None if one == UNKNOWN else one for one in asked]
    assert answers[0] == get(standin, f"{kind}/{asked[0]}")


@pytest.mark.parametrize("kind", ["artists", "albums"])
def test_everything_in_a_chart_can_be_asked_for(shared: Start, kind: str) -> None:
    standin = shared()
    token = standin.bearer()
    asked = ids(standin, kind)
    answers = [standin.get(f"/v1/{kind}/{one}", token) for one in asked[:30]]
    assert len(answers) == 30
    assert [answer.json().get("id") for answer in answers] == asked[:30]


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
def test_refused_ids(shared: Start, path: str, status: int, message: str) -> None:
    assert get(shared(), path) == {"error": {"status": status, "message": message}}


@pytest.mark.parametrize("kind", ["artists", "albums"])
def test_a_restricted_app_asks_one_by_one_and_sees_less(shared: Start, kind: str) -> None:
    restricted, full = shared(app_class="restricted"), shared()
    wanted = ids(full, kind)[0]
    assert get(restricted, f"{kind}?ids={wanted}")["error"] == {"status": 403, "message": FORBIDDEN}
    less, whole = get(restricted, f"{kind}/{wanted}"), get(full, f"{kind}/{wanted}")
    assert whole["popularity"] in range(101)
    assert set(whole) - set(less) == WITHHELD & set(whole)
    assert less["name"] == whole["name"]


def test_tokens_are_checked(shared: Start) -> None:
    for path in ("artists", "albums", f"artists/{UNKNOWN}", f"albums/{UNKNOWN}"):
        assert shared().get(f"/v1/{path}").status_code == 401


def test_artists_are_whole_and_the_same_every_time(start: Start, shared: Start) -> None:
    batch = f"artists?ids={','.join(ids(shared(), 'artists')[:50])}"
    artists = get(shared(), batch)["artists"]
    assert get(start(), batch)["artists"] == artists
    assert {len(artist["genres"]) for artist in artists} == {0, 1, 2}
    assert len({artist["followers"]["total"] for artist in artists}) == len(artists)


def test_albums_are_whole(shared: Start) -> None:
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
