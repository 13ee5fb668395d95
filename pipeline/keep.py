"""Reads playlists in parallel and keeps the responses in the lake. One failed playlist stops no other."""

import logging
from collections.abc import Callable, Mapping
from concurrent.futures import as_completed, wait
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial

from pipeline.errors import LakeConflict, PlaylistUnavailable, Transient
from pipeline.lake.layout import raw_key
from pipeline.lake.raw_files import RawFile, decode_raw_file
from pipeline.lake.retry_budget import RetryBudget
from pipeline.lake.snapshot_files import keep_snapshot, read_snapshot
from pipeline.lake.store import Lake
from pipeline.records import Envelope, Kept, PlaylistLine, Run, Snapshot, Work
from pipeline.spotify.client import SpotifyClient
from pipeline.spotify.playlists import read_playlist
from pipeline.threads import threads

log = logging.getLogger(__name__)

IsPublished = Callable[[str, str], bool]
"""Returns True if a playlist id (first argument) is already published with a snapshot id (second)."""


@dataclass(frozen=True)
class Keeper:
    """Reads playlists and keeps their responses in the lake, under the snapshot date and id of a run.

    `on_kept`: called with each kept snapshot, in the thread that read it.
    `resumes`: True if the task is retried; playlists that an earlier attempt kept are not read again.
    `listed`: snapshot ids by playlist, from the list of `mine`; they save a request per unchanged playlist.
    """

    client: SpotifyClient
    lake: Lake
    run: Run
    is_published: IsPublished
    retries: RetryBudget
    on_kept: Callable[[Snapshot], None] | None = None
    resumes: bool = False
    listed: Mapping[str, str] = field(default_factory=dict)

    def keep(self, playlist_id: str) -> Kept | None:
        """Keeps one playlist; None if it is already published and unchanged."""
        self.retries.check()
        if self.resumes and (kept := self._kept_earlier(playlist_id)):
            return kept
        is_published = partial(self.is_published, playlist_id)
        if (listed := self.listed.get(playlist_id)) and is_published(listed):
            return None
        file = read_playlist(self.client, self.run, playlist_id, is_published, RawFile[Envelope])
        if file is None:
            return None
        self.lake.check_clock()
        write = partial(keep_snapshot, self.lake, file, self.run.snapshot_date)
        try:
            kept = self.retries.request(playlist_id, write)
        except LakeConflict:
            # An earlier attempt timed out on its PUT, and that PUT took effect after our existence check.
            if self.resumes and (kept_late := self._kept_earlier(playlist_id)):
                return kept_late
            raise
        if self.on_kept:
            self.on_kept(Snapshot(*decode_raw_file(file.content, Envelope)))
        return kept

    def _kept_earlier(self, playlist_id: str) -> Kept | None:
        key = raw_key(playlist_id, self.run.snapshot_date, self.run.run_id)
        if not self.retries.request(playlist_id, partial(self.lake.exists, key)):
            return None
        if self.on_kept:
            self._read_back(self.on_kept, key)
        return Kept(key, playlist_id, self.run.snapshot_date)

    def _read_back(self, on_kept: Callable[[Snapshot], None], key: str) -> None:
        """Reads the snapshot back for `on_kept`; publishing reports the error if that fails."""
        try:
            on_kept(read_snapshot(self.lake, key))
        except PlaylistUnavailable as error:
            log.debug("%s", error)


def keep_playlists(keeper: Keeper, playlists: list[str]) -> Work:
    """Keeps every playlist that can be read. An error that stops the run also cancels the waiting playlists.

    Raises Transient if S3 fails for all playlists, or for many in a row; Prefect then retries the task.
    """
    keeper.client.authorise()
    kept: dict[str, Kept] = {}
    others: list[PlaylistLine] = []
    with closing(keeper.retries), threads() as pool:
        futures = [pool.submit(_outcome, keeper, playlist) for playlist in playlists]
        try:
            for number, future in enumerate(as_completed(futures), start=1):
                if isinstance(outcome := future.result(), Kept):
                    kept[outcome.playlist_id] = outcome
                else:
                    others.append(outcome)
                log.info("%s of %s playlists read", number, len(playlists))
        except Transient:
            # The task will be retried: wait for playlists that are being read, to avoid reading them twice.
            keeper.retries.close()
            wait([future for future in futures if not future.cancel()])
            raise
    return Work([kept[playlist] for playlist in playlists if playlist in kept], others)


def _outcome(keeper: Keeper, playlist: str) -> Kept | PlaylistLine:
    """The kept snapshot, or a receipt line if the playlist is unchanged or failed."""
    day = keeper.run.snapshot_date
    try:
        return keeper.keep(playlist) or PlaylistLine(playlist, day, "unchanged")
    except PlaylistUnavailable as error:
        reason = str(error)
    # Log only the text, after the handler: a log record with the error would keep its frames in memory.
    log.warning("%s", reason)
    return PlaylistLine(playlist, day, "failed", reason=reason)
