"""Songs, albums and artists that occur several times: the last occurrence by position wins."""

import pytest

from pipeline.transform.responses import snapshot_rows
from pipeline.transform.tables import Tables, build_tables
from tests.builders import (
    DAY,
    OTHER_PLAYLIST,
    PLAYLIST,
    RUN,
    SHAPES,
    Json,
    Shape,
    album,
    artist,
    entry,
    head,
    page,
    rows,
    snapshot,
    song,
    tables_of,
)


def _orphans(tables: Tables) -> set[tuple[str, str]]:
    """Ids that another table references and that have no row."""
    named = {
        "songs": [*rows(tables, "playlist_songs", "song_id"), *rows(tables, "song_artists", "song_id")],
        "albums": [*rows(tables, "songs", "album_id"), *rows(tables, "album_artists", "album_id")],
        "artists": [
            *rows(tables, "songs", "artist_id"),
            *rows(tables, "song_artists", "artist_id"),
            *rows(tables, "album_artists", "artist_id"),
        ],
    }
    return {
        (table, id_)
        for table, ids in named.items()
        for id_ in set(ids) - set(rows(tables, table, f"{table.removesuffix('s')}_id"))
    }


def test_a_song_listed_twice_has_two_positions_and_one_row() -> None:
    tables = tables_of(entry(song("twice")), entry(song("once")), entry(song("twice")))
    assert rows(tables, "playlist_songs", "position", "song_id") == [(1, "twice"), (2, "once"), (3, "twice")]
    assert sorted(rows(tables, "songs", "song_id")) == ["once", "twice"]


def test_each_position_has_its_own_added_at_and_added_by() -> None:
    first = entry(song("twice"), added_by={"id": "a"})
    tables = tables_of(first, entry(song("twice"), added_by={"id": "b"}))
    assert rows(tables, "playlist_songs", "position", "added_by") == [(1, "a"), (2, "b")]


def test_positions_count_every_entry_so_rejects_leave_gaps() -> None:
    tables = tables_of(entry(None), entry(song("a")), entry(None), None, entry(song("b")))
    assert rows(tables, "playlist_songs", "position") == [2, 5]
    assert rows(tables, "rejects", "position") == [1, 3, 4]


def test_positions_continue_over_pages() -> None:
    responses = [head([entry(song("a")), entry(None)], total=4), page([entry(None), entry(song("b"))], 4)]
    tables = build_tables([snapshot_rows(snapshot(responses, 4))], DAY, RUN)
    assert rows(tables, "playlist_songs", "position", "song_id") == [(1, "a"), (4, "b")]
    assert rows(tables, "rejects", "position") == [2, 3]


def test_the_last_occurrence_of_a_song_wins_with_its_artists() -> None:
    tables = tables_of(
        entry(song("S", name="Old", artists=[artist("a"), artist("b")], on=album("A"))),
        entry(song("S", name="New", artists=[artist("c")], on=album("B"))),
    )
    assert rows(tables, "songs", "name", "album_id", "artist_id") == [("New", "B", "c")]
    assert rows(tables, "song_artists", "song_id", "artist_id", "artist_position") == [("S", "c", 1)]


def test_the_last_occurrence_of_an_album_wins_with_its_artists() -> None:
    tables = tables_of(
        entry(song("1", on=album("A", [artist("a"), artist("b")], name="Old"))),
        entry(song("2", on=album("A", [artist("b")], name="New"))),
    )
    assert rows(tables, "albums", "album_id", "name") == [("A", "New")]
    assert rows(tables, "album_artists", "artist_id", "artist_position") == [("b", 1)]


def test_a_last_occurrence_without_album_artists_leaves_the_album_without_artists() -> None:
    tables = tables_of(entry(song("1")), entry(song("2", on=album(artists=[]))))
    assert rows(tables, "album_artists", "artist_id") == []


def test_a_rejected_occurrence_is_ignored() -> None:
    tables = tables_of(entry(song("S", name="Good")), entry(song("S", [], name="Bad")))
    assert rows(tables, "songs", "name") == ["Good"]


def test_albums_and_artists_of_every_accepted_entry_are_kept() -> None:
    tables = tables_of(
        entry(song("S", artists=[artist("a")], on=album("A", [artist("x")]))),
        entry(song("S", artists=[artist("b")], on=album("B", [artist("y")]))),
    )
    assert sorted(rows(tables, "albums", "album_id")) == ["A", "B"]
    assert sorted(rows(tables, "artists", "artist_id")) == ["a", "b", "x", "y"]
    assert sorted(rows(tables, "album_artists", "album_id", "artist_id")) == [("A", "x"), ("B", "y")]
    assert _orphans(tables) == set()


