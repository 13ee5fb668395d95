"""Decoding the details of artists and albums: batches, single objects, unusable responses."""

import json
from typing import Any, NamedTuple

import pytest

from pipeline.transform.details import decode_details, details_frame, read_response, wanted_ids
from pipeline.transform.responses import snapshot_rows
from pipeline.transform.tables import build_tables
from tests.builders import DAY, RUN, Json, album, artist, entry, head, rows, snapshot, song

WHOLE_ARTIST: Json = artist(
    "artist-1", genres=["pop", 'k"p'], popularity=7, followers={"href": None, "total": 9}
)
WHOLE_ALBUM: Json = album("album-1", label="Quiet Records", external_ids={"upc": "0042"})
ARTIST_ROW = {"artist_id": "artist-1", "genres": '["pop","k\\"p"]', "popularity": 7, "follower_count": 9}
ALBUM_ROW = {"album_id": "album-1", "label": "Quiet Records", "upc": "0042"}


def decoded(kind: str, response: object) -> list[dict[str, Any]]:
    return decode_details(kind, json.dumps(response).encode("ascii"))


@pytest.mark.parametrize(
    ("kind", "whole", "row"), [("artists", WHOLE_ARTIST, ARTIST_ROW), ("albums", WHOLE_ALBUM, ALBUM_ROW)]
)
def test_batches_and_single_objects_decode_to_the_same_rows(kind: str, whole: Json, row: Json) -> None:
    assert decoded(kind, whole) == [row]
    assert decoded(kind, {kind: [whole, None, whole | {"id": "b"}]}) == [row, {**row, f"{kind[:-1]}_id": "b"}]


def test_fields_withheld_from_a_restricted_app_are_null() -> None:
    assert decoded("artists", artist("a", genres=[])) == [
        {"artist_id": "a", "genres": "[]", "popularity": None, "follower_count": None}
    ]
    assert decoded("albums", album("b")) == [{"album_id": "b", "label": None, "upc": None}]


UNUSABLE_RESPONSES: list[object] = [
    [],
    "text",
    5,
    {"artists": None},
    {"artists": "x"},
    {"artists": [5, "x", {}]},
]


@pytest.mark.parametrize("response", UNUSABLE_RESPONSES, ids=str)
def test_a_response_without_artists_has_no_rows(response: object) -> None:
    assert decoded("artists", response) == []


def test_whole_numbers_may_be_written_as_floats() -> None:
    response = (
        b'{"artists": [{"id": "a", "genres": ["glam rock"], "popularity": 85.0, '
        b'"followers": {"href": null, "total": 4.9022656E7}}]}'
    )
    assert decode_details("artists", response) == [
        {"artist_id": "a", "genres": '["glam rock"]', "popularity": 85, "follower_count": 49022656}
    ]


class Unusable(NamedTuple):
    """An unusable optional field, the column that becomes null, and the path under which it is counted."""

    kind: str
    change: Json
    column: str
    path: str


UNUSABLE = [
    Unusable("artists", {"genres": "pop"}, "genres", "artists.genres"),
    Unusable("artists", {"genres": ["pop", 5]}, "genres", "artists.genres"),
    Unusable("artists", {"popularity": "7"}, "popularity", "artists.popularity"),
    Unusable("artists", {"popularity": 7.5}, "popularity", "artists.popularity"),
    Unusable("artists", {"popularity": -1}, "popularity", "artists.popularity"),
    Unusable("artists", {"followers": 9}, "follower_count", "artists.followers"),
    Unusable("artists", {"followers": {"total": []}}, "follower_count", "artists.followers.total"),
    Unusable("albums", {"label": 5}, "label", "albums.label"),
    Unusable("albums", {"external_ids": []}, "upc", "albums.external_ids"),
    Unusable("albums", {"external_ids": {"upc": {}}}, "upc", "albums.external_ids.upc"),
]


