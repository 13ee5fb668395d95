"""Where and how a run publishes, and what it refuses: nobody deletes a history by one click."""

from typing import NamedTuple

from flows.connections import warehouse_name
from flows.parameters import BlockNames
from pipeline.errors import Code, ConfigurationError, StopRun
from pipeline.lake.layout import LoadMode
from pipeline.records import Manifest, Refresh, Work
from pipeline.run_message import failures


class Target(NamedTuple):
    """Where a run publishes, and how.

    `ignore_rank`: its snapshots are put in place even if the warehouse holds some that rank higher.
    `describe_changes`: it says what changed since each playlist's previous snapshot.
    """

    blocks: BlockNames
    load: LoadMode = "copy"
    refresh: Refresh = "snapshot"
    confirm_delete: str | None = None
    pipe_minutes: float = 10
    ignore_rank: bool = False
    describe_changes: bool = False

    def refuse_unconfirmed(self) -> None:
        """Raises ConfigurationError if refresh="full" is asked for without naming what it deletes from."""
        if self.refresh != "full":
            return
        name = warehouse_name(self.blocks.warehouse)
        if self.confirm_delete != name:
            given = "not set" if self.confirm_delete is None else repr(self.confirm_delete)
            message = (
                f'refresh="full" deletes from {name} every row of other playlists and of other dates: '
                "the whole history. Nothing was requested, written or deleted, because confirm_delete is "
                f"{given}. To delete the history, set confirm_delete to {name}; to replace only these "
                'playlists\' rows of the date, use refresh="snapshot"'
            )
            raise ConfigurationError(message, Code.FULL_REFRESH_UNCONFIRMED)

    def refuse_failures(self, work: Work) -> None:
        """refresh="full" deletes all else, so every playlist must have been read."""
        if self.refresh != "full":
            return
        self.refuse_unconfirmed()  # again: the block may name another schema by now
        if work.failed:
            raise StopRun(
                f'refresh="full" deletes all other rows, so no playlist may fail. '
                f"Nothing loaded: {failures(work.failed)}",
                Code.FULL_REFRESH_REFUSED,
            )

    def refuse_no_songs(self, manifest: Manifest) -> None:
        """refresh="full" deletes all else, so there must be something to put in place."""
        if self.refresh == "full" and not manifest.rows("playlist_songs"):
            raise StopRun(
                'refresh="full" would leave no song at all: the playlists given are empty. Nothing loaded',
                Code.FULL_REFRESH_REFUSED,
            )
