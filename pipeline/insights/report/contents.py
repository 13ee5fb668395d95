"""What the report shows. A record has the columns of the query that finds it; nothing is computed here."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import NamedTuple

from pipeline.records import PlaylistChanges


class PlaylistFigures(NamedTuple):
    """A playlist as its newest snapshot on or before `report_date` shows it (find_report_playlists.sql).

    `previous_date`: None for a first snapshot. `entry_count`: entries that a comparison with the previous
    snapshot reads. `missing_day_count`: days without a snapshot among the 30 that end with `report_date`,
    from the first snapshot on. `explicit_percent`: None if Spotify says of no song whether it is explicit.
    `changed_playlist_count`: of all playlists of the report, those with songs added or removed.
    """

    playlist_id: str
    playlist_name: str
    owner_name: str | None
    report_date: date
    snapshot_date: date
    previous_date: date | None
    fetched_at: datetime
    item_count: int
    song_count: int
    entered_count: int
    left_count: int
    entry_count: int
    snapshot_count: int
    missing_day_count: int
    duration_ms: int | None
    explicit_percent: float | None
    changed_playlist_count: int

    @property
    def change_count(self) -> int:
        """Songs that were added or removed."""
        return self.entered_count + self.left_count


class SongLine(NamedTuple):
    """A listed song with its history up to the snapshot: find_report_songs.sql.

    `previous_position`: None if the previous snapshot did not list it. A song that is listed twice counts at
    its best position.
    """

    playlist_id: str
    position: int
    song_id: str
    song_name: str
    artist_names: str | None
    added_by: str | None
    previous_position: int | None
    peak_position: int
    snapshot_count: int


class SongPlace(NamedTuple):
    """Where a song stood in one of the last 30 snapshots, numbered from 1 (find_report_places.sql)."""

    playlist_id: str
    song_id: str
    snapshot_number: int
    snapshot_date: date
    position: int


class Order(NamedTuple):
    """In how many of the last 30 snapshots more than one song was overtaken (find_report_orders.sql)."""

    playlist_id: str
    snapshot_count: int
    reordered_count: int
    first_date: date
    last_date: date


class Bar(NamedTuple):
    """A part of a playlist: an artist, an age or a reject reason, how many entries, and their share."""

    playlist_id: str
    label: str
    entry_count: int
    percent: float


class PlaylistDetails(NamedTuple):
    """A playlist that is shown in full.

    `changes`: None if there is nothing to compare, or too much. `songs`: the first ones of the list.
    """

    figures: PlaylistFigures
    changes: PlaylistChanges | None = None
    songs: Sequence[SongLine] = ()
    places: Mapping[str, Sequence[SongPlace]] = {}
    order: Order | None = None
    artists: Sequence[Bar] = ()
    ages: Sequence[Bar] = ()
    rejects: Sequence[Bar] = ()


class ReportContents(NamedTuple):
    """The whole report: every playlist, and those that are shown in full."""

    report_date: date
    playlists: Sequence[PlaylistFigures]
    details: Sequence[PlaylistDetails]
