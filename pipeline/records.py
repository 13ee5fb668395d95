"""Records that the steps of a run exchange, and the receipt that a run leaves. They are immutable.

Envelope and bodies → Snapshot → (kept under a key) Kept → rows → PlaylistLine and File → Manifest → Loaded
→ Receipt.
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
"""Status of a playlist with dates for which the lake has no snapshot."""

MAX_TOTAL = 100_000
"""Limit of a playlist's number of entries: ten times the 10,000 that Spotify allows."""


class Run(Struct, frozen=True):
    """Identity of a run: its id, and the snapshot date under which it keeps snapshots.

    `flow_run_id`: Prefect's id of the flow run, which leads to its page.
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
    """A playlist's state when it was read: the envelope, and the bodies of the responses, in order.

    `bodies` can be iterated only once; each body may be decompressed when it is reached.
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
    """Result of one playlist and date: total → read → rejected by reason → rows per table → rows loaded.

    `status`: `written` while its tables are only in the lake, then `loaded` or `superseded`; `unchanged`,
    `not kept` and `failed` have no tables. `nulled`: number of unusable values, which are null, by field.
    `missing_fields`: fields that Spotify sends for every song, and that no song has. `name`: name of the
    playlist, if the run has read it.
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
        """Playlist and date: the unit that a load replaces."""
        return self.playlist_id, self.snapshot_date


class DetailsLine(Struct, frozen=True):
    """Number of artists or albums whose details a run wanted, by result.

    `cached`: already in the lake. `unknown`: unknown to Spotify. `unreadable`: the response cannot be read.
    `left_out`: not requested, refused or not kept; `reason` states which. `nulled`: number of unusable
    values in the fetched details, by path.
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
    """Snapshots that a run publishes, and the results of its other playlists.

    `others`: unchanged, not kept or failed. `details`: results of the enrichment.
    """

    kept: Sequence[Kept] = ()
    others: Sequence[PlaylistLine] = ()
    details: Sequence[DetailsLine] = ()

    @property
    def failed(self) -> list[PlaylistLine]:
        """Playlists that could not be read."""
        return [line for line in self.others if line.status == "failed"]


class Manifest(Struct, frozen=True):
    """Files that a run wrote for the warehouse, and its partitions, with the row counts to verify."""

    files: Sequence[File] = ()
    partitions: Sequence[PlaylistLine] = ()

    @staticmethod
    def of(parts: Iterable["Manifest"]) -> "Manifest":
        """Merges several manifests."""
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
    the Spotify user, if known.
    """

    song_id: str
    name: str
    artist: str | None
    position: int | None
    previous_position: int | None
    added_by: str | None


class PlaylistChanges(Struct, frozen=True):
    """Changes of a playlist since its newest earlier snapshot, that of `previous_date`.

    `rejected`: number of additional rejected entries, by reason.
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
    """Result of the load's transaction.

    `partitions_replaced`: partitions of this run that had rows of another run; `partitions_deleted`: other
    partitions that refresh="full" removed. Both are None (unknown) if the response to COMMIT was lost.
    `changes`: changes of the playlists on the run's date, if they could be determined.
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

    `report`: the report's key, if the run wrote one. `statements`: names of the load's statements. `usage`:
    usage of the run, except for writing the receipt.
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
