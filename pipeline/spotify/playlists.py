"""Reads a playlist page by page, and checks that it is complete and did not change while it was read."""

import logging
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Generic, NamedTuple, Protocol, TypeVar

from pipeline.errors import Code, PlaylistUnavailable, SpotifyRefused
from pipeline.records import MAX_TOTAL, Envelope, Run
from pipeline.spotify.client import SpotifyClient
from pipeline.spotify.refusals import NO_USER, NOT_YOURS
from pipeline.transform.coverage import Coverage
from pipeline.transform.pages import Page, decode_page, decode_snapshot_id

T = TypeVar("T")

log = logging.getLogger(__name__)

READS = 3
"""Number of attempts to read a playlist that changes while it is read."""


class Sink(Protocol):
    """Receives the responses of one read of a playlist, one at a time."""

    def add(self, body: bytes) -> None:
        """Receives the next response."""


S = TypeVar("S", bound=Sink)


class _Read(NamedTuple, Generic[S]):
    """One read of a playlist: envelope, sink of the responses, their number, and coverage of the entries."""

    envelope: Envelope
    sink: S
    responses: int
    coverage: Coverage


def read_playlist(
    client: SpotifyClient,
    run: Run,
    playlist_id: str,
    is_published: Callable[[str], bool],
    open_sink: Callable[[Envelope], S],
) -> S | None:
    """Reads a playlist into a sink; None if its snapshot id is already published (`is_published`).

    A playlist that changes during the read is read again from the start, into a new sink (`open_sink`).
    Raises PlaylistUnavailable if Spotify refuses the entries, or if they change during every read.
    """
    problem = ""
    for _ in range(READS):
        read = _read_once(client, run, playlist_id, is_published, open_sink)
        if read is None:
            return None
        coverage = read.coverage
        if coverage.is_complete and _is_unchanged(client, read):
            return read.sink
        surplus = ", too many" if coverage.received > coverage.total else ""
        problem = coverage.problem or f"{coverage.received} of {coverage.total} entries{surplus}"
        log.info("playlist %s: incomplete or changed (%s); reading it again", playlist_id, problem)
    message = (
        f"playlist {playlist_id}: it changed during each of {READS} reads, or Spotify returns fewer "
        f"or more entries than its total: {problem}. Run again later"
    )
    raise PlaylistUnavailable(message, Code.SPOTIFY_CHANGING)


def read_first_page(client: SpotifyClient, playlist_id: str) -> Page[bytes]:
    """The first entries of a playlist; raises PlaylistUnavailable if Spotify refuses them."""
    return _first_page(client, playlist_id, client.playlist(playlist_id))[1]


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
    if (total := page.total) is None or total > MAX_TOTAL:
        raise PlaylistUnavailable(
            f"playlist {playlist_id}: Spotify's response has no usable `total`, so entries may be missing. "
            "Run again. If this continues, the Web API has changed: report it",
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
    sink, responses, coverage = open_sink(envelope), 1, Coverage(total)
    sink.add(first)
    coverage.add(page)
    for body in _further_pages(client, playlist_id, page, coverage):
        sink.add(body)
        responses += 1
        log.info("playlist %s: %s of %s entries", playlist_id, coverage.received, total)
    return _Read(envelope, sink, responses, coverage)


def _further_pages(
    client: SpotifyClient, playlist_id: str, first: Page[bytes], coverage: Coverage
) -> Iterator[bytes]:
    """Responses after the first page. Ends when all entries are received, at a problem, or an empty page."""
    endpoint = "items"
    while coverage.received < coverage.total and not coverage.problem:
        try:
            body = client.page(playlist_id, endpoint, coverage.received)
        except SpotifyRefused:
            if endpoint == "tracks" or first.shape == "items":
                raise
            endpoint = "tracks"
            continue
        page = _decoded(playlist_id, decode_page, body)
        if page is None or not page.entries:  # incomplete: the caller sees it in `coverage`
            return
        coverage.add(page)
        yield body


def _first_page(client: SpotifyClient, playlist_id: str, body: bytes) -> tuple[str, Page[bytes]]:
    page = _decoded(playlist_id, decode_page, body)
    # Decode only what the envelope needs: other fields are validated after the responses are kept.
    snapshot_id = _decoded(playlist_id, decode_snapshot_id, body)
    if page is None:
        reason, code = (
            (NOT_YOURS, Code.SPOTIFY_NOT_YOURS) if client.for_user else (NO_USER, Code.SPOTIFY_NO_USER)
        )
        raise PlaylistUnavailable(f"playlist {playlist_id}: {reason}", code)
    return snapshot_id, page


def _is_unchanged(client: SpotifyClient, read: _Read[S]) -> bool:
    """True if the snapshot id is the same after the last page; a single response needs no check."""
    if read.responses == 1:
        return True
    envelope = read.envelope
    body = client.snapshot_id(envelope.playlist_id)
    return _decoded(envelope.playlist_id, decode_snapshot_id, body) == envelope.snapshot_id


def _decoded(playlist_id: str, decode: Callable[[bytes], T], body: bytes) -> T:
    try:
        return decode(body)
    except ValueError as error:
        message = f"playlist {playlist_id}: Spotify's response is not a playlist: {error}. Run again"
        raise PlaylistUnavailable(message, Code.SPOTIFY_UNREADABLE) from error
