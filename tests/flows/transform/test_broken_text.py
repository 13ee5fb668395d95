"""Text that is no Unicode: only the entry that holds it is rejected, the playlist never fails for it."""

import pytest

from flows.transform.answers import decode_page
from flows.transform.tables import build_tables, snapshot_rows
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


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(
    "path",
    [
        ("item", "name"),
        ("item", "id"),
        ("item", "album", "name"),
        ("item", "artists", 0, "name"),
        ("item", "album", "artists", 0, "name"),
        ("added_by", "id"),
    ],
    ids=lambda path: ".".join(map(str, path)),
)
def test_only_the_entry_with_a_lone_surrogate_is_rejected(path: Path, shape: Shape) -> None:
    entries = [entry(song("a")), replaced(entry(song("b")), path, BROKEN), entry(song("c"))]
    tables = build_tables([snapshot_rows(snapshot([head(entries, shape)], 3))], DAY, RUN)
    assert rows(tables, "playlist_songs", "position", "song_id") == [(1, "a"), (3, "c")]
    reject = only(tables, "rejects")
    assert (reject["position"], reject["reason"]) == (2, "lone_surrogate")
    assert r"half \ud83d" in reject["entry"]


def test_other_pages_keep_their_entries() -> None:
    answers = [head([entry(song("a"))]), page([entry(song(name=BROKEN)), entry(song("c"))], 3)]
    tables = build_tables([snapshot_rows(snapshot(answers, 3))], DAY, RUN)
    assert rows(tables, "playlist_songs", "position", "song_id") == [(1, "a"), (3, "c")]
    assert rows(tables, "rejects", "position", "reason") == [(2, "lone_surrogate")]


@pytest.mark.parametrize(
    "path", [("name",), ("description",), ("owner", "display_name")], ids=lambda path: path[-1]
)
def test_in_the_playlists_own_texts_a_question_mark_takes_its_place(path: Path) -> None:
    answer = replaced(head([entry(song("a")), entry(song(name=BROKEN))]), path, BROKEN)
    tables = build_tables([snapshot_rows(snapshot([answer], 2))], DAY, RUN)
    column = {"display_name": "owner_name"}.get(str(path[-1]), str(path[-1]))
    assert only(tables, "playlists")[column] == "half ?"
    assert rows(tables, "playlist_songs", "song_id") == ["a"]
    assert rows(tables, "rejects", "reason") == ["lone_surrogate"]


@pytest.mark.parametrize("broken", NOT_UTF_8.values(), ids=NOT_UTF_8)
@pytest.mark.parametrize("with_escape", [False, True], ids=["alone", "beside a lone surrogate"])
def test_only_the_entry_with_bytes_that_are_no_utf_8_is_rejected(broken: bytes, *, with_escape: bool) -> None:
    third = entry(song("c", name=BROKEN if with_escape else "fine"))
    raw = body(head([entry(song("a")), entry(song("b", name="@@")), third])).replace(b"@@", broken)
    tables = build_tables([snapshot_rows(snapshot([raw], 3))], DAY, RUN)
    assert rows(tables, "playlist_songs", "song_id") == ["a"] if with_escape else ["a", "c"]
    assert set(rows(tables, "rejects", "reason")) == {"lone_surrogate"}
    assert rows(tables, "rejects", "position") == ([2, 3] if with_escape else [2])


@pytest.mark.parametrize("broken", NOT_UTF_8.values(), ids=NOT_UTF_8)
def test_bytes_that_are_no_utf_8_in_its_own_name_do_not_fail_the_playlist(broken: bytes) -> None:
    raw = body(head([entry(song("a"))], name="Half @@")).replace(b"@@", broken)
    tables = build_tables([snapshot_rows(snapshot([raw], 1))], DAY, RUN)
    name = only(tables, "playlists")["name"]
    assert name.startswith("Half ?")
    assert rows(tables, "playlist_songs", "song_id") == ["a"]


@pytest.mark.parametrize("shape", SHAPES)
def test_a_page_says_where_its_entries_were(shape: Shape) -> None:
    for name in ("fine", BROKEN):
        read = decode_page(body(head([entry(song(name=name, on=album(artists=[artist("a")])))], shape)))
        assert read is not None
        assert (len(read.entries), read.total, read.shape) == (1, 1, shape)
