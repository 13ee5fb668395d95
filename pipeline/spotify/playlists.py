"""Reading a whole playlist: page one, the pages after it, and whether it held still meanwhile."""

import logging
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Generic, NamedTuple, Protocol, TypeVar

from pipeline.errors import Code, PlaylistUnavailable, SpotifyRefused
from pipeline.records import Envelope, Run
from pipeline.spotify.client import SpotifyClient
from pipeline.spotify.refusals import NO_USER, NOT_YOURS
from pipeline.transform.pages import Page, decode_page, decode_snapshot_id

T = TypeVar("T")

log = logging.getLogger(__name__)

READS = 3
"""A playlist that changes while it is read is read again, twice at most."""


class Sink(Protocol):
    """Takes the responses of one read of a playlist, each as it comes."""

    def add(self, body: bytes) -> None:
        """Takes the next response."""


S = TypeVar("S", bound=Sink)


class _Read(NamedTuple, Generic[S]):
    """One read of a playlist: what it is, where its responses went, how many they and their entries were."""

    envelope: Envelope
    sink: S
    responses: int
    entries: int


def read_playlist(
    client: SpotifyClient,
    run: Run,
    playlist_id: str,
    is_published: Callable[[str], bool],
    open_sink: Callable[[Envelope], S],
) -> S | None:
    """All entries of a playlist, in a sink; None where `is_published` knows its snapshot id already.

    Each read has a sink of its own: a playlist that changes meanwhile is read again from scratch. Raises
    PlaylistUnavailable where Spotify does not give the entries or they keep changing.
    """
    counted = ""
    for _ in range(READS):
        read = _read_once(client, run, playlist_id, is_published, open_sink)
        if read is None:
            return None
        total, count = read.envelope.total, read.entries
        if count == total and _held_still(client, read):
            return read.sink
        surplus = ", a surplus" if count > total else ""
        counted = f"{count} of {total} entries{surplus}"
        log.info("playlist %s: counts differ or it changed (%s); reading it again", playlist_id, counted)
    message = (
        f"playlist {playlist_id}: it changed during each of {READS} reads, or Spotify returns fewer "
        f"or more entries than it counts: {counted}. Run again when it is quiet"
    )
    raise PlaylistUnavailable(message, Code.SPOTIFY_CHANGING)


def _read_once(
    client: SpotifyClient,
    run: Run,
    playlist_id: str,
    is_published: Callable[[str], bool],
    open_sink: Callable[[Envelope], S],
) -> _Read[S] | None:
    fetched_at = datetime.now(UTC)
    first = client.playlist(playlist_id)
    snapshot_id, page = _first_page(client, playlist_id, first)
    if is_published(snapshot_id):
        return None
    if (total := page.total) is None:
        raise PlaylistUnavailable(
            f"playlist {playlist_id}: Spotify's answer has no `total`, so it may not be whole. "
            "If this lasts, the Web API has changed",
            Code.SPOTIFY_UNREADABLE,
        )
    envelope = Envelope(
        run_id=run.run_id,
        playlist_id=playlist_id,
        snapshot_id=snapshot_id,
        fetched_at=fetched_at,
        api_shape=page.shape,
        total=total,
        code_version=run.code_version,
    )
    sink, responses, count = open_sink(envelope), 1, len(page.entries)
    sink.add(first)
    for body, received in _further_pages(client, playlist_id, page, total):
        sink.add(body)
        responses += 1
        count += received
        log.info("playlist %s: %s of %s entries", playlist_id, count, total)
    return _Read(envelope, sink, responses, count)


def _further_pages(
    client: SpotifyClient, playlist_id: str, first: Page, total: int
) -> Iterator[tuple[bytes, int]]:
    """Bodies after page one and their numbers of entries; each is requested at the number received so far."""
    endpoint, count = "items", len(first.entries)
    while count < total:
        try:
            body = client.page(playlist_id, endpoint, count)
        except SpotifyRefused:
            if endpoint == "tracks" or first.shape == "items":
                raise
            endpoint = "tracks"
            continue
        page = _decoded(playlist_id, decode_page, body)
        if page is None or not page.entries:
            return
        yield body, len(page.entries)
        count += len(page.entries)


def _first_page(client: SpotifyClient, playlist_id: str, body: bytes) -> tuple[str, Page]:
    page = _decoded(playlist_id, decode_page, body)
    # Only what the envelope needs: whatever else is wrong with the answer is judged once it is kept.
    snapshot_id = _decoded(playlist_id, decode_snapshot_id, body)
    if page is None:
        reason, code = (
            (NOT_YOURS, Code.SPOTIFY_NOT_YOURS) if client.for_user else (NO_USER, Code.SPOTIFY_NO_USER)
        )
        raise PlaylistUnavailable(f"playlist {playlist_id}: {reason}", code)
    return snapshot_id, page


def _held_still(client: SpotifyClient, read: _Read[S]) -> bool:
    """One response is consistent by itself; after several the snapshot id is read again."""
    if read.responses == 1:
        return True
    envelope = read.envelope
    body = client.snapshot_id(envelope.playlist_id)
    return _decoded(envelope.playlist_id, decode_snapshot_id, body) == envelope.snapshot_id


def _decoded(playlist_id: str, decode: Callable[[bytes], T], body: bytes) -> T:
    try:
        return decode(body)
    except ValueError as error:
        message = f"playlist {playlist_id}: Spotify's answer is not that of a playlist: {error}. Run again"
        raise PlaylistUnavailable(message, Code.SPOTIFY_UNREADABLE) from error
