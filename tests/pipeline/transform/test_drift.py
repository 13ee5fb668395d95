"""When the Web API changes: unknown keys are ignored, a field that every song lacks fails the playlist."""

from typing import Any

import pytest

from pipeline.errors import PlaylistUnavailable
from pipeline.transform.tables import snapshot_rows
from tests.builders import album, artist, entry, head, snapshot, song

REQUIRED = ["name", "album", "artists", "duration_ms", "explicit", "disc_number", "track_number"]


def without(field: str, number: int) -> dict[str, Any]:
    return entry({name: value for name, value in song(f"song-{number}").items() if name != field})


@pytest.mark.parametrize("field", REQUIRED)
def test_a_field_that_every_song_lacks_fails_the_playlist_and_is_named(field: str) -> None:
    entries = [without(field, number) for number in range(5)]
    with pytest.raises(PlaylistUnavailable, match=rf"all 5 songs .*`{field}`.*Web API has changed"):
        snapshot_rows(snapshot([head(entries)], 5))


def test_a_field_that_one_song_lacks_is_a_reject() -> None:
    entries = [without("duration_ms", 1), *(entry(song(f"song-{number}")) for number in range(2, 6))]
    rows = snapshot_rows(snapshot([head(entries)], 5))

    assert len(rows.songs) == 4
    assert [reject["position"] for reject in rows.rejects] == [1]


def test_songs_with_faults_of_their_own_are_rejects() -> None:
    rows = snapshot_rows(snapshot([head([without("album", 1), without("name", 2)])], 2))

    assert len({reject["reason"] for reject in rows.rejects}) == 2


def test_a_single_song_proves_nothing() -> None:
    rows = snapshot_rows(snapshot([head([without("album", 1), entry(None)])], 2))

    assert [reject["position"] for reject in rows.rejects] == [1, 2]


def test_unknown_keys_are_ignored() -> None:
    strange = entry(song(canvas={"url": "x"}, album_of_the_year=True)) | {"mood": [1, None]}
    rows = snapshot_rows(snapshot([head([strange])], 1))

    assert [row["song"]["song_id"] for row in rows.songs] == ["song-1"]


def test_faults_that_hide_each_other_still_name_the_field() -> None:
    entries = [without("duration_ms", number) for number in range(5)]
    entries[0]["item"]["artists"] = [{"id": None, "name": "x"}]
    with pytest.raises(PlaylistUnavailable, match=r"4 of 5 songs .*`duration_ms`"):
        snapshot_rows(snapshot([head(entries)], 5))


def test_values_and_places_make_no_difference() -> None:
    dates = [entry(song(f"s-{n}", on=album(release_date=f"{n}/2024"))) for n in range(1, 4)]
    with pytest.raises(PlaylistUnavailable, match=r"all 3 songs .*release_date"):
        snapshot_rows(snapshot([head(dates)], 3))
    nameless = [entry(song(f"s-{n}", artists=[*[artist("a")] * n, {"id": "b"}])) for n in range(3)]
    with pytest.raises(PlaylistUnavailable, match=r"all 3 songs .*`name`"):
        snapshot_rows(snapshot([head(nameless)], 3))


def test_an_entry_key_of_another_name_fails_the_playlist() -> None:
    renamed = [{"added_at": None, "content": song(f"s-{n}")} for n in range(3)]
    with pytest.raises(PlaylistUnavailable, match="all 3 songs are without `item` and `track`"):
        snapshot_rows(snapshot([head(renamed)], 3))


def test_an_id_that_every_song_lacks_is_no_tombstone() -> None:
    with pytest.raises(PlaylistUnavailable, match=r"all 3 songs .*`id`"):
        snapshot_rows(snapshot([head([entry({"type": "track"}) for _ in range(3)])], 3))


@pytest.mark.parametrize("item", [None, song(id=None, name="", uri=None)], ids=["null", "tombstone"])
def test_a_playlist_of_songs_that_are_gone_is_a_playlist(item: Any) -> None:
    rows = snapshot_rows(snapshot([head([entry(item)] * 3)], 3))
    assert len(rows.rejects) == 3
