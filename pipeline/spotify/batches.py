"""Reading whole artists and albums: in batches, or one by one where Spotify gives this app none."""

import logging
import re
from collections import Counter
from collections.abc import Callable, Iterable
from threading import Lock

from pipeline.errors import Code, PipelineError, PlaylistUnavailable, SpotifyRefused
from pipeline.spotify.client import SpotifyClient
from pipeline.spotify.refusals import BAD_REQUEST, NOT_FOUND
from pipeline.threads import threads
from pipeline.transform.details import read_response

log = logging.getLogger(__name__)

BATCH_SIZES = {"artists": 50, "albums": 20}
"""Ids that one request takes at most."""
MAX_UNREADABLE = 100
"""Objects that cannot be read while none can: more requests would use up the quota for nothing."""

_SPOTIFY_ID = re.compile("[0-9A-Za-z]{22}")


class DetailsReader:
    """Reads one kind; `bodies` are the responses, and `stopped` says why it ended early, if it did.

    Of the ids, `known` are those whose object came, `unknown` those that Spotify does not know, `unreadable`
    those whose response cannot be read; the others were not requested, or refused. `nulled` counts unusable
    values by path.
    """

    def __init__(self, client: SpotifyClient, kind: str) -> None:
        self.bodies: list[bytes] = []
        self.known: set[str] = set()
        self.unknown: set[str] = set()
        self.unreadable: set[str] = set()
        self.nulled: Counter[str] = Counter()
        self.stopped: str | None = None
        self._client = client
        self.kind = kind
        self._in_batches = True
        self._lock = Lock()

    def read(self, ids: list[str]) -> None:
        """Asks for each id once. What stops it (quota, budget, refusal) is noted, never raised."""
        size = BATCH_SIZES[self.kind]
        batches = [ids[start : start + size] for start in range(0, len(ids), size)]
        # The first one tells whether there are batches, before all threads ask for what is refused.
        if batches:
            self._read(batches.pop(0))
        with threads() as pool:
            reading = [pool.submit(self._read, batch) for batch in batches]
            for batch in reading:
                batch.result()
                log.info("%s of %s %s read", len(self.known), len(ids), self.kind)

    def _read(self, ids: list[str]) -> None:
        try:
            if not self._read_batch(ids):
                for spotify_id in ids:
                    self._read_one(spotify_id)
        except PipelineError as error:
            self.stopped = self.stopped or str(error)

    def _read_batch(self, ids: list[str]) -> bool:
        """False where these ids have to be asked for one by one."""
        if self.stopped or not self._in_batches:
            return False
        try:
            self._ask(ids, lambda: self._client.several(self.kind, ids))
        except SpotifyRefused as refused:
            if refused.status != BAD_REQUEST:  # which is about one of these ids, not about batches
                self._in_batches = False
            return False
        return True

    def _read_one(self, spotify_id: str) -> None:
        if self.stopped:
            return
        try:
            self._ask([spotify_id], lambda: self._client.one(self.kind, spotify_id))
        except SpotifyRefused as refused:
            # A well-formed id that does not exist is a 404; any other refusal says nothing about the id.
            malformed = refused.status == BAD_REQUEST and not _SPOTIFY_ID.fullmatch(spotify_id)
            if refused.status != NOT_FOUND and not malformed:
                raise
            with self._lock:
                self.unknown.add(spotify_id)

    def _ask(self, ids: list[str], request: Callable[[], bytes]) -> None:
        try:
            body = request()
        except PlaylistUnavailable as failure:
            if failure.code != Code.SPOTIFY_UNREADABLE:
                raise
            log.warning("%s %s: %s", len(ids), self.kind, failure)
            self._note_unreadable(ids)
            return
        answer = read_response(self.kind, body, ids)
        with self._lock:
            self.bodies.append(body)
            self.known |= answer.rows.keys()
            self.unknown |= answer.unknown
            self.nulled.update(answer.nulled)
        self._note_unreadable(set(ids) - answer.rows.keys() - answer.unknown)

    def _note_unreadable(self, ids: Iterable[str]) -> None:
        with self._lock:
            self.unreadable.update(ids)
            if not self.known and len(self.unreadable) >= MAX_UNREADABLE:
                self.stopped = self.stopped or (
                    f"none of the first {len(self.unreadable)} {self.kind} can be read "
                    f"[{Code.SPOTIFY_UNREADABLE}]"
                )
