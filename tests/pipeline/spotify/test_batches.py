"""Reading details of artists and albums: in batches, or one by one if the app may not use batches."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from pipeline.spotify.batches import MAX_UNREADABLE, DetailsReader
from sandbox.spotify.catalogue import MIXTAPE
from sandbox.spotify.seeds import base62
from tests.spotify import Spotify, Start

QUOTA = json.dumps({"error": {"status": 429, "message": "quota", "reason": "QUOTA_EXCEEDED"}})


def ids(spotify: Spotify, kind: str, limit: int = 1000) -> list[str]:
    """Distinct ids of artists or albums in a playlist; clears the request log afterwards."""
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
    return [one for one in dict.fromkeys(one["id"] for one in found) if one][:limit]


def read(spotify: Spotify, kind: str, wanted: list[str], **client: Any) -> DetailsReader:
    reader = DetailsReader(spotify.client(**client), kind)
    reader.read(wanted)
    return reader


def ids_in_bodies(reader: DetailsReader, kind: str) -> list[str]:
    """Ids in the bodies that were read."""
    responses = [json.loads(body) for body in reader.bodies]
    return [one["id"] for response in responses for one in response.get(kind, [response]) if one]


@pytest.mark.parametrize(("kind", "size"), [("artists", 50), ("albums", 20)])
def test_each_id_is_requested_once_in_full_batches(spotify: Spotify, kind: str, size: int) -> None:
    wanted = ids(spotify, kind)
    assert len(wanted) > 2 * size
    reader = read(spotify, kind, wanted)
    assert reader.known == set(wanted)
    assert sorted(ids_in_bodies(reader, kind)) == sorted(wanted)
    assert reader.stopped is None
    assert spotify.requested() == [f"/v1/{kind} 200"] * -(-len(wanted) // size)


def test_an_id_that_does_not_exist_is_unknown(spotify: Spotify) -> None:
    wanted, unknown = ids(spotify, "artists", 2), base62("nobody")
    reader = read(spotify, "artists", [*wanted, unknown])
    assert (reader.known, reader.unknown, reader.unreadable) == (set(wanted), {unknown}, set())


def test_an_invalid_id_does_not_affect_its_batch(spotify: Spotify) -> None:
    wanted = ids(spotify, "albums", 30)
    reader = read(spotify, "albums", ["odd", *wanted])
    assert (reader.known, reader.unknown) == (set(wanted), {"odd"})
    assert reader.stopped is None
    requested = spotify.requested()
    assert sorted(requested)[:2] == ["/v1/albums 200", "/v1/albums 400"]
    assert len(requested) == 2 + 20


@pytest.mark.parametrize("kind", ["artists", "albums"])
def test_a_restricted_app_requests_ids_one_by_one(start: Start, kind: str) -> None:
    spotify = start("items")
    spotify.standin.set(app_class="extended_new")
    wanted = [*ids(spotify, kind, 7), base62("nobody")]
    spotify.standin.set(app_class="restricted")
    reader = read(spotify, kind, wanted)
    assert (reader.known, reader.unknown) == (set(wanted[:-1]), {wanted[-1]})
    assert sorted(ids_in_bodies(reader, kind)) == sorted(wanted[:-1])
    assert reader.stopped is None
    assert spotify.requested() == [
        f"/v1/{kind} 403",
        *(f"/v1/{kind}/{one} 200" for one in wanted[:-1]),
        f"/v1/{kind}/{wanted[-1]} 404",
    ]


def test_an_app_without_access_tries_a_batch_and_one_id_then_stops(spotify: Spotify) -> None:
    wanted = ids(spotify, "artists", 40)
    spotify.fail({"path": "/v1/artists", "times": 9, "status": 403})
    reader = read(spotify, "artists", wanted)
    assert (reader.known | reader.unknown | reader.unreadable, reader.bodies) == (set(), [])
    assert "does not return them to this app" in str(reader.stopped)
    assert spotify.fired() == [2]


STOPPING: dict[str, tuple[dict[str, object], str, float]] = {
    "quota": ({"status": 429, "body": QUOTA}, "quota for this app is used up", 0),
    "budget": ({"status": 503}, "wait budget of 5 s is used up", 5),
    "refused app": ({"status": 403, "body": '{"error":{"message":"Active premium needed"}}'}, "Premium", 0),
    "refused request": ({"status": 400, "body": '{"error":{"message":"no market"}}'}, "no market", 0),
    "endpoint removed": ({"status": 410}, "does not return them to this app (410", 0),
}


@pytest.mark.parametrize(("fault", "message", "max_slept_s"), STOPPING.values(), ids=STOPPING)
def test_a_fault_that_stops_reading_keeps_the_responses_so_far(
    start: Start, fault: dict[str, object], message: str, max_slept_s: float
) -> None:
    spotify = start("items")
    spotify.standin.set(app_class="extended_new")
    wanted = ids(spotify, "artists", 12)
    spotify.standin.set(app_class="restricted")
    spotify.fail({"path": "/v1/artists/", "after": 4, "times": 99, **fault})
    reader = read(spotify, "artists", wanted, budget_s=5)
    assert ids_in_bodies(reader, "artists") == wanted[:4]
    assert (reader.known, reader.unknown, reader.unreadable) == (set(wanted[:4]), set(), set())
    assert message in str(reader.stopped)
    assert spotify.fired()[0] >= 1
    assert sum(spotify.slept) <= max_slept_s


TRANSIENT: dict[str, Callable[[Spotify], None]] = {
    "503": lambda spotify: spotify.fail({"path": "/v1/artists", "status": 503}),
    "html": lambda spotify: spotify.fail({"path": "/v1/artists", "kind": "html"}),
    "reset": lambda spotify: spotify.fail({"path": "/v1/artists", "kind": "reset"}),
}


@pytest.mark.parametrize("fault", TRANSIENT.values(), ids=TRANSIENT)
def test_a_transient_fault_is_retried_after_a_wait(
    spotify: Spotify, fault: Callable[[Spotify], None]
) -> None:
    wanted = ids(spotify, "artists", 10)
    fault(spotify)
    reader = read(spotify, "artists", wanted)
    assert ids_in_bodies(reader, "artists") == wanted
    assert spotify.fired() == [1]
    assert len(spotify.slept) == 1


def fail_once(spotify: Spotify, path: str, body: str) -> None:
    spotify.fail({"path": path, "status": 200, "body": body})


UNREADABLE = {
    "an error with status 200": '{"error": {"status": 500}}',
    "empty object": "{}",
    "no list": '{"artists": null}',
    "a list of other ids": json.dumps({"artists": [{"id": base62("other")}] * 3}),
    "one null too many": '{"artists": [null, null, null, null]}',
    "too short": '{"artists": [null]}',
    "no objects": '{"artists": [5, "x", {"genres": []}]}',
    "nested too deeply": '{"artists": ' + "[" * 100_000 + "]" * 100_000 + "}",
}


@pytest.mark.parametrize("body", UNREADABLE.values(), ids=UNREADABLE)
def test_the_ids_of_an_unreadable_batch_are_unreadable_and_reading_continues(
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
def test_an_unreadable_object_does_not_affect_the_others(start: Start, body: str) -> None:
    spotify = start("items")
    spotify.standin.set(app_class="extended_new")
    wanted = ids(spotify, "albums", 4)
    spotify.standin.set(app_class="restricted")
    fail_once(spotify, f"/v1/albums/{wanted[1]}", body)
    reader = read(spotify, "albums", wanted)
    assert reader.unreadable == {wanted[1]}
    assert reader.known == {wanted[0], *wanted[2:]}
    assert (reader.unknown, reader.stopped) == (set(), None)


def test_reading_stops_after_many_unreadable_ids(spotify: Spotify) -> None:
    wanted = [base62("artist", number) for number in range(2000)]
    spotify.fail({"path": "/v1/artists", "times": 99, "status": 200, "body": "{}"})
    reader = read(spotify, "artists", wanted)
    assert "artists can be read [SPOTIFY_UNREADABLE]" in str(reader.stopped)
    assert MAX_UNREADABLE <= len(reader.unreadable) < len(wanted)
    assert (reader.known, reader.unknown) == (set(), set())
