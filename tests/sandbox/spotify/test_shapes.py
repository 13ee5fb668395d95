"""API responses in the three shapes."""

import json
from datetime import date
from typing import Any

import pytest

from sandbox.spotify import shapes
from sandbox.spotify.catalogue import CHARTS, EMPTY, FOREIGN, MIXTAPE, MIXTAPE_LENGTH, PLAYLISTS, playlist
from sandbox.spotify.objects import Json
from sandbox.spotify.shapes import Shape
from tests.builders import SHAPES

DAY = date(2026, 11, 21)
WRAPPERS: dict[Shape, set[str]] = {"tracks": {"track"}, "items": {"item"}, "both": {"track", "item"}}


def canonical(playlist_id: str) -> Json:
    found = playlist(playlist_id, DAY)
    assert found is not None
    return found


def keys(value: Any) -> set[str]:
    """Returns every key at any depth."""
    if isinstance(value, dict):
        return set(value).union(*map(keys, value.values()))
    return set().union(*map(keys, value)) if isinstance(value, list) else set()


@pytest.mark.parametrize("shape", SHAPES)
def test_head_has_the_paging_objects_of_its_shape(shape: Shape) -> None:
    head = shapes.head(canonical(MIXTAPE), shape)
    expected = {f"{wrapper}s" for wrapper in WRAPPERS[shape]}
    assert {"tracks", "items"} & set(head) == expected
    assert "entries" not in head
    for key in expected:
        paging = head[key]
        assert (paging["total"], paging["offset"], paging["limit"]) == (MIXTAPE_LENGTH, 0, 100)
        assert len(paging["items"]) == 100
        assert paging["next"].endswith(f"/playlists/{MIXTAPE}/{key}?offset=100&limit=100")
        assert paging["previous"] is None


@pytest.mark.parametrize("shape", SHAPES)
def test_entries_have_the_wrappers_of_their_shape(shape: Shape) -> None:
    for entry in shapes.page(canonical(CHARTS[0]), 0, 50, shape)["items"]:
        assert {"track", "item"} & set(entry) == WRAPPERS[shape]
        for wrapper in WRAPPERS[shape]:
            assert (entry[wrapper]["track"], entry[wrapper]["episode"]) == (True, False)


def test_entry_without_item_has_no_wrapper() -> None:
    entries = shapes.page(canonical(MIXTAPE), 0, MIXTAPE_LENGTH, "both")["items"]
    bare = [entry for entry in entries if not {"track", "item"} & set(entry)]
    null = [entry for entry in entries if entry.get("track", 0) is None and entry.get("item", 0) is None]
    assert (len(bare), len(null)) == (1, 1)


def test_shape_items_withholds_popularity_and_markets() -> None:
    withheld = {"popularity", "available_markets", "followers", "label"}
    assert not withheld & keys(shapes.head(canonical(MIXTAPE), "items"))
    assert not withheld & keys(shapes.page(canonical(MIXTAPE), 100, 50, "items"))
    assert {"popularity", "available_markets", "followers"} <= keys(shapes.head(canonical(MIXTAPE), "both"))


def test_shape_items_withholds_entries_of_other_users() -> None:
    head = shapes.head(canonical(FOREIGN), "items")
    assert head["name"] == PLAYLISTS[FOREIGN]
    assert not {"tracks", "items"} & set(head)
    assert len(shapes.response_bodies(canonical(FOREIGN), "items")) == 1
    assert shapes.head(canonical(FOREIGN), "both")["items"]["items"]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("playlist_id", PLAYLISTS)
def test_response_bodies_contain_every_entry_once_in_order(shape: Shape, playlist_id: str) -> None:
    if shape == "items" and playlist_id == FOREIGN:
        playlist_id = EMPTY  # has no readable entries in this shape, tested above
    bodies = shapes.response_bodies(canonical(playlist_id), shape, page_size=30)
    head, *pages = map(json.loads, bodies)
    (wrapper, *_) = WRAPPERS[shape]
    entries = head[f"{wrapper}s"]["items"] + [entry for page in pages for entry in page["items"]]
    assert len(entries) == head[f"{wrapper}s"]["total"] == len(canonical(playlist_id)["entries"])
    for actual, expected in zip(entries, canonical(playlist_id)["entries"], strict=True):
        assert actual["added_at"] == expected["added_at"]
        assert (actual.get(wrapper) or {}).get("name") == (expected.get("item") or {}).get("name")
    assert [page["offset"] for page in pages] == list(range(100, len(entries), 30))


def test_page_has_the_urls_of_its_neighbours() -> None:
    page = shapes.page(canonical(MIXTAPE), 300, 50, "both", "http://127.0.0.1:1/v1")
    assert len(page["items"]) == MIXTAPE_LENGTH - 300
    assert page["next"] is None
    assert page["previous"] == f"http://127.0.0.1:1/v1/playlists/{MIXTAPE}/items?offset=250&limit=50"
    beyond = shapes.page(canonical(MIXTAPE), 1000, 50, "both")
    assert (beyond["items"], beyond["total"]) == ([], MIXTAPE_LENGTH)


def test_lone_surrogates_are_escaped() -> None:
    bodies = shapes.response_bodies(canonical(MIXTAPE), "both")
    assert any(rb"Broken \ud83d Heart" in body for body in bodies)
    assert all(body.isascii() for body in bodies)
