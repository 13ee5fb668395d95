"""What the report shows. A record has the columns of the query that finds it; only `moved_count` has none."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import NamedTuple

from pipeline.records import PlaylistChanges


class PlaylistFigures(NamedTuple):
    """A playlist as its newest snapshot on or before `report_date` shows it (find_report_playlists.sql).

    `previous_date`: None for a first snapshot, and for one that `is_stale`: not read when others were.
    `rejected_count`: entries that are rejected in addition. `missing_day_count`: days without a snapshot, of
    the `day_count` days before `report_date`: 30, or fewer since the first snapshot. `explicit_percent`: None
    if Spotify says of no song whether it is explicit. `moved_count`: None if the songs were not compared.
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
        """Whether there is no earlier snapshot."""
        return self.previous_date is None and not self.is_stale

    @property
    def change_count(self) -> int:
        """Songs that were added, removed or moved, and entries that are rejected in addition."""
        return self.entered_count + self.left_count + self.rejected_count + (self.moved_count or 0)


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
    """Where a song stood in one of the last 30 snapshots, numbered from 1 (find_report_places.sql).

    `snapshot_count` and `first_date` are those of the race: of its snapshots, 30 at most.
    """

    playlist_id: str
    song_id: str
    snapshot_number: int
    snapshot_date: date
    position: int
    snapshot_count: int
    first_date: date


class Bar(NamedTuple):
    """A part of a playlist: an artist, an age or a reject reason, how many entries, and their share."""

    playlist_id: str
    label: str
    entry_count: int
    percent: float


class PlaylistDetails(NamedTuple):
    """A playlist that is shown in full.

    `changes`: None if there is nothing to compare, or too much. `songs`: the first ones of the list. `places`
    by song: empty if the songs do not race.
    """

    figures: PlaylistFigures
    changes: PlaylistChanges | None = None
    songs: Sequence[SongLine] = ()
    places: Mapping[str, Sequence[SongPlace]] = {}
    artists: Sequence[Bar] = ()
    ages: Sequence[Bar] = ()
    rejects: Sequence[Bar] = ()


class ReportContents(NamedTuple):
    """The whole report: every playlist, and those that are shown in full."""

    report_date: date
    playlists: Sequence[PlaylistFigures]
    details: Sequence[PlaylistDetails]