def _credits(*, by_song: list[Json], by_album: list[Json], id_: str) -> Json:
    return entry(song(id_, artists=by_song, on=album(f"on {id_}", by_album)))


def test_an_artist_has_the_name_of_its_last_occurrence() -> None:
    tables = tables_of(
        _credits(id_="1", by_song=[artist("a", name="One")], by_album=[artist("a", name="Two")]),
        _credits(id_="2", by_song=[artist("a", name="Three")], by_album=[]),
    )
    assert rows(tables, "artists", "artist_id", "name") == [("a", "Three")]


def test_within_an_entry_album_artists_win_over_song_artists() -> None:
    named_twice = [artist("a", name="Song, First"), artist("a", name="Song, Last")]
    tables = tables_of(_credits(id_="1", by_song=named_twice, by_album=[artist("a", name="Album")]))
    assert rows(tables, "artists", "name") == ["Album"]
    tables = tables_of(_credits(id_="1", by_song=named_twice, by_album=[]))
    assert rows(tables, "artists", "name") == ["Song, Last"]


def test_an_artist_credited_twice_counts_once_at_the_first_position() -> None:
    twice = [artist("a"), artist("b"), artist("a")]
    tables = tables_of(_credits(id_="1", by_song=twice, by_album=twice))
    for table in ("song_artists", "album_artists"):
        assert rows(tables, table, "artist_id", "artist_position") == [("a", 1), ("b", 2)]


def test_ten_artists_keep_their_order() -> None:
    names = [f"artist-{number}" for number in range(10, 0, -1)]
    tables = tables_of(entry(song(artists=[artist(name) for name in names])))
    credited = rows(tables, "song_artists", "artist_id", "artist_position")
    assert credited == [(name, place) for place, name in enumerate(names, start=1)]


@pytest.mark.parametrize("shape", SHAPES)
def test_ids_that_differ_in_case_are_different(shape: Shape) -> None:
    tables = tables_of(entry(song("s", on=album("a"))), entry(song("S", on=album("A"))), shape=shape)
    assert sorted(rows(tables, "songs", "song_id", "album_id")) == [("S", "A"), ("s", "a")]
    assert _orphans(tables) == set()


def test_playlists_of_one_date_are_not_mixed() -> None:
    first = head([entry(song("S", name="Here", artists=[artist("a", name="Here")])), entry(None)])
    there = [entry(song("S", name="There", artists=[artist("b"), artist("a", name="There")]))]
    second = head(there, id_=OTHER_PLAYLIST, name="Other")
    decoded = [snapshot_rows(snapshot([first], 2)), snapshot_rows(snapshot([second], 1, OTHER_PLAYLIST))]
    tables = build_tables(decoded, DAY, RUN)
    names = rows(tables, "songs", "playlist_id", "name")
    assert sorted(names) == [(PLAYLIST, "Here"), (OTHER_PLAYLIST, "There")]
    assert sorted(rows(tables, "song_artists", "playlist_id", "artist_id", "artist_position")) == [
        (PLAYLIST, "a", 1),
        (OTHER_PLAYLIST, "a", 2),
        (OTHER_PLAYLIST, "b", 1),
    ]
    assert rows(tables, "playlist_songs", "playlist_id", "position") == [(PLAYLIST, 1), (OTHER_PLAYLIST, 1)]
    assert rows(tables, "rejects", "playlist_id", "position") == [(PLAYLIST, 2)]
    counted = rows(tables, "playlists", "playlist_id", "name", "item_count")
    assert counted == [(PLAYLIST, "A Playlist", 2), (OTHER_PLAYLIST, "Other", 1)]
    assert ("a", "Here") in rows(tables, "artists", "artist_id", "name")
    assert ("a", "There") in rows(tables, "artists", "artist_id", "name")


@pytest.mark.parametrize("shape", SHAPES)
def test_an_empty_playlist_has_a_row_in_playlists_only(shape: Shape) -> None:
    tables = tables_of(shape=shape)
    heights = {table: frame.height for table, frame in tables.items() if frame.height}
    assert heights == {"playlists": 1}
    assert rows(tables, "playlists", "playlist_id", "item_count") == [(PLAYLIST, 0)]


def test_without_playlists_all_eight_tables_are_empty() -> None:
    tables = build_tables([], DAY, RUN)
    assert [frame.height for frame in tables.values()] == [0] * 8
