"""The smallest set of changes that turns one snapshot into the next."""

from collections.abc import Sequence
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.insights import song_changes
from pipeline.insights.song_changes import ListedSong, ListedTooOften, SongChanges, compare_songs


def listed(songs: Sequence[str]) -> list[ListedSong]:
    """A playlist of songs with these ids, from position 1; names are the ids in capitals."""
    return [ListedSong(number, song, song.upper(), None, None) for number, song in enumerate(songs, 1)]


def changes_of(older: Sequence[str], newer: Sequence[str]) -> SongChanges:
    return compare_songs(listed(older), listed(newer))


def count(changes: SongChanges) -> int:
    return sum(map(len, changes))


def applied(changes: SongChanges, older: Sequence[str]) -> list[str]:
    """Applies the changes to the older snapshot; returns the resulting ids."""
    removed = {one.previous_position for one in [*changes.left, *changes.moved]}
    songs = [song for number, song in enumerate(older, 1) if number not in removed]
    placed = {one.position: one.song_id for one in [*changes.entered, *changes.moved] if one.position}
    for position in sorted(placed):
        songs.insert(position - 1, placed[position])
    return songs


class Case(NamedTuple):
    """Two snapshots, one letter per song, and the expected changes with positions."""

    name: str
    older: str
    newer: str
    entered: list[tuple[str, int]]
    left: list[tuple[str, int]]
    moved: list[tuple[str, int, int]]


CASES = [
    Case("no change", "abc", "abc", [], [], []),
    Case("a first song", "", "a", [("a", 1)], [], []),
    Case("the last song", "a", "", [], [("a", 1)], []),
    Case("added at the top", "abcd", "xabcd", [("x", 1)], [], []),
    Case("removed from the middle", "abcd", "abd", [], [("c", 3)], []),
    Case("one dragged up", "abcdefg", "afbcdeg", [], [], [("f", 2, 6)]),
    Case("one dragged down", "abcdefg", "acdefbg", [], [], [("b", 6, 2)]),
    Case("replaced", "abc", "axc", [("x", 2)], [("b", 2)], []),
    Case("a duplicate added", "abc", "abca", [("a", 4)], [], []),
    Case("the first of two duplicates removed", "aba", "ba", [], [("a", 1)], []),
    Case("a song moved before a duplicate", "abac", "abca", [], [], [("c", 3, 4)]),
    Case("a duplicate moved and a song added", "aabc", "abcxa", [("x", 4)], [], [("a", 5, 2)]),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_changes_between_two_snapshots(case: Case) -> None:
    changes = changes_of(case.older, case.newer)
    assert [(one.song_id, one.position) for one in changes.entered] == case.entered
    assert [(one.song_id, one.previous_position) for one in changes.left] == case.left
    assert sorted((one.song_id, one.position, one.previous_position) for one in changes.moved) == case.moved


def test_a_song_added_at_the_top_is_one_change() -> None:
    songs = [f"song{number}" for number in range(100)]
    assert count(changes_of(songs, ["new", *songs])) == 1


def test_song_details_come_from_the_snapshot_that_has_the_song() -> None:
    old = [ListedSong(3, "a", "Old Name", "Somebody", "me"), ListedSong(7, "b", "Gone", None, None)]
    new = [ListedSong(2, "c", "New", "A", "you"), ListedSong(9, "a", "New Name", "Somebody", "me")]
    entered, left, moved = compare_songs(old, new)
    assert [(one.name, one.artist, one.position, one.added_by) for one in entered] == [("New", "A", 2, "you")]
    assert [(one.name, one.previous_position) for one in left] == [("Gone", 7)]
    assert moved == [], "its position changed only because other songs left"


songs = st.lists(st.sampled_from("abcdefghij"), max_size=30) | st.permutations("abcdefghijklmnop")


@given(older=songs, newer=songs)
def test_changes_applied_to_the_older_snapshot_give_the_newer(older: list[str], newer: list[str]) -> None:
    assert applied(changes_of(older, newer), older) == newer


@given(data=st.data(), older=songs, edits=st.integers(0, 6))
def test_there_are_at_most_as_many_changes_as_edits(
    data: st.DataObject, older: list[str], edits: int
) -> None:
    newer = list(older)
    for _ in range(edits):
        what = data.draw(st.sampled_from(["add", "remove", "move"]))
        taken = newer.pop(data.draw(st.integers(0, len(newer) - 1))) if newer and what != "add" else None
        if what != "remove":
            song = taken or data.draw(st.sampled_from("abcdxyz"))
            newer.insert(data.draw(st.integers(0, len(newer))), song)
    assert count(changes_of(older, newer)) <= edits


@given(older=songs, newer=songs)
def test_no_song_both_enters_and_leaves(older: list[str], newer: list[str]) -> None:
    entered, left, moved = changes_of(older, newer)
    both = {one.song_id for one in entered} & {one.song_id for one in left}
    assert both == set(), "such a song was moved"
    assert len(older) - len(left) == len(newer) - len(entered)
    assert len(moved) <= len(newer)


def test_a_large_playlist_in_reverse_order_can_be_compared() -> None:
    songs = [str(number) for number in range(10_000)]
    entered, left, moved = changes_of(songs, songs[::-1])
    assert (len(entered), len(left), len(moved)) == (0, 0, 9_999)


def test_a_song_listed_too_often_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(song_changes, "MAX_PAIRS", 100)
    with pytest.raises(ListedTooOften):
        changes_of(["x", *"a" * 11], [*"a" * 11, "y"])
    assert count(changes_of("a" * 1_000, "a" * 999)) == 1, "equal beginnings and ends are not compared"
