"""Target of a run: where and how it publishes; refuses to delete a history by accident."""

from typing import NamedTuple

from flows.connections import warehouse_name
from flows.parameters import BlockNames
from pipeline.errors import Code, ConfigurationError, StopRun
from pipeline.lake.layout import LoadMode
from pipeline.records import Manifest, Refresh, Work
from pipeline.run_message import failures


class Target(NamedTuple):
    """Where and how a run publishes.

    `ignore_rank`: replace snapshots in the warehouse even if they rank higher.
    `describe_changes`: compare each playlist with its previous snapshot.
    """

    blocks: BlockNames
    load: LoadMode = "copy"
    refresh: Refresh = "snapshot"
    confirm_delete: str | None = None
    pipe_minutes: float = 10
    ignore_rank: bool = False
    describe_changes: bool = False

    def refuse_unconfirmed(self) -> None:
        """Raises ConfigurationError if refresh="full" is not confirmed with database and schema."""
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
        """Raises StopRun if refresh="full" and a playlist failed: all its other rows would be deleted."""
        if self.refresh != "full":
            return
        self.refuse_unconfirmed()  # again: the block's schema may have changed since the first check
        if work.failed:
            raise StopRun(
                f'refresh="full" deletes all other rows, so no playlist may fail. '
                f"Nothing was loaded: {failures(work.failed)}",
                Code.FULL_REFRESH_REFUSED,
            )

    def refuse_no_songs(self, manifest: Manifest) -> None:
        """Raises StopRun if refresh="full" and the new data has no songs: the tables would be empty."""
        if self.refresh == "full" and not manifest.rows("playlist_songs"):
            raise StopRun(
                'refresh="full" would leave no songs in the warehouse: the playlists of this run are empty. '
                "Nothing was loaded",
                Code.FULL_REFRESH_REFUSED,
            )
