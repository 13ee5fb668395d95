"""Changes of the Web API: unknown keys are ignored; a required field that no song has fails the playlist."""

from typing import Any

import pytest

from pipeline.errors import PlaylistUnavailable
from pipeline.transform.responses import snapshot_rows
from tests.builders import album, artist, entry, head, replaced, snapshot, song

REQUIRED = ["name", "album", "artists"]


def without(field: str, number: int) -> dict[str, Any]:
    return entry({name: value for name, value in song(f"song-{number}").items() if name != field})


@pytest.mark.parametrize("field", REQUIRED)
def test_a_required_field_that_no_song_has_fails_the_playlist_and_is_named(field: str) -> None:
    entries = [without(field, number) for number in range(5)]
    with pytest.raises(PlaylistUnavailable, match=rf"all 5 songs .*`{field}`.*Web API has changed"):
        snapshot_rows(snapshot([head(entries)], 5))


def test_a_song_that_lacks_a_required_field_is_rejected() -> None:
    entries = [without("name", 1), *(entry(song(f"song-{number}")) for number in range(2, 6))]
    rows = snapshot_rows(snapshot([head(entries)], 5))

    assert len(rows.songs) == 4
    assert [position for position, _ in rows.rejects] == [1]


def test_songs_with_different_faults_are_rejected() -> None:
    rows = snapshot_rows(snapshot([head([without("album", 1), without("name", 2)])], 2))

    assert len({reject.reason for _, reject in rows.rejects}) == 2


def test_a_single_malformed_song_does_not_fail_the_playlist() -> None:
    rows = snapshot_rows(snapshot([head([without("album", 1), entry(None)])], 2))

    assert [position for position, _ in rows.rejects] == [1, 2]


def test_unknown_keys_are_ignored() -> None:
    strange = entry(song(canvas={"url": "x"}, album_of_the_year=True)) | {"mood": [1, None]}
    rows = snapshot_rows(snapshot([head([strange])], 1))

    assert rows.song_ids == ["song-1"]


def test_a_field_that_no_song_has_is_named_even_if_one_song_has_another_fault() -> None:
    entries = [without("name", number) for number in range(5)]
    entries[0]["item"]["id"] = 7
    with pytest.raises(PlaylistUnavailable, match=r"4 of 5 songs .*`name`"):
        snapshot_rows(snapshot([head(entries)], 5))


def test_faults_at_different_positions_in_a_song_count_as_the_same_field() -> None:
    nameless = [entry(song(f"s-{n}", artists=[*[artist("a")] * n, {"name": "b"}])) for n in range(3)]
    with pytest.raises(PlaylistUnavailable, match=r"all 3 songs .*`id`"):
        snapshot_rows(snapshot([head(nameless)], 3))


def test_a_renamed_entry_key_fails_the_playlist() -> None:
    renamed = [{"added_at": None, "content": song(f"s-{n}")} for n in range(3)]
    with pytest.raises(PlaylistUnavailable, match="all 3 songs are without `item` and `track`"):
        snapshot_rows(snapshot([head(renamed)], 3))


def test_songs_without_id_and_name_are_not_taken_for_tombstones() -> None:
    with pytest.raises(PlaylistUnavailable, match=r"all 3 songs .*`id`"):
        snapshot_rows(snapshot([head([entry({"type": "track"}) for _ in range(3)])], 3))


NATURAL_ITEMS: dict[str, Any] = {
    "null_item": None,
    "tombstone": song(id=None, name="", uri=None),
    "unavailable": song(id=None, uri=None),
    "chapter": {"id": "c", "name": "One", "type": "chapter", "uri": "spotify:chapter:c"},
    "episode": {"id": "e", "name": "One", "type": "episode", "uri": "spotify:episode:e"},
}


@pytest.mark.parametrize("reason", NATURAL_ITEMS)
def test_a_playlist_of_entries_with_one_natural_reason_does_not_fail(reason: str) -> None:
    rows = snapshot_rows(snapshot([head([entry(NATURAL_ITEMS[reason])] * 3)], 3))
    assert [reject.reason for _, reject in rows.rejects] == [reason] * 3


def test_a_playlist_of_entries_with_different_natural_reasons_does_not_fail() -> None:
    items = [entry(item) for item in NATURAL_ITEMS.values()] * 2
    assert len(snapshot_rows(snapshot([head(items)], len(items))).rejects) == len(items)


MISSING = {
    "duration_ms": ("item", "duration_ms"),
    "explicit": ("item", "explicit"),
    "disc_number": ("item", "disc_number"),
    "track_number": ("item", "track_number"),
    "album.name": ("item", "album", "name"),
    "album.album_type": ("item", "album", "album_type"),
    "album.total_tracks": ("item", "album", "total_tracks"),
}


@pytest.mark.parametrize("unusable", [None, [[]]], ids=["null", "unusable"])
@pytest.mark.parametrize("field", MISSING)
def test_an_expected_field_that_no_song_has_is_reported_as_missing(field: str, unusable: object) -> None:
    items = [entry(song(f"s-{n}", on=album(f"a-{n}"))) for n in range(3)]
    lacking = [replaced(one, MISSING[field], unusable) for one in items]
    assert snapshot_rows(snapshot([head(lacking)], 3)).missing_fields == [field]
    assert snapshot_rows(snapshot([head([*lacking[1:], items[0]])], 3)).missing_fields == []


def test_missing_artist_names_are_reported_only_if_there_are_two_songs() -> None:
    nameless = [artist("a", name=None)]
    items = [entry(song(f"s-{n}", nameless, album(artists=nameless))) for n in range(2)]
    assert snapshot_rows(snapshot([head(items)], 2)).missing_fields == ["artists.name"]
    assert snapshot_rows(snapshot([head(items[:1])], 1)).missing_fields == []


def test_a_field_that_any_song_has_is_not_reported_as_missing() -> None:
    whole, lacking = album("x"), {"id": "x"}
    items = [entry(song("a", on=whole)), entry(song("b", on=lacking))]
    assert snapshot_rows(snapshot([head(items)], 2)).missing_fields == []
