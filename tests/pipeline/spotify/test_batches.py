"""Whole artists and albums: in batches where the app may, one by one where not, until something ends it."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from pipeline.spotify.batches import MAX_UNREADABLE, DetailsReader
from sandbox.spotify.catalogue import MIXTAPE
from sandbox.spotify.seeds import base62
from tests.spotify import Spotify, Start

QUOTA = json.dumps({"error": {"status": 429, "message": "quota", "reason": "QUOTA_EXCEEDED"}})


def ids(spotify: Spotify, kind: str, most: int = 1000) -> list[str]:
    """Ids of artists or albums in a playlist, each once; the requests for them are forgotten."""
    token = spotify.standin.bearer(user=True)
    pages = [
        spotify.standin.get(f"/v1/playlists/{MIXTAPE}/items?limit=50&offset={offset}", token).json()["items"]
        for offset in range(0, 300, 50)
    ]
    songs = [entry["item"] for page in pages for entry in page if (entry.get("item") or {}).get("album")]
    found = (
        [song["album"] for song in songs] if kind == "albums" else [a for s in songs for a in s["artists"]]
    )
    spotify.standin.delete("/sandbox/requests")
    return [one for one in dict.fromkeys(one["id"] for one in found) if one][:most]


def read(spotify: Spotify, kind: str, wanted: list[str], **client: Any) -> DetailsReader:
    reader = DetailsReader(spotify.client(**client), kind)
    reader.read(wanted)
    return reader


def told(reader: DetailsReader, kind: str) -> list[str]:
    """Ids in the answers."""
    answers = [json.loads(body) for body in reader.bodies]
    return [one["id"] for answer in answers for one in answer.get(kind, [answer]) if one]


@pytest.mark.parametrize(("kind", "size"), [("artists", 50), ("albums", 20)])
def test_each_id_is_asked_for_once_in_full_batches(spotify: Spotify, kind: str, size: int) -> None:
    wanted = ids(spotify, kind)
    assert len(wanted) > 2 * size
    reader = read(spotify, kind, wanted)
    assert reader.known == set(wanted)
    assert sorted(told(reader, kind)) == sorted(wanted)
    assert reader.stopped is None
    assert spotify.requested() == [f"/v1/{kind} 200"] * -(-len(wanted) // size)


def test_an_id_that_spotify_does_not_know_is_unknown(spotify: Spotify) -> None:
    wanted, unknown = ids(spotify, "artists", 2), base62("nobody")
    reader = read(spotify, "artists", [*wanted, unknown])
    assert (reader.known, reader.unknown, reader.unreadable) == (set(wanted), {unknown}, set())


def test_an_odd_id_costs_its_batch_no_answer(spotify: Spotify) -> None:
    wanted = ids(spotify, "albums", 30)
    reader = read(spotify, "albums", ["odd", *wanted])
    assert (reader.known, reader.unknown) == (set(wanted), {"odd"})
    assert reader.stopped is None
    requested = spotify.requested()
    assert sorted(requested)[:2] == ["/v1/albums 200", "/v1/albums 400"]
    assert len(requested) == 2 + 20


@pytest.mark.parametrize("kind", ["artists", "albums"])
def test_a_restricted_app_asks_one_by_one(start: Start, kind: str) -> None:
    spotify = start("items")
    spotify.standin.set(app_class="extended_new")
    wanted = [*ids(spotify, kind, 7), base62("nobody")]
    spotify.standin.set(app_class="restricted")
    reader = read(spotify, kind, wanted)
    assert (reader.known, reader.unknown) == (set(wanted[:-1]), {wanted[-1]})
    assert sorted(told(reader, kind)) == sorted(wanted[:-1])
    assert reader.stopped is None
    assert spotify.requested() == [
        f"/v1/{kind} 403",
        *(f"/v1/{kind}/{one} 200" for one in wanted[:-1]),
        f"/v1/{kind}/{wanted[-1]} 404",
    ]


def test_an_app_that_may_not_ask_at_all_asks_once_more(spotify: Spotify) -> None:
    wanted = ids(spotify, "artists", 40)
    spotify.fail({"path": "/v1/artists", "times": 9, "status": 403})
    reader = read(spotify, "artists", wanted)
    assert (reader.known | reader.unknown | reader.unreadable, reader.bodies) == (set(), [])
    assert "does not return them to this app" in str(reader.stopped)
    assert spotify.fired() == [2]


ENDS: dict[str, tuple[dict[str, object], str, float]] = {
    "quota": ({"status": 429, "body": QUOTA}, "quota for this app is used up", 0),
    "budget": ({"status": 503}, "wait budget of 5 s is used up", 5),
    "refused app": ({"status": 403, "body": '{"error":{"message":"Active premium needed"}}'}, "Premium", 0),
    "refused request": ({"status": 400, "body": '{"error":{"message":"no market"}}'}, "no market", 0),
    "route that is gone": ({"status": 410}, "does not return them to this app (410", 0),
}


@pytest.mark.parametrize(("fault", "says", "most"), ENDS.values(), ids=ENDS)
def test_what_ends_it_leaves_what_was_read(
    start: Start, fault: dict[str, object], says: str, most: float
) -> None:
    spotify = start("items")
    spotify.standin.set(app_class="extended_new")
    wanted = ids(spotify, "artists", 12)
    spotify.standin.set(app_class="restricted")
    spotify.fail({"path": "/v1/artists/", "after": 4, "times": 99, **fault})
    reader = read(spotify, "artists", wanted, budget_s=5)
    assert told(reader, "artists") == wanted[:4]
    assert (reader.known, reader.unknown, reader.unreadable) == (set(wanted[:4]), set(), set())
    assert says in str(reader.stopped)
    assert spotify.fired()[0] >= 1
    assert sum(spotify.slept) <= most


PASSING: dict[str, Callable[[Spotify], None]] = {
    "503": lambda spotify: spotify.fail({"path": "/v1/artists", "status": 503}),
    "html": lambda spotify: spotify.fail({"path": "/v1/artists", "kind": "html"}),
    "reset": lambda spotify: spotify.fail({"path": "/v1/artists", "kind": "reset"}),
}


@pytest.mark.parametrize("fault", PASSING.values(), ids=PASSING)
def test_what_passes_is_waited_for(spotify: Spotify, fault: Callable[[Spotify], None]) -> None:
    wanted = ids(spotify, "artists", 10)
    fault(spotify)
    reader = read(spotify, "artists", wanted)
    assert told(reader, "artists") == wanted
    assert spotify.fired() == [1]
    assert len(spotify.slept) == 1


def fail_once(spotify: Spotify, path: str, body: str) -> None:
    spotify.fail({"path": path, "status": 200, "body": body})


UNREADABLE = {
    "an error with status 200": '{"error": {"status": 500}}',
    "empty object": "{}",
    "no list": '{"artists": null}',
    "a list of others": json.dumps({"artists": [{"id": base62("other")}] * 3}),
    "a null too many": '{"artists": [null, null, null, null]}',
    "too short": '{"artists": [null]}',
    "no objects": '{"artists": [5, "x", {"genres": []}]}',
    "nested too deeply": '{"artists": ' + "[" * 100_000 + "]" * 100_000 + "}",
}


@pytest.mark.parametrize("body", UNREADABLE.values(), ids=UNREADABLE)
def test_a_batch_that_cannot_be_read_makes_no_id_unknown_and_ends_nothing(
    spotify: Spotify, body: str
) -> None:
    wanted = ids(spotify, "artists", 3)
    fail_once(spotify, "/v1/artists", body)
    reader = read(spotify, "artists", wanted)
    assert (reader.known, reader.unknown, reader.unreadable) == (set(), set(), set(wanted))
    assert reader.stopped is None
    assert len(spotify.requested()) == 1


@pytest.mark.parametrize(
    "body", [json.dumps({"id": base62("other")}), "{}", "[]", "[" * 100_000 + "]" * 100_000]
)
def test_one_object_that_cannot_be_read_costs_no_other(start: Start, body: str) -> None:
    spotify = start("items")
    spotify.standin.set(app_class="extended_new")
    wanted = ids(spotify, "albums", 4)
    spotify.standin.set(app_class="restricted")
    fail_once(spotify, f"/v1/albums/{wanted[1]}", body)
    reader = read(spotify, "albums", wanted)
    assert reader.unreadable == {wanted[1]}
    assert reader.known == {wanted[0], *wanted[2:]}
    assert (reader.unknown, reader.stopped) == (set(), None)


def test_the_rest_is_not_requested_if_nothing_can_be_read(spotify: Spotify) -> None:
    wanted = [base62("artist", number) for number in range(2000)]
    spotify.fail({"path": "/v1/artists", "times": 99, "status": 200, "body": "{}"})
    reader = read(spotify, "artists", wanted)
    assert "artists can be read [SPOTIFY_UNREADABLE]" in str(reader.stopped)
    assert MAX_UNREADABLE <= len(reader.unreadable) < len(wanted)
    assert (reader.known, reader.unknown) == (set(), set())
