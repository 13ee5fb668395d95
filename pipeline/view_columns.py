"""Documentation of the views in sql/insights, for `docs/tables.md`; a test compares it with the views.

The views of the newest snapshots (`songs`, `albums` …) have the columns of their tables, pipeline/columns.py.
"""

from typing import NamedTuple


class ViewColumn(NamedTuple):
    """Name, type without length or precision, and meaning of a column."""

    name: str
    kind: str
    doc: str


class ViewDoc(NamedTuple):
    """Content of a view, what one row is, and the columns in order."""

    doc: str
    row: str
    columns: tuple[ViewColumn, ...]


def _text(name: str, doc: str) -> ViewColumn:
    return ViewColumn(name, "VARCHAR", doc)


def _whole(name: str, doc: str) -> ViewColumn:
    return ViewColumn(name, "NUMBER", doc)


def _date(name: str, doc: str) -> ViewColumn:
    return ViewColumn(name, "DATE", doc)


def _time(name: str, doc: str) -> ViewColumn:
    return ViewColumn(name, "TIMESTAMP_NTZ", doc)


def _flag(name: str, doc: str) -> ViewColumn:
    return ViewColumn(name, "BOOLEAN", doc)


_PLAYLIST_ID = _text("playlist_id", "Spotify id of the playlist")
_PLAYLIST_NAME = _text("playlist_name", "name of the playlist in this snapshot")
_NEWEST_NAME = _text("playlist_name", "name of the playlist in its newest snapshot")
_SNAPSHOT_DATE = _date("snapshot_date", "date of the snapshot (UTC)")
_SONG_ID = _text("song_id", "Spotify id of the song (track)")
_SONG_NAME = _text("song_name", "title")
_ARTIST_NAMES = _text(
    "artist_names", "names of the song's artists in Spotify's order, joined by `, `; null if none has a name"
)
_TRACKLIST = (
    _PLAYLIST_ID,
    _PLAYLIST_NAME,
    _SNAPSHOT_DATE,
    _whole("position", "position in the playlist, from 1; rejected entries leave gaps"),
    _SONG_ID,
    _SONG_NAME,
    _ARTIST_NAMES,
    _text("artist_id", "first artist"),
    _text("album_id", "album of the song"),
    _text("album_name", "title of the album; null if Spotify sends no usable value"),
    _date("release_date", "release date; the first day if only year or month is known; null if unknown"),
    _whole("duration_ms", "length in milliseconds; null if Spotify sends no usable value"),
    _flag("is_explicit", "explicit lyrics; null if Spotify sends no usable value"),
    _whole("popularity", "0 to 100, when fetched; null for restricted apps"),
    _text("isrc", "International Standard Recording Code; null if unknown"),
    _time("added_at", "when the entry was added; null if unknown"),
    _text("added_by", "id of the user who added it; null if unknown"),
    _text("song_url", "link to the song"),
)

