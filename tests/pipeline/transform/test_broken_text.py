"""Text that cannot be loaded: an optional field becomes null; a required field rejects its entry."""

import json

import pytest

from pipeline.errors import PlaylistUnavailable
from pipeline.transform.api_types import MAX_TEXT_CHARACTERS
from pipeline.transform.pages import decode_page
from pipeline.transform.responses import snapshot_rows
from pipeline.transform.tables import Tables, build_tables
from tests.builders import (
    DAY,
    RUN,
    SHAPES,
    Path,
    Shape,
    album,
    artist,
    body,
    entry,
    head,
    only,
    page,
    replaced,
    rows,
    snapshot,
    song,
)

BROKEN = "half \ud83d"
NOT_UTF_8 = {
    "invalid byte": b"\xff",
    "cut sequence": b"\xf0\x9f\xab",
    "surrogate as bytes": b"\xed\xa0\xbd",
}


FIELDS: list[Path] = [("item", "name"), ("item", "id"), ("item", "album", "id"), ("item", "artists", 0, "id")]
"""Required fields of a song; test_fields.py tests the optional ones."""
every_field = pytest.mark.parametrize("path", FIELDS, ids=lambda path: ".".join(map(str, path)))
every_text = pytest.mark.parametrize(
    "path", [("name",), ("description",), ("owner", "display_name")], ids=lambda path: path[-1]
)


def tables_of_raw(raw: bytes, total: int) -> Tables:
    return build_tables([snapshot_rows(snapshot([raw], total))], DAY, RUN)


@pytest.mark.parametrize("shape", SHAPES)
@every_field
def test_a_lone_surrogate_rejects_only_its_entry(path: Path, shape: Shape) -> None:
    entries = [entry(song("a")), replaced(entry(song("b")), path, BROKEN), entry(song("c"))]
    tables = build_tables([snapshot_rows(snapshot([head(entries, shape)], 3))], DAY, RUN)
    assert rows(tables, "playlist_songs", "position", "song_id") == [(1, "a"), (3, "c")]
    reject = only(tables, "rejects")
    assert (reject["position"], reject["reason"]) == (2, "lone_surrogate")
    assert r"half \ud83d" in reject["entry"]


def test_a_lone_surrogate_does_not_affect_other_pages() -> None:
    responses = [head([entry(song("a"))], total=3), page([entry(song(name=BROKEN)), entry(song("c"))], 3)]
    tables = build_tables([snapshot_rows(snapshot(responses, 3))], DAY, RUN)
    assert rows(tables, "playlist_songs", "position", "song_id") == [(1, "a"), (3, "c")]
    assert rows(tables, "rejects", "position", "reason") == [(2, "lone_surrogate")]


@pytest.mark.parametrize("broken", [BROKEN, "half \0"], ids=["lone surrogate", "NUL"])
@every_text
def test_broken_text_of_the_playlist_itself_is_replaced_by_a_question_mark(path: Path, broken: str) -> None:
    response = replaced(head([entry(song("a")), entry(song(name=BROKEN))]), path, broken)
    tables = build_tables([snapshot_rows(snapshot([response], 2))], DAY, RUN)
    column = {"display_name": "owner_name"}.get(str(path[-1]), str(path[-1]))
    assert only(tables, "playlists")[column] == "half ?"
    assert rows(tables, "playlist_songs", "song_id") == ["a"]
    assert rows(tables, "rejects", "reason") == ["lone_surrogate"]


@pytest.mark.parametrize("broken", NOT_UTF_8.values(), ids=NOT_UTF_8)
@pytest.mark.parametrize("with_escape", [False, True], ids=["alone", "next to a lone surrogate"])
def test_invalid_utf_8_rejects_only_its_entry(broken: bytes, *, with_escape: bool) -> None:
    third = entry(song("c", name=BROKEN if with_escape else "fine"))
    raw = body(head([entry(song("a")), entry(song("b", name="@@")), third])).replace(b"@@", broken)
    tables = tables_of_raw(raw, 3)
    assert rows(tables, "playlist_songs", "song_id") == ["a"] if with_escape else ["a", "c"]
    assert set(rows(tables, "rejects", "reason")) == {"lone_surrogate"}
    assert rows(tables, "rejects", "position") == ([2, 3] if with_escape else [2])


@pytest.mark.parametrize("broken", NOT_UTF_8.values(), ids=NOT_UTF_8)
def test_invalid_utf_8_in_the_playlist_name_does_not_fail_the_playlist(broken: bytes) -> None:
    raw = body(head([entry(song("a"))], name="Half @@")).replace(b"@@", broken)
    tables = tables_of_raw(raw, 1)
    name = only(tables, "playlists")["name"]
    assert name.startswith("Half ?")
    assert rows(tables, "playlist_songs", "song_id") == ["a"]


@pytest.mark.parametrize("shape", SHAPES)
def test_the_api_shape_of_a_page_is_detected(shape: Shape) -> None:
    for name in ("fine", BROKEN):
        read = decode_page(body(head([entry(song(name=name, on=album(artists=[artist("a")])))], shape)))
        assert read is not None
        assert (len(read.entries), read.total, read.shape) == (1, 1, shape)


