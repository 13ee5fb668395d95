"""Result lines of playlists: rows by table, and rejects by reason."""

from pipeline.columns import TABLES
from pipeline.transform.partitions import partition_lines
from pipeline.transform.responses import snapshot_rows
from pipeline.transform.tables import build_tables
from tests.builders import DAY, FETCHED_AT, OTHER_PLAYLIST, PLAYLIST, RUN, entry, head, snapshot, song


def test_each_playlist_has_a_partition_even_if_it_is_empty() -> None:
    full = head([entry(song("a")), entry(None), entry(song("a")), entry(None), None])
    empty = head([], id_=OTHER_PLAYLIST)
    decoded = [snapshot_rows(snapshot([full], 5)), snapshot_rows(snapshot([empty], 0, OTHER_PLAYLIST))]
    one, other = partition_lines(
        build_tables(decoded, DAY, RUN), decoded, {PLAYLIST: "raw/one", OTHER_PLAYLIST: "raw/other"}
    )
    assert (one.playlist_id, one.snapshot_date, one.source_key) == (PLAYLIST, DAY, "raw/one")
    assert (one.source_fetched_at, one.snapshot_id, one.total) == (FETCHED_AT, "AAAA/+8=", 5)
    assert (one.status, one.read, one.rejected) == ("written", 5, {"null_item": 3})
    assert one.rows_by_table == {
        "playlists": 1,
        "playlist_songs": 2,
        "songs": 1,
        "albums": 1,
        "artists": 1,
        "song_artists": 1,
        "album_artists": 1,
        "rejects": 3,
    }
    assert (other.playlist_id, other.source_key, other.total) == (OTHER_PLAYLIST, "raw/other", 0)
    assert (other.read, other.rejected) == (0, {})
    assert other.rows_by_table == dict.fromkeys(TABLES, 0) | {"playlists": 1}
