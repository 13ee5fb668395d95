"""When the Web API changes: unknown keys are ignored, a field that every song lacks fails the playlist."""

from typing import Any

import pytest

from flows.errors import PlaylistUnavailable
from flows.transform.tables import snapshot_rows
from tests.builders import entry, head, snapshot, song

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
