"""Contents of the report. Records have the columns of their queries, except for `moved_count`."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import NamedTuple

from pipeline.records import PlaylistChanges


class PlaylistFigures(NamedTuple):
    """A playlist in its newest snapshot on or before `report_date` (find_report_playlists.sql).

    `is_stale`: the snapshot is more than a day older than the newest one in the report. `previous_date`: None
    for a first or a stale snapshot. `rejected_count`: additional rejected entries. `missing_day_count`: days
    without a snapshot among the `day_count` days before `report_date` (30, or fewer since the first
    snapshot). `explicit_percent`: None if no song has a value. `moved_count`: None if not compared.
    """

    playlist_id: str
    playlist_name: str
    owner_name: str | None
    report_date: date
    snapshot_date: date
    previous_date: date | None
    is_stale: bool
    fetched_at: datetime
    item_count: int
    song_count: int
    entered_count: int
    left_count: int
    rejected_count: int
    snapshot_count: int
    day_count: int
    missing_day_count: int
    duration_ms: int | None
    explicit_percent: float | None
    moved_count: int | None = None

    @property
    def is_first(self) -> bool:
        """True if there is no earlier snapshot."""
        return self.previous_date is None and not self.is_stale

    @property
    def change_count(self) -> int:
        """Number of added, removed and moved songs, and of additional rejected entries."""
        return self.entered_count + self.left_count + self.rejected_count + (self.moved_count or 0)


class SongLine(NamedTuple):
    """A listed song with its history up to the snapshot (find_report_songs.sql).

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
    """Position of a song in one of the last 30 snapshots, numbered from 1 (find_report_places.sql).

    `snapshot_count`: number of those snapshots. `first_date`: date of the first one.
    """

    playlist_id: str
    song_id: str
    snapshot_number: int
    snapshot_date: date
    position: int
    snapshot_count: int
    first_date: date


class Bar(NamedTuple):
    """Number and share of a playlist's entries with the same artist, release age or reject reason."""

    playlist_id: str
    label: str
    entry_count: int
    percent: float


class PlaylistDetails(NamedTuple):
    """A playlist that is shown in full.

    `changes`: None if there is no earlier snapshot, or the lists are too long to compare. `songs`: the first
    songs of the list. `places`: positions by song id; empty if the playlist is not a chart.
    """

    figures: PlaylistFigures
    changes: PlaylistChanges | None = None
    songs: Sequence[SongLine] = ()
    places: Mapping[str, Sequence[SongPlace]] = {}
    artists: Sequence[Bar] = ()
    ages: Sequence[Bar] = ()
    rejects: Sequence[Bar] = ()


class ReportContents(NamedTuple):
    """The report: all playlists, and details of those that are shown in full."""

    report_date: date
    playlists: Sequence[PlaylistFigures]
    details: Sequence[PlaylistDetails]
