"""A decoded snapshot: its songs, albums and artists by id. The last occurrence of an id wins."""

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from pipeline.records import Envelope
from pipeline.transform.api_types import Added, Album, Artist, PlaylistHead, Reject, Track
from pipeline.transform.entries import Song
from pipeline.transform.release_dates import is_unusable

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
"""`added_at` of entries that were added before Spotify stored the time: unknown."""
MILLISECOND = timedelta(milliseconds=1)
FIRST_MS = (datetime.min.replace(tzinfo=UTC) - EPOCH) // MILLISECOND
LAST_MS = (datetime.max.replace(tzinfo=UTC) - EPOCH) // MILLISECOND
"""In UTC, a time can be outside the years 1 to 9999 although it is inside in its original time zone."""
ROOT_OR_INDEX = re.compile(r"^\$\.|\[\d+\]")
"""Parts of a path that are not part of the field's name."""

EXPECTED_FIELDS: Mapping[str, Callable[[Track], object]] = {
    "duration_ms": lambda song: song.duration_ms,
    "explicit": lambda song: song.explicit,
    "disc_number": lambda song: song.disc_number,
    "track_number": lambda song: song.track_number,
    "album.name": lambda song: song.album.name,
    "album.album_type": lambda song: song.album.album_type,
    "album.total_tracks": lambda song: song.album.total_tracks,
    "artists.name": lambda song: next((one.name for one in song.artists if one.name is not None), None),
}
"""Fields that Spotify sends for every song: if no song of a playlist has one, the API may have changed."""
MIN_SONGS = 2
"""Minimum number of songs in a playlist before a field that none of them has is reported."""


class PlaylistRows:
    """The contents of one snapshot, from which its rows in the tables are built.

    Accepted entries are four lists of equal length: `positions` (in the playlist, from 1), `song_ids`,
    `added_at` (milliseconds since 1970) and `added_by`. `rejects`: position and reject.
    `nulled`: number of values that were present but unusable, by field.
    """

    def __init__(self, envelope: Envelope, head: PlaylistHead) -> None:
        self.envelope = envelope
        self.head = head
        self.nulled: Counter[str] = Counter()
        self.positions: list[int] = []
        self.song_ids: list[str] = []
        self.added_at: list[int | None] = []
        self.added_by: list[str | None] = []
        self.songs: dict[str, Track] = {}
        self.albums: dict[str, Album] = {}
        self.artists: dict[str, Artist] = {}
        self.rejects: list[tuple[int, Reject]] = []
        self._missing = [*EXPECTED_FIELDS]

    @property
    def playlist_id(self) -> str:
        """Id of the playlist."""
        return self.envelope.playlist_id

    @property
    def fetched_at(self) -> datetime:
        """When the first page was requested, UTC."""
        return self.envelope.fetched_at

    @property
    def entries(self) -> int:
        """Number of entries: songs and rejects."""
        return len(self.positions) + len(self.rejects)

    @property
    def missing_fields(self) -> list[str]:
        """Expected fields that no song has; empty if the playlist has fewer than MIN_SONGS songs."""
        return self._missing if len(self.songs) >= MIN_SONGS else []

    def add_songs(self, first: int, tracks: Sequence[Track], added: Sequence[Added]) -> None:
        """Adds consecutive songs. `first`: position of the first one; calls are in the order of positions."""
        albums = [track.album for track in tracks]
        song_ids = [track.id for track in tracks]
        self.positions += range(first, first + len(tracks))
        self.song_ids += song_ids
        self.added_at += [self._to_ms(one.added_at) for one in added]
        self.added_by += [(one.added_by.id or None) if one.added_by else None for one in added]
        if unusable_dates := sum(is_unusable(album.release_date) for album in albums):
            self.nulled["album.release_date"] += unusable_dates
        self._missing = [
            field for field in self._missing if all(EXPECTED_FIELDS[field](track) is None for track in tracks)
        ]
        self.songs.update(zip(song_ids, tracks, strict=True))
        self.albums.update(zip([album.id for album in albums], albums, strict=True))
        artists = self.artists
        for track in tracks:
            for artist in track.artists:
                artists[artist.id] = artist
            for artist in track.album.artists or ():
                artists[artist.id] = artist

    def add_entry(self, position: int, entry: Song | Reject) -> None:
        """Adds an entry that was decoded separately."""
        if isinstance(entry, Reject):
            self.rejects.append((position, entry))
            return
        self.add_songs(position, [entry.track], [entry.added])
        self.add_nulled(entry.nulled)

    def add_nulled(self, nulled: Counter[str], prefix: str = "") -> None:
        """Adds counts by path (see `lenient`) under the names of their fields."""
        for path, count in nulled.items():
            self.nulled[prefix + ROOT_OR_INDEX.sub("", path)] += count

    def _to_ms(self, time: datetime | None) -> int | None:
        """Milliseconds since 1970; None if the time is unknown (EPOCH), or out of range, which is counted."""
        if time is None:
            return None
        milliseconds = (time - EPOCH) // MILLISECOND
        if FIRST_MS <= milliseconds <= LAST_MS:
            return milliseconds or None
        self.nulled["added_at"] += 1
        return None
