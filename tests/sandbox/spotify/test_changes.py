"""Playlists that change while they are read, and a playlist with the maximum number of entries."""

from datetime import date
from typing import Any

import pytest

from sandbox.spotify import shapes
from sandbox.spotify.catalogue import CHARTS, EMPTY, HUGE, HUGE_LENGTH, MIXTAPE, MIXTAPE_LENGTH, playlist
from sandbox.spotify.settings import Change
from tests.spotify_standin import Standin, Start

TODAY = date(2026, 11, 21)


def heads(standin: Standin, playlist_id: str, count: int) -> list[dict[str, Any]]:
    token = standin.bearer()
    return [standin.get(f"/v1/playlists/{playlist_id}", token).json() for _ in range(count)]


def fired(standin: Standin) -> list[tuple[int, int]]:
    changes = standin.get("/sandbox/settings").json()["changes"]
    return [(change["answered"], change["fired"]) for change in changes]


def test_playlist_moves_to_another_date_the_given_number_of_times(start: Start) -> None:
    standin = start(changes=[Change(CHARTS[0], after=2, times=2, days=5)])
    seen = [head["snapshot_id"] for head in heads(standin, CHARTS[0], 7)]
    days = [0, 0, 5, 5, 10, 10, 10]
    expected = [playlist(CHARTS[0], date.fromordinal(TODAY.toordinal() + day)) for day in days]
    assert seen == [content and content["snapshot_id"] for content in expected]
    assert len(set(seen)) == 3
    assert fired(standin) == [(7, 2)]


@pytest.mark.parametrize("entries", [7, -7])
def test_playlist_gains_or_loses_entries_between_two_pages(start: Start, entries: int) -> None:
    standin = start()
    standin.set(changes=[{"playlist": MIXTAPE, "after": 2, "times": 1, "entries": entries}])
    token = standin.bearer()
    pages = [
        standin.get(f"/v1/playlists/{MIXTAPE}/items?limit=50&offset=300", token).json() for _ in range(4)
    ]
    after = MIXTAPE_LENGTH + entries
    assert [page["total"] for page in pages] == [MIXTAPE_LENGTH] * 2 + [after] * 2
    assert [len(page["items"]) for page in pages] == [20, 20, 20 + entries, 20 + entries]
    shifted = [entry["added_at"] for entry in pages[2]["items"][:13]]
    first = max(0, -entries)  # entries are removed at the start, so the other entries move up
    assert shifted == [entry["added_at"] for entry in pages[0]["items"]][first : first + 13]
    assert fired(standin) == [(4, 1)]


def test_each_change_has_a_new_snapshot_id(start: Start) -> None:
    standin = start(changes=[Change(MIXTAPE, times=9, entries=-1)])
    seen = heads(standin, MIXTAPE, 4)
    assert len({head["snapshot_id"] for head in seen}) == 4
    assert [head["items"]["total"] for head in seen] == [MIXTAPE_LENGTH - lost for lost in range(4)]
    assert fired(standin) == [(4, 3)]


def test_change_counts_only_successful_responses_of_its_playlist(start: Start) -> None:
    standin = start(changes=[Change(EMPTY, entries=1), Change(MIXTAPE, entries=1)])
    standin.get(f"/v1/playlists/{MIXTAPE}")  # refused without a token
    assert [head["items"]["total"] for head in heads(standin, MIXTAPE, 2)] == [
        MIXTAPE_LENGTH,
        MIXTAPE_LENGTH + 1,
    ]
    assert fired(standin) == [(0, 0), (2, 1)]
    assert [head["items"]["total"] for head in heads(standin, EMPTY, 2)] == [0, 0]  # nothing to repeat


def test_huge_playlist_is_read_to_its_end(shared: Start) -> None:
    standin = shared()
    token = standin.bearer()
    page = standin.get(f"/v1/playlists/{HUGE}/items?limit=50&offset=9990", token).json()
    assert (page["total"], page["next"], len(page["items"])) == (HUGE_LENGTH, None, 10)
    assert page["items"][-1]["item"]["name"].endswith(" 10000")
    assert HUGE not in standin.get("/sandbox/playlists").json()


def test_huge_playlist_has_10000_different_songs_and_never_changes() -> None:
    first, later = playlist(HUGE, TODAY), playlist(HUGE, date(2027, 1, 1))
    assert first
    assert later
    assert first["snapshot_id"] == later["snapshot_id"]
    assert len({entry["item"]["id"] for entry in first["entries"]}) == HUGE_LENGTH
    assert shapes.page(later, 5000, 50, "items")["items"] == shapes.page(first, 5000, 50, "items")["items"]
