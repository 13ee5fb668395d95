"""Reading playlists in parallel and keeping the responses; one bad playlist stops no other."""

import logging
from collections.abc import Callable, Mapping
from concurrent.futures import as_completed, wait
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial

from pipeline.errors import LakeConflict, PlaylistUnavailable, Transient
from pipeline.lake.layout import raw_key
from pipeline.lake.patience import Patience
from pipeline.lake.raw_files import RawFile, decode_raw_file
from pipeline.lake.snapshot_files import keep_snapshot, read_snapshot
from pipeline.lake.store import Lake
from pipeline.records import Envelope, Kept, PlaylistLine, Run, Snapshot, Work
from pipeline.spotify.client import SpotifyClient
from pipeline.spotify.playlists import read_playlist
from pipeline.threads import threads

log = logging.getLogger(__name__)

IsPublished = Callable[[str, str], bool]
"""Whether a playlist is published with a snapshot id already."""


@dataclass(frozen=True)
class Keeper:
    """Reads playlists and keeps the responses under the date and the id of a run.

    `on_kept` is called with each snapshot that is kept, in the thread that has read it.
    `resumes`: an earlier attempt of the task may have kept some playlists; they are not read again.
    `listed`: snapshot ids that a list of playlists has shown; one that is published costs no request.
    """

    client: SpotifyClient
    lake: Lake
    run: Run
    is_published: IsPublished
    patience: Patience
    on_kept: Callable[[Snapshot], None] | None = None
    resumes: bool = False
    listed: Mapping[str, str] = field(default_factory=dict)

    def keep(self, playlist_id: str) -> Kept | None:
        """Keeps one playlist; None where it is unchanged."""
        self.patience.check()
        if self.resumes and (kept := self._kept_before(playlist_id)):
            return kept
        is_published = partial(self.is_published, playlist_id)
        if (listed := self.listed.get(playlist_id)) and is_published(listed):
            return None
        file = read_playlist(self.client, self.run, playlist_id, is_published, RawFile[Envelope])
        if file is None:
            return None
        self.lake.refuse_skewed_clock()
        write = partial(keep_snapshot, self.lake, file, self.run.snapshot_date)
        try:
            kept = self.patience.request(playlist_id, write)
        except LakeConflict:
            # The key is this run's: an earlier attempt had left the request, and S3 fulfilled it late.
            if self.resumes and (kept_late := self._kept_before(playlist_id)):
                return kept_late
            raise
        if self.on_kept:
            self.on_kept(Snapshot(*decode_raw_file(file.content, Envelope)))
        return kept

    def _kept_before(self, playlist_id: str) -> Kept | None:
        key = raw_key(playlist_id, self.run.snapshot_date, self.run.run_id)
        if not self.patience.request(playlist_id, partial(self.lake.exists, key)):
            return None
        if self.on_kept:
            self._show_again(self.on_kept, key)
        return Kept(key, playlist_id, self.run.snapshot_date)

    def _show_again(self, on_kept: Callable[[Snapshot], None], key: str) -> None:
        """The responses are not in memory any more; if the lake does not give them, publishing says so."""
        try:
            on_kept(read_snapshot(self.lake, key))
        except PlaylistUnavailable as error:
            log.debug("%s", error)


def keep_playlists(keeper: Keeper, playlists: list[str]) -> Work:
    """Keeps every playlist that can be read. An error that stops the run stops the waiting ones too.

    Raises Transient where S3 fails for all of them, or for many in a row: the task is tried again.
    """
    keeper.client.authorise()
    kept: dict[str, Kept] = {}
    others: list[PlaylistLine] = []
    with closing(keeper.patience), threads() as pool:
        futures = [pool.submit(_became, keeper, playlist) for playlist in playlists]
        try:
            for number, future in enumerate(as_completed(futures), start=1):
                if isinstance(became := future.result(), Kept):
                    kept[became.playlist_id] = became
                else:
                    others.append(became)
                log.info("%s of %s playlists read", number, len(playlists))
        except Transient:
            # The task is tried again: what is being kept now must not be read a second time.
            keeper.patience.close()
            wait([future for future in futures if not future.cancel()])
            raise
    return Work([kept[playlist] for playlist in playlists if playlist in kept], others)


def _became(keeper: Keeper, playlist: str) -> Kept | PlaylistLine:
    """The kept snapshot, or what became of the playlist instead; no error, with all it holds, is kept."""
    day = keeper.run.snapshot_date
    try:
        return keeper.keep(playlist) or PlaylistLine(playlist, day, "unchanged")
    except PlaylistUnavailable as error:
        reason = str(error)  # a record of a log that is kept would hold the error's frames, too
    log.warning("%s", reason)
    return PlaylistLine(playlist, day, "failed", reason=reason)