@every_field
def test_a_nul_character_rejects_only_its_entry(path: Path) -> None:
    entries = [entry(song("a")), replaced(entry(song("b")), path, "in\0side"), entry(song("c"))]
    tables = tables_of_raw(body(head(entries)), 3)
    assert rows(tables, "playlist_songs", "position", "song_id") == [(1, "a"), (3, "c")]
    reject = only(tables, "rejects")
    assert (reject["position"], reject["reason"]) == (2, "nul_character")
    assert "\0" not in reject["entry"]
    assert r"in\u0000side" in reject["entry"]


def test_a_nul_character_in_a_field_that_is_not_read_is_ignored() -> None:
    tables = tables_of_raw(body(head([entry(song("a", href="a\0b"), primary_color="\0")])), 1)
    assert rows(tables, "playlist_songs", "song_id") == ["a"]


@pytest.mark.parametrize(
    ("raw", "loaded"), [(b"\x01\x1f\t", ["b\x01\x1f\t"]), (b"\0", [])], ids=["control", "NUL"]
)
def test_unescaped_control_characters_do_not_fail_the_page(raw: bytes, loaded: list[str]) -> None:
    response = body(head([entry(song("a", name="a")), entry(song("b", name="b@@"))])).replace(b"@@", raw)
    tables = tables_of_raw(response, 2)
    assert rows(tables, "songs", "name") == ["a", *loaded]
    assert rows(tables, "rejects", "reason") == ["nul_character"] * (1 - len(loaded))


def test_a_lone_surrogate_followed_by_an_invalid_byte_is_rejected() -> None:
    raw = body(head([entry(song("a")), entry(song(name="@@"))])).replace(b"@@", b"\\ud83d\xff")
    assert rows(tables_of_raw(raw, 2), "rejects", "reason") == ["lone_surrogate"]


def test_an_entry_that_is_not_json_is_rejected() -> None:
    second = body(page([entry(song("b", name="@@")), entry(song("c"))], 3)).replace(b'"@@"', b"NaN")
    responses = [head([entry(song("a"))], total=3), second]
    tables = build_tables([snapshot_rows(snapshot(responses, 3))], DAY, RUN)
    assert rows(tables, "playlist_songs", "song_id") == ["a", "c"]
    assert rows(tables, "rejects", "reason") == ["malformed: Expected `str`, got `float` - at `$.name`"]


def test_a_text_longer_than_its_column_is_rejected_and_its_beginning_kept() -> None:
    longest, longer = "ü" * MAX_TEXT_CHARACTERS, "ü" * (MAX_TEXT_CHARACTERS + 1)
    raw = body(head([entry(song("a", name=longest)), entry(song("b", name=longer))]))
    tables = tables_of_raw(raw, 2)
    assert rows(tables, "songs", "name") == [longest]
    reject = only(tables, "rejects")
    assert reject["reason"].endswith("- at `$.name`")
    assert json.loads(reject["entry"]).startswith('{"added_at"')
    assert len(reject["entry"]) < 2000


def test_a_playlist_name_longer_than_its_column_fails_the_playlist() -> None:
    response = head([entry(song("a"))], name="x" * (MAX_TEXT_CHARACTERS + 1))
    with pytest.raises(PlaylistUnavailable, match=r"\$\.name"):
        snapshot_rows(snapshot([response], 1))


@pytest.mark.parametrize("invalid", [b"\xff", b"1" * 5000], ids=["invalid UTF-8", "5,000 digits"])
def test_an_entry_nested_to_the_limit_does_not_stop_the_run(invalid: bytes) -> None:
    reasons = set()
    for depth in range(900, 1000):
        odd = b'{"added_at": 5, "deep": ' + b"[" * depth + b"]" * depth + b', "beside": "?"}'
        raw = body(head([entry(song("a")), {"odd": 1}])).replace(b'{"odd": 1}', odd)
        raw = raw.replace(b'"?"', invalid if invalid.isdigit() else b'"' + invalid + b'"')
        try:
            reasons |= {row["reason"] for row in tables_of_raw(raw, 2)["rejects"].iter_rows(named=True)}
        except PlaylistUnavailable as refused:
            reasons.add(refused.message.partition("nested too deeply")[1])
    assert reasons == {"malformed: it is nested too deeply to be read", "nested too deeply", "no_item"}


@pytest.mark.parametrize("lacking", [None, BROKEN], ids=["typed", "with a lone surrogate"])
def test_a_number_of_thousands_of_digits_is_null(lacking: str | None) -> None:
    items = [entry(song("a", popularity=0, preview_url=lacking)), entry(song("b"), added_at="?")]
    raw = body(head(items, followers={"total": 0.0}, further=0)).replace(b": 0", b": " + b"9" * 5000)
    decoded = snapshot_rows(snapshot([raw], 2))
    assert [*decoded.songs] == ["a", "b"]
    assert decoded.songs["a"].popularity is None
    assert decoded.nulled["popularity"] == 1


def test_a_response_nested_too_deeply_fails_only_its_playlist() -> None:
    raw = body(head([entry(song("a", name="@@"))])).replace(b'"@@"', b"[" * 100_000 + b"]" * 100_000)
    with pytest.raises(PlaylistUnavailable, match="nested too deeply"):
        snapshot_rows(snapshot([raw], 1))