@pytest.mark.parametrize("case", UNUSABLE, ids=lambda case: f"{case.kind} {case.change}")
def test_an_unusable_optional_field_is_null_and_counted(case: Unusable) -> None:
    whole = {"artists": WHOLE_ARTIST, "albums": WHOLE_ALBUM}[case.kind]
    (row,) = decoded(case.kind, whole)
    spotify_id = whole["id"]
    response = read_response(case.kind, json.dumps({case.kind: [whole | case.change]}).encode(), [spotify_id])
    assert response.rows == {spotify_id: {**row, case.column: None}}
    assert (response.unknown, response.nulled) == (set(), {case.path: 1})


@pytest.mark.parametrize("odd", ["", None, 5, ["artist-1"]], ids=str)
def test_an_object_without_a_usable_id_does_not_affect_the_others(odd: object) -> None:
    assert decoded("artists", {"artists": [WHOLE_ARTIST | {"id": odd}, WHOLE_ARTIST]}) == [ARTIST_ROW]


class Batch(NamedTuple):
    """Objects in a response to a request for artists a, b and c; ids in neither set are unreadable."""

    objects: list[object]
    known: set[str]
    unknown: set[str]


A, B, C = ({"id": one} for one in "abc")
BATCHES = {
    "all": Batch([A, B, C], {"a", "b", "c"}, set()),
    "one unknown": Batch([A, None, C], {"a", "c"}, {"b"}),
    "all unknown": Batch([None, None, None], set(), {"a", "b", "c"}),
    "another id": Batch([A, {"id": "x"}, C], {"a", "c"}, set()),
    "not an object": Batch([A, 5, None], {"a"}, {"c"}),
    "another order": Batch([None, A, C], {"a", "c"}, set()),
    "one left out": Batch([A, None], {"a"}, set()),
    "one too many": Batch([A, None, None, None], {"a"}, set()),
    "empty": Batch([], set(), set()),
}


@pytest.mark.parametrize("case", BATCHES.values(), ids=BATCHES)
def test_an_unreadable_id_is_neither_known_nor_unknown(case: Batch) -> None:
    response = read_response("artists", json.dumps({"artists": case.objects}).encode(), ["a", "b", "c"])
    assert (set(response.rows), response.unknown) == (case.known, case.unknown)


def test_broken_text_is_replaced() -> None:
    broken = WHOLE_ARTIST | {"id": "b", "genres": ["\ud83d"]}
    assert decoded("artists", {"artists": [broken, WHOLE_ARTIST]}) == [
        ARTIST_ROW | {"artist_id": "b", "genres": '["?"]'},
        ARTIST_ROW,
    ]
    assert decode_details("artists", b"no JSON") == []


def test_the_last_row_of_an_id_wins() -> None:
    frame = details_frame(
        "artists", [ARTIST_ROW, ARTIST_ROW | {"artist_id": "b"}, ARTIST_ROW | {"genres": None}]
    )
    assert dict(frame.select("artist_id", "genres").iter_rows()) == {
        "artist-1": None,
        "b": ARTIST_ROW["genres"],
    }


def test_tables_contain_known_details_and_null_for_unknown_ones() -> None:
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


def test_wanted_ids_include_album_artists_and_each_id_once() -> None:
    on = album(artists=[artist("artist-2")])
    found = snapshot_rows(snapshot([head([entry(song(on=on)), entry(song(on=on))])], 2))
    assert wanted_ids(found) == {"artists": {"artist-1", "artist-2"}, "albums": {"album-1"}}


def test_a_number_out_of_range_is_null_and_its_artist_is_kept() -> None:
    whole = b'{"id": "artist-1", "genres": ["pop"], "popularity": 1e400}'
    response = read_response("artists", whole, ["artist-1"])
    assert response.rows["artist-1"]["genres"] == '["pop"]'
    assert response.rows["artist-1"]["popularity"] is None
    assert response.nulled == {"artists.popularity": 1}
