"""One decoded snapshot: its songs, albums and artists by id, of which the last occurrence wins."""

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from pipeline.records import Envelope
from pipeline.transform.api_types import Added, Album, Artist, PlaylistHead, Reject, Track
from pipeline.transform.entries import Song
from pipeline.transform.release_dates import is_unusable

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
"""What Spotify says for entries that were added before it stored the time."""
MILLISECOND = timedelta(milliseconds=1)
FIRST_MS = (datetime.min.replace(tzinfo=UTC) - EPOCH) // MILLISECOND
LAST_MS = (datetime.max.replace(tzinfo=UTC) - EPOCH) // MILLISECOND
NOT_THE_FIELD = re.compile(r"^\$\.|\[\d+\]")
"""Parts of a path that do not tell which field it is."""

EXPECTED: Mapping[str, Callable[[Track], object]] = {
    "duration_ms": lambda song: song.duration_ms,
    "explicit": lambda song: song.explicit,
    "disc_number": lambda song: song.disc_number,
    "track_number": lambda song: song.track_number,
    "album.name": lambda song: song.album.name,
    "album.album_type": lambda song: song.album.album_type,
    "album.total_tracks": lambda song: song.album.total_tracks,
    "artists.name": lambda song: next((one.name for one in song.artists if one.name is not None), None),
}
"""Fields that Spotify gives for every song: if no song has one, the Web API may have changed."""
FEWEST_SONGS = 2
"""Songs of a playlist before a field that none of them has is reported."""


class PlaylistRows:
    """What the tables of one snapshot are made of.

    Accepted entries are four columns: `positions`, `song_ids`, `added_at` (milliseconds since 1970) and
    `added_by`. `nulled` counts, by field, the values that were present but unusable.
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
        self._missing = [*EXPECTED]
        self._usable_dates: set[str | None] = set()

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
        """Songs and rejects, of all positions."""
        return len(self.positions) + len(self.rejects)

    @property
    def missing_fields(self) -> list[str]:
        """Expected fields that none of the songs has."""
        return self._missing if len(self.songs) >= FEWEST_SONGS else []

    def add_songs(self, first: int, tracks: Sequence[Track], added: Sequence[Added]) -> None:
        """Adds accepted entries from the position `first` on; later calls have later positions."""
        albums = [track.album for track in tracks]
        song_ids = [track.id for track in tracks]
        self.positions += range(first, first + len(tracks))
        self.song_ids += song_ids
        self.added_at += self._moments([one.added_at for one in added])
        self.added_by += [(one.added_by.id or None) if one.added_by else None for one in added]
        self._count_unusable_dates(albums)
        self._missing = [
            field for field in self._missing if all(EXPECTED[field](track) is None for track in tracks)
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
        """Adds an entry that was decoded by itself."""
        if isinstance(entry, Reject):
            self.rejects.append((position, entry))
            return
        self.add_songs(position, [entry.track], [entry.added])
        self.add_nulled(entry.nulled)

    def add_nulled(self, nulled: Counter[str], prefix: str = "") -> None:
        """Adds counts by path, as `lenient` makes them."""
        for path, count in nulled.items():
            self.nulled[prefix + NOT_THE_FIELD.sub("", path)] += count

    def _moments(self, times: list[datetime | None]) -> list[int | None]:
        """Milliseconds since 1970; None for what Spotify says if it does not know."""
        moments = [((time - EPOCH) // MILLISECOND or None) if time else None for time in times]
        for place, moment in enumerate(moments):
            if moment and not FIRST_MS <= moment <= LAST_MS:
                self.nulled["added_at"] += 1
                moments[place] = None
        return moments

    def _count_unusable_dates(self, albums: list[Album]) -> None:
        texts = [album.release_date for album in albums]
        unknown = {*texts} - self._usable_dates
        unusable = {*filter(is_unusable, unknown)}
        self._usable_dates |= unknown - unusable
        if unusable:
            self.nulled["album.release_date"] += sum(text in unusable for text in texts)
