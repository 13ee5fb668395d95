"""Whole artists and albums to columns: batches, single objects, and what is no such thing."""

import json
from typing import Any

import pytest

from pipeline.transform.details import decode_details, details_frame, wanted_ids
from pipeline.transform.responses import snapshot_rows
from pipeline.transform.tables import build_tables
from tests.builders import DAY, RUN, Json, album, artist, entry, head, rows, snapshot, song

WHOLE_ARTIST: Json = artist(
    "artist-1", genres=["pop", 'k"p'], popularity=7, followers={"href": None, "total": 9}
)
WHOLE_ALBUM: Json = album("album-1", label="Quiet Records", external_ids={"upc": "0042"})
ARTIST_ROW = {"artist_id": "artist-1", "genres": '["pop","k\\"p"]', "popularity": 7, "follower_count": 9}
ALBUM_ROW = {"album_id": "album-1", "label": "Quiet Records", "upc": "0042"}


def decoded(kind: str, answer: object) -> list[dict[str, Any]]:
    return decode_details(kind, json.dumps(answer).encode("ascii"))


@pytest.mark.parametrize(
    ("kind", "whole", "row"), [("artists", WHOLE_ARTIST, ARTIST_ROW), ("albums", WHOLE_ALBUM, ALBUM_ROW)]
)
def test_batches_and_single_objects_give_the_same_rows(kind: str, whole: Json, row: Json) -> None:
    assert decoded(kind, whole) == [row]
    assert decoded(kind, {kind: [whole, None, whole]}) == [row, row]


def test_what_a_restricted_app_is_not_told_is_null() -> None:
    assert decoded("artists", artist("a", genres=[])) == [
        {"artist_id": "a", "genres": "[]", "popularity": None, "follower_count": None}
    ]
    assert decoded("albums", album("b")) == [{"album_id": "b", "label": None, "upc": None}]


ODD_ANSWERS: list[object] = [[], "text", 5, {"artists": None}, {"artists": "x"}, {"artists": [5, "x", {}]}]


@pytest.mark.parametrize("answer", ODD_ANSWERS, ids=str)
def test_what_is_no_artist_has_no_row(answer: object) -> None:
    assert decoded("artists", answer) == []


@pytest.mark.parametrize(
    "change",
    [
        {"genres": "pop"},
        {"genres": [5]},
        {"popularity": "7"},
        {"popularity": -1},
        {"followers": 9},
        {"id": ""},
    ],
    ids=str,
)
def test_one_odd_artist_costs_no_other(change: Json) -> None:
    assert decoded("artists", {"artists": [WHOLE_ARTIST | change, WHOLE_ARTIST]}) == [ARTIST_ROW]


def test_broken_text_is_replaced() -> None:
    assert decoded("artists", {"artists": [WHOLE_ARTIST | {"genres": ["\ud83d"]}, WHOLE_ARTIST]}) == [
        ARTIST_ROW | {"genres": '["?"]'},
        ARTIST_ROW,
    ]
    assert decode_details("artists", b"no JSON") == []


def test_the_last_row_of_an_id_counts() -> None:
    frame = details_frame(
        "artists", [ARTIST_ROW, ARTIST_ROW | {"artist_id": "b"}, ARTIST_ROW | {"genres": None}]
    )
    assert dict(frame.select("artist_id", "genres").iter_rows()) == {
        "artist-1": None,
        "b": ARTIST_ROW["genres"],
    }


def test_tables_show_what_is_known() -> None:
    known = song(artists=[artist("artist-1"), artist("artist-2")])
    unknown = song("song-2", on=album("album-2"))
    decoded_rows = snapshot_rows(snapshot([head([entry(known), entry(unknown)])], 2))
    details = {
        "artists": details_frame("artists", [ARTIST_ROW, ARTIST_ROW | {"artist_id": "nobody"}]),
        "albums": details_frame("albums", [ALBUM_ROW]),
    }
    tables = build_tables([decoded_rows], DAY, RUN, details)
    assert sorted(rows(tables, "artists", "artist_id", "genres", "popularity", "follower_count")) == [
        tuple(ARTIST_ROW.values()),
        ("artist-2", None, None, None),
    ]
    assert rows(tables, "albums", "album_id", "label", "upc") == [
        tuple(ALBUM_ROW.values()),
        ("album-2", None, None),
    ]


def test_artists_of_songs_and_albums_are_wanted_once() -> None:
    on = album(artists=[artist("artist-2")])
    found = snapshot_rows(snapshot([head([entry(song(on=on)), entry(song(on=on))])], 2))
    assert wanted_ids(found) == {"artists": {"artist-1", "artist-2"}, "albums": {"album-1"}}
