"""Reading playlists side by side and keeping the answers; one bad playlist stops no other."""

import logging
from collections.abc import Callable
from concurrent.futures import Future, as_completed, wait
from contextlib import closing
from datetime import date, datetime
from functools import partial
from typing import NamedTuple

from pipeline.errors import LakeConflict, PlaylistUnavailable, Transient
from pipeline.lake.layout import raw_key
from pipeline.lake.patience import Patience
from pipeline.lake.snapshots import Envelope, Kept, keep_snapshot
from pipeline.lake.store import Lake
from pipeline.receipt import PlaylistLine, Work
from pipeline.spotify.client import SpotifyClient
from pipeline.spotify.playlists import read_playlist
from pipeline.threads import threads

log = logging.getLogger(__name__)

IsPublished = Callable[[str, str], bool]
"""Whether a playlist is published with a snapshot id already."""


class Keeper(NamedTuple):
    """Reads a playlist and keeps its answers under a date and a run.

    `resumes`: an earlier attempt of the task may have kept some playlists; they are not read again.
    """

    client: SpotifyClient
    lake: Lake
    snapshot_date: date
    run_id: str
    started_at: datetime
    code_version: str
    is_published: IsPublished
    patience: Patience
    resumes: bool = False

    def keep(self, playlist_id: str) -> Kept | None:
        """Keeps one playlist; None where it is unchanged."""
        self.patience.check()
        if self.resumes and (kept := self._kept_before(playlist_id)):
            return kept
        answers = read_playlist(self.client, playlist_id, partial(self.is_published, playlist_id))
        if answers is None:
            return None
        envelope = Envelope(
            run_id=self.run_id,
            playlist_id=playlist_id,
            snapshot_id=answers.snapshot_id,
            fetched_at=answers.fetched_at,
            api_shape=answers.api_shape,
            total=answers.total,
            code_version=self.code_version,
        )
        self.lake.refuse_skewed_clock()
        write = partial(keep_snapshot, self.lake, envelope, answers.bodies, self.snapshot_date)
        try:
            return self.patience.request(playlist_id, write)
        except LakeConflict:
            # The key is this run's: an earlier attempt had left the request, and S3 fulfilled it late.
            if self.resumes and (kept := self._kept_before(playlist_id)):
                return kept
            raise

    def _kept_before(self, playlist_id: str) -> Kept | None:
        key = raw_key(playlist_id, self.snapshot_date, self.run_id)
        if self.patience.request(playlist_id, partial(self.lake.exists, key)):
            return Kept(key, playlist_id, self.snapshot_date)
        return None


def keep_playlists(keeper: Keeper, playlists: list[str]) -> Work:
    """Keeps every playlist that can be read. An error that stops the run stops the waiting ones too.

    Raises Transient where S3 fails for all of them, or for many in a row: the task is tried again.
    """
    keeper.client.authorise()
    work = Work([], [])
    with closing(keeper.patience), threads() as pool:
        futures = {pool.submit(keeper.keep, playlist): playlist for playlist in playlists}
        try:
            for number, future in enumerate(as_completed(futures), start=1):
                _note(work, keeper.snapshot_date, futures[future], future)
                log.info("%s of %s playlists read", number, len(playlists))
        except Transient:
            # The task is tried again: what is being kept now must not be read a second time.
            keeper.patience.close()
            wait([future for future in futures if not future.cancel()])
            raise
    order = {playlist: number for number, playlist in enumerate(playlists)}
    work.kept.sort(key=lambda kept: order[kept.playlist_id])
    return work


def _note(work: Work, day: date, playlist: str, future: Future[Kept | None]) -> None:
    try:
        kept = future.result()
    except PlaylistUnavailable as error:
        log.warning("%s", error)
        work.others.append(PlaylistLine(playlist, day, "failed", reason=str(error)))
    else:
        if kept is None:
            work.others.append(PlaylistLine(playlist, day, "unchanged"))
        else:
            work.kept.append(kept)
