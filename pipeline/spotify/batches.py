"""Reading whole artists and albums: in batches, or one by one where Spotify gives this app none."""

import logging

from pipeline.errors import Code, PipelineError, SpotifyRefused
from pipeline.spotify.client import SpotifyClient
from pipeline.spotify.refusals import BAD_REQUEST, FORBIDDEN
from pipeline.threads import threads
from pipeline.transform.details import split_details

log = logging.getLogger(__name__)

BATCH_SIZES = {"artists": 50, "albums": 20}
"""Ids that one request takes at most."""


class DetailsReader:
    """Reads one kind; `bodies` came for `ids`, and `stopped` says why it ended early, if it did."""

    def __init__(self, client: SpotifyClient, kind: str) -> None:
        self.ids: list[str] = []
        self.bodies: list[bytes] = []
        self.stopped: str | None = None
        self._client = client
        self.kind = kind
        self._in_batches = True

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
                log.info("%s of %s %s read", len(self.ids), len(ids), self.kind)

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
            body = self._client.several(self.kind, ids)
        except SpotifyRefused as refused:
            if refused.status != BAD_REQUEST:  # which is about one of these ids, not about batches
                self._in_batches = False
            return False
        if len(split_details(self.kind, body)) != len(ids):
            message = f"Spotify's answer is not about the {len(ids)} {self.kind} asked for"
            raise PipelineError(message, Code.SPOTIFY_UNREADABLE)
        self.ids.extend(ids)
        self.bodies.append(body)
        return True

    def _read_one(self, spotify_id: str) -> None:
        if self.stopped:
            return
        try:
            self.bodies.append(self._client.one(self.kind, spotify_id))
        except SpotifyRefused as refused:
            if refused.status == FORBIDDEN:
                raise
        self.ids.append(spotify_id)
