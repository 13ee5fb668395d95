"""Reads details of artists and albums: in batches, or one by one if Spotify refuses batches to the app."""

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
"""Maximum number of ids in one request."""
MAX_UNREADABLE = 100
"""If this many objects are unreadable and none is readable, reading stops, to save the quota."""

_SPOTIFY_ID = re.compile("[0-9A-Za-z]{22}")


class DetailsReader:
    """Reads the details of one kind.

    `bodies`: the responses. `stopped`: the reason if reading ended early. Ids are `known` (object received),
    `unknown` to Spotify, or `unreadable` (their response cannot be read); any other id was not requested, or
    was refused. `nulled`: number of unusable values, by path.
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
        """Requests each id once. An error (quota, budget, refusal) is stored in `stopped`, not raised."""
        size = BATCH_SIZES[self.kind]
        batches = [ids[start : start + size] for start in range(0, len(ids), size)]
        # Read one batch first: if Spotify refuses batches, only one request is refused, not one per thread.
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
        """Returns False if these ids have to be requested one by one."""
        if self.stopped or not self._in_batches:
            return False
        try:
            self._request(ids, lambda: self._client.several(self.kind, ids))
        except SpotifyRefused as refused:
            if refused.status != BAD_REQUEST:  # 400 concerns one of these ids, not batches in general
                self._in_batches = False
            return False
        return True

    def _read_one(self, spotify_id: str) -> None:
        if self.stopped:
            return
        try:
            self._request([spotify_id], lambda: self._client.one(self.kind, spotify_id))
        except SpotifyRefused as refused:
            # Unknown ids: 404 if well-formed, 400 if malformed. Any other refusal does not concern the id.
            malformed = refused.status == BAD_REQUEST and not _SPOTIFY_ID.fullmatch(spotify_id)
            if refused.status != NOT_FOUND and not malformed:
                raise
            with self._lock:
                self.unknown.add(spotify_id)

    def _request(self, ids: list[str], request: Callable[[], bytes]) -> None:
        try:
            body = request()
        except PlaylistUnavailable as failure:
            if failure.code != Code.SPOTIFY_UNREADABLE:
                raise
            log.warning("%s %s: %s", len(ids), self.kind, failure)
            self._note_unreadable(ids)
            return
        response = read_response(self.kind, body, ids)
        with self._lock:
            self.bodies.append(body)
            self.known |= response.rows.keys()
            self.unknown |= response.unknown
            self.nulled.update(response.nulled)
        self._note_unreadable(set(ids) - response.rows.keys() - response.unknown)

    def _note_unreadable(self, ids: Iterable[str]) -> None:
        with self._lock:
            self.unreadable.update(ids)
            if not self.known and len(self.unreadable) >= MAX_UNREADABLE:
                self.stopped = self.stopped or (
                    f"none of the first {len(self.unreadable)} {self.kind} can be read "
                    f"[{Code.SPOTIFY_UNREADABLE}]"
                )
