"""Changes between the two newest snapshots of a playlist, read from the warehouse."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import pytest

from pipeline.insights import changes
from pipeline.insights.changes import find_changes
from pipeline.records import PlaylistChanges, SongChange
from tests.builders import OTHER_PLAYLIST, PLAYLIST, entry, head, snapshot, song
from tests.warehouses import DAY, Warehouse

YESTERDAY = DAY - timedelta(days=1)
EPISODE = entry(song("e", type="episode"))
NULL_ITEM = entry(None)


def load(warehouse: Warehouse, day: date, **playlists: Sequence[Any]) -> list[PlaylistChanges]:
    """Publishes snapshots of playlists with these entries, as a run does; returns the changes."""
    run_id = warehouse.new_run_id()
    kept = [
        snapshot([head([*entries], id_=id_, name=f"List {id_[0]}")], len(entries), id_)
        for id_, entries in playlists.items()
    ]
    warehouse.load(run_id, warehouse.write_snapshots(run_id, {day: kept}))
    with warehouse.session(run_id, autocommit=False) as session:
        found = find_changes(session, [(id_, day) for id_ in playlists])
        assert len(session.statements) == 1
    return found


def songs(names: str, **fields: Any) -> list[Any]:
    return [entry(song(name), **fields) for name in names]


def change(song_id: str, position: int | None, previous: int | None, added_by: str = "user-1") -> SongChange:
    return SongChange(song_id, f"Song {song_id}", "Artist artist-1", position, previous, added_by)


def test_changes_are_relative_to_the_newest_earlier_snapshot(warehouse: Warehouse) -> None:
    load(warehouse, YESTERDAY - timedelta(days=3), **{PLAYLIST: songs("zzzz")})
    load(warehouse, YESTERDAY, **{PLAYLIST: [*songs("abc"), NULL_ITEM, *songs("d")]})
    (found,) = load(
        warehouse, DAY, **{PLAYLIST: [*songs("d"), EPISODE, *songs("ac"), *songs("x", added_by={"id": "me"})]}
    )
    assert (found.name, found.snapshot_date, found.previous_date) == ("List a", DAY, YESTERDAY)
    assert found.entered == [change("x", 5, None, "me")]
    assert found.left == [change("b", None, 2)]
    assert found.moved == [change("d", 1, 5)]
    assert found.rejected == {"episode": 1}


def test_each_playlist_of_the_run_has_its_own_changes(warehouse: Warehouse) -> None:
    load(warehouse, YESTERDAY, **{PLAYLIST: songs("ab"), OTHER_PLAYLIST: songs("b")})
    first, second = load(warehouse, DAY, **{PLAYLIST: songs("ab"), OTHER_PLAYLIST: []})
    assert (first.playlist_id, first.entered, first.left, first.moved, first.rejected) == (
        PLAYLIST, [], [], [], {},
    )  # fmt: skip
    assert (second.playlist_id, second.left) == (OTHER_PLAYLIST, [change("b", None, 1)])


def test_a_first_snapshot_and_other_playlists_are_not_compared(warehouse: Warehouse) -> None:
    assert load(warehouse, DAY, **{PLAYLIST: songs("ab")}) == []
    load(warehouse, YESTERDAY, **{PLAYLIST: songs("b")})
    assert load(warehouse, DAY, **{OTHER_PLAYLIST: songs("b")}) == []


def test_a_playlist_too_large_to_compare_is_named_and_the_others_are_compared(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(changes, "MAX_ENTRIES", 4)
    load(warehouse, YESTERDAY, **{PLAYLIST: songs("abc"), OTHER_PLAYLIST: songs("b")})
    (found,) = load(warehouse, DAY, **{PLAYLIST: songs("abcd"), OTHER_PLAYLIST: songs("bc")})
    assert (found.playlist_id, found.entered) == (OTHER_PLAYLIST, [change("c", 2, None)])
    assert f"playlist {PLAYLIST}: its changes are not described" in caplog.text


def test_an_error_in_one_comparison_does_not_affect_the_other_playlists(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail_once(*_: object) -> None:
        monkeypatch.undo()
        raise RecursionError("canary")

    load(warehouse, YESTERDAY, **{PLAYLIST: songs("a"), OTHER_PLAYLIST: songs("b")})
    monkeypatch.setattr(changes, "compare_songs", fail_once)
    (found,) = load(warehouse, DAY, **{PLAYLIST: songs("ab"), OTHER_PLAYLIST: songs("bc")})
    assert found.playlist_id == OTHER_PLAYLIST
    assert f"playlist {PLAYLIST}: its changes are not described, because RecursionError" in caplog.text