VIEW_COLUMNS: dict[str, ViewDoc] = {
    "tracklist": ViewDoc("Songs of the newest snapshots, with names.", "listed song", _TRACKLIST),
    "tracklist_history": ViewDoc(
        "Songs of all snapshots, with names.", "listed song and snapshot", _TRACKLIST
    ),
    "playlist_changes": ViewDoc(
        "Entries added or removed since the previous snapshot of the playlist. The first snapshot has no "
        "changes. If a song is listed several times, its n-th occurrences are compared: a song that was "
        "listed twice and is now listed once has left once.",
        "entry that entered or left",
        (
            _PLAYLIST_ID,
            _PLAYLIST_NAME,
            _SNAPSHOT_DATE,
            _date("previous_date", "date of the previous snapshot of the playlist"),
            _text("change", "`entered` or `left`"),
            _SONG_ID,
            _SONG_NAME,
            _ARTIST_NAMES,
            _whole("position", "position in this snapshot; null if it left"),
            _whole("previous_position", "position in the previous snapshot; null if it entered"),
            _time("added_at", "when the entry was added; null if unknown"),
            _text("added_by", "id of the user who added it, also if it left; null if unknown"),
        ),
    ),
    "song_journeys": ViewDoc(
        "Chart history of each song in a playlist: debut, peak, longest run and re-entries, counted in "
        "snapshots. A song that is listed twice counts at its best position.",
        "playlist and song",
        (
            _PLAYLIST_ID,
            _NEWEST_NAME,
            _SONG_ID,
            _text("song_name", "title in the newest snapshot with the song"),
            _text("artist_names", "names of its artists in that snapshot; null if none has a name"),
            _date("first_date", "first snapshot with the song"),
            _date("last_date", "newest snapshot with the song"),
            _whole("snapshot_count", "snapshots with the song"),
            _whole("peak_position", "best position"),
            _date("peak_date", "first snapshot at that position"),
            _whole("snapshots_at_peak", "snapshots at that position"),
            _whole("snapshots_at_number_one", "snapshots at position 1"),
            _whole("longest_run", "most consecutive snapshots of the playlist with the song"),
            _date("longest_run_first_date", "first snapshot of the longest run; the latest of equal runs"),
            _date("longest_run_last_date", "last snapshot of that run"),
            _whole("reentry_count", "how often it returned after at least one snapshot without it"),
            _flag("is_listed", "the song is in the newest snapshot of the playlist"),
            _whole("position", "position in the newest snapshot; null if it is not listed"),
            _whole("previous_position", "position in the snapshot before that; null if it was not listed"),
        ),
    ),
    "number_one_runs": ViewDoc(
        "How long songs stay at position 1, in consecutive snapshots of the playlist.",
        "run of a song at position 1",
        (
            _PLAYLIST_ID,
            _SONG_ID,
            _text("song_name", "title in the run's last snapshot"),
            _text("artist_names", "names of its artists in that snapshot; null if none has a name"),
            _date("first_date", "first snapshot of the run"),
            _date("last_date", "last snapshot of the run"),
            _whole("snapshot_count", "snapshots in the run"),
        ),
    ),
    "longest_runs": ViewDoc(
        "How long songs stay, in consecutive snapshots of the playlist. A date without a snapshot does not "
        "end a run.",
        "run of a song in a playlist",
        (
            _PLAYLIST_ID,
            _SONG_ID,
            _text("song_name", "title in the run's last snapshot"),
            _date("first_date", "first snapshot of the run"),
            _date("last_date", "last snapshot of the run"),
            _whole("snapshot_count", "snapshots in the run"),
            _whole("best_position", "best position in the run"),
        ),
    ),
    "top_artists": ViewDoc(
        "Artists of each snapshot, ranked by their number of songs in it.",
        "playlist, snapshot and artist",
        (
            _PLAYLIST_ID,
            _SNAPSHOT_DATE,
            _text("artist_id", "Spotify id of the artist; every artist of a song counts, not only the first"),
            _text("artist_name", "name; null if Spotify sends no usable value"),
            _whole("song_count", "distinct songs of the artist in the snapshot"),
            _whole("best_position", "best position of these songs"),
            _whole(
                "artist_rank", "rank by song_count, then by best_position; equal artists have the same rank"
            ),
        ),
    ),
    "chart_movers": ViewDoc(
        "Movements between any two snapshots of a playlist. The view has all pairs of dates: filter by "
        "playlist_id, from_date and to_date. A song that is listed twice counts at its best position.",
        "playlist, pair of dates and song",
        (
            _PLAYLIST_ID,
            _date("from_date", "date of the earlier snapshot"),
            _date("to_date", "date of the later snapshot"),
            _SONG_ID,
            _text("song_name", "title in the later snapshot that has the song"),
            _whole("from_position", "position in the earlier snapshot; null if `new`"),
            _whole("to_position", "position in the later snapshot; null if `gone`"),
            _whole("places_up", "from_position - to_position; null if `new` or `gone`"),
            _text("movement", "`up`, `down`, `same`, `new` or `gone`"),
        ),
    ),
    "freshness": ViewDoc(
        "Age of each playlist's newest snapshot, and number of recent days without a snapshot.",
        "playlist",
        (
            _PLAYLIST_ID,
            _NEWEST_NAME,
            _date("snapshot_date", "date of the newest snapshot"),
            _time("fetched_at", "when it was fetched"),
            _whole("age_hours", "full hours since fetched_at"),
            _whole(
                "missing_day_count",
                "days without a snapshot in the last 30 complete days (UTC), not before its first snapshot",
            ),
        ),
    ),
}
"""Views by name, in the order of docs/tables.md."""
