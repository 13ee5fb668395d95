"""What travels between the steps of a run, and what a run leaves: one shape for each thing.

Envelope and bodies → Snapshot → (kept under a key) Kept → rows → PlaylistLine and File → Manifest → Loaded
→ Receipt. Records are made once and never changed afterwards.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Annotated, Literal, NamedTuple

from msgspec import Meta, Struct
from msgspec.json import Decoder

from pipeline.usage import Usage

Refresh = Literal["snapshot", "full"]
"""`snapshot` replaces the run's partitions, `full` deletes all others as well."""

NOT_KEPT = "not kept"
"""Status of a playlist with dates of which the lake has no snapshot."""

MAX_TOTAL = 100_000
"""Entries of a playlist; Spotify allows a tenth of it."""


class Run(Struct, frozen=True):
    """Identity of a run: its id, and the date that its snapshots stand for.

    `flow_run_id`: Prefect's id of the flow run, by which its page is found.
    """

    run_id: str
    snapshot_date: date
    started_at: datetime
    flow: str
    code_version: str
    flow_run_id: str | None = None


class Envelope(Struct, frozen=True):
    """First line of a kept snapshot.

    `fetched_at`: when the first page was requested; snapshots are ranked by it.
    """

    run_id: str
    playlist_id: str
    snapshot_id: Annotated[str, Meta(pattern=r"^[^\x00]+$")]
    fetched_at: Annotated[datetime, Meta(tz=True)]
    api_shape: str
    total: Annotated[int, Meta(ge=0, le=MAX_TOTAL)]
    code_version: str


Decoder(Envelope)  # at import: msgspec crashes if two threads use a type for the first time at once


class Snapshot(NamedTuple):
    """What Spotify showed of a playlist: the envelope, and the bodies of the responses, in order.

    `bodies` may be read once only, each body as it is asked for.
    """

    envelope: Envelope
    bodies: Iterable[bytes]


class Kept(NamedTuple):
    """A snapshot in the lake, by its key."""

    key: str
    playlist_id: str
    snapshot_date: date


class File(Struct, frozen=True):
    """One CSV file of one table and date."""

    table: str
    snapshot_date: date
    key: str
    rows: int
    bytes: int
    sha256: str


class PlaylistLine(Struct, frozen=True):
    """What became of one playlist and date: total → read → rejected by reason → rows per table → rows loaded.

    `status`: `written` while its tables are in the lake only, then `loaded` or `superseded`; `unchanged`,
    `not kept` and `failed` have no tables. `nulled`: values by field that were unusable, so they are null.
    `missing_fields`: fields that Spotify gives for every song, and that no song has. `name`: of the playlist,
    if the run has read it.
    """

    playlist_id: str
    snapshot_date: date
    status: str
    reason: str | None = None
    source_key: str | None = None
    source_fetched_at: datetime | None = None
    snapshot_id: str | None = None
    total: int = 0
    read: int = 0
    rejected: Mapping[str, int] = {}
    nulled: Mapping[str, int] = {}
    missing_fields: Sequence[str] = ()
    rows_by_table: Mapping[str, int] = {}
    rows_loaded: int = 0
    name: str | None = None

    @property
    def partition(self) -> tuple[str, date]:
        """What a load replaces as a whole: playlist and date."""
        return self.playlist_id, self.snapshot_date


class DetailsLine(Struct, frozen=True):
    """Whole artists or albums that a run wanted: those in the lake (`cached`), and what became of the others.

    `unknown`: Spotify does not know them. `unreadable`: its response cannot be read. `left_out`: not
    requested, refused or not kept, as the reason says. `nulled`: unusable values in what was fetched.
    """

    kind: str
    wanted: int
    cached: int = 0
    fetched: int = 0
    unknown: int = 0
    unreadable: int = 0
    left_out: int = 0
    reason: str = ""
    nulled: Mapping[str, int] = {}

    @property
    def missing(self) -> int:
        """How many stay null in the tables: unknown, unreadable and left out."""
        return self.wanted - self.cached - self.fetched


class Work(Struct, frozen=True):
    """What a run has to publish, and what became of the other playlists that it was asked for."""

    kept: Sequence[Kept] = ()
    others: Sequence[PlaylistLine] = ()
    details: Sequence[DetailsLine] = ()

    @property
    def failed(self) -> list[PlaylistLine]:
        """Playlists that could not be read."""
        return [line for line in self.others if line.status == "failed"]


class Manifest(Struct, frozen=True):
    """Everything that a run wrote, and what it must add up to in the warehouse."""

    files: Sequence[File] = ()
    partitions: Sequence[PlaylistLine] = ()

    @staticmethod
    def of(parts: Iterable["Manifest"]) -> "Manifest":
        """One manifest of several."""
        together = list(parts)
        return Manifest(
            [file for part in together for file in part.files],
            [line for part in together for line in part.partitions],
        )

    def rows(self, table: str) -> int:
        """Rows of one table over all files."""
        return sum(file.rows for file in self.files if file.table == table)


class SongChange(Struct, frozen=True):
    """A song that entered a playlist, left it or was moved within it, with the first artist.

    `position`: None for a song that left; `previous_position`: None for one that entered. `added_by`: id of
    the Spotify user, where Spotify tells.
    """

    song_id: str
    name: str
    artist: str | None
    position: int | None
    previous_position: int | None
    added_by: str | None


class PlaylistChanges(Struct, frozen=True):
    """What is different from the newest earlier snapshot of a playlist, that of `previous_date`.

    `rejected`: entries by reason, as many as there are more than before.
    """

    playlist_id: str
    name: str
    snapshot_date: date
    previous_date: date
    entered: Sequence[SongChange] = ()
    left: Sequence[SongChange] = ()
    moved: Sequence[SongChange] = ()
    rejected: Mapping[str, int] = {}


class Loaded(Struct, frozen=True):
    """What the load's transaction did.

    `partitions_replaced`: partitions of this run that had rows of another run; `partitions_deleted`: other
    partitions that refresh="full" removed. Both are None, not known, if COMMIT's response was lost.
    `changes`: of the run's date, if they could be described.
    """

    rows_by_table: Mapping[str, int] = {}
    partitions: Sequence[tuple[str, date]] = ()
    superseded: Sequence[tuple[str, date]] = ()
    partitions_replaced: int | None = 0
    partitions_deleted: int | None = 0
    statements: Sequence[str] = ()
    changes: Sequence[PlaylistChanges] = ()


class Receipt(Struct, frozen=True):
    """The receipt, one line of JSON in the lake.

    `report`: the report's key, if the run wrote one. `statements`: those of the load, by name. `usage`: of
    the whole run, without the receipt itself.
    """

    run_id: str
    flow_run_id: str | None
    flow: str
    status: str
    message: str
    snapshot_date: date
    started_at: datetime
    finished_at: datetime
    code_version: str
    load: str
    refresh: str
    playlists: Sequence[PlaylistLine]
    rows_by_table: Mapping[str, int]
    files: Sequence[File]
    details: Sequence[DetailsLine]
    report: str | None
    changes: Sequence[PlaylistChanges]
    partitions_replaced: int | None
    partitions_deleted: int | None
    statements: Sequence[str]
    seconds: Mapping[str, float]
    usage: Usage = Usage()
