"""Decodes the responses of a kept snapshot: pages of songs in one typed pass, other pages entry by entry."""

import gc
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain

from pipeline.errors import AccountingError, Code, PlaylistUnavailable
from pipeline.records import Envelope, Snapshot
from pipeline.transform.api_change import refuse_changed_api
from pipeline.transform.api_types import PlaylistHead
from pipeline.transform.coverage import Coverage
from pipeline.transform.entries import decode_entry, song_of
from pipeline.transform.pages import decode_page, decode_typed_page, decode_usable_fields
from pipeline.transform.rows import PlaylistRows


def snapshot_rows(snapshot: Snapshot) -> PlaylistRows:
    """Decodes a snapshot. Its bodies are read once, in order.

    Raises PlaylistUnavailable if the playlist itself is unusable, if an entry is missing or was received
    twice, or if the Web API has changed (`api_change`); AccountingError if songs + rejects are not `total`.
    """
    envelope, coverage = snapshot.envelope, Coverage(snapshot.envelope.total)
    try:
        with _collector_paused():
            rows = _rows(snapshot, coverage)
    except ValueError as error:
        message = (
            f"playlist {envelope.playlist_id}: the response lacks a field that every playlist has: {error}. "
            "It is kept in the lake. If this continues, the Web API has changed: report it"
        )
        raise PlaylistUnavailable(message, Code.SPOTIFY_API_CHANGED) from error
    if not coverage.is_complete:
        raise _incomplete(envelope, coverage, rows)
    refuse_changed_api(envelope.playlist_id, len(rows.songs), [reject.reason for _, reject in rows.rejects])
    return rows


@contextmanager
def _collector_paused() -> Iterator[None]:
    """Pauses the cyclic garbage collector: decoded JSON has no cycles, and the search for them takes time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _rows(snapshot: Snapshot, coverage: Coverage) -> PlaylistRows:
    bodies = iter(snapshot.bodies)
    first = next(bodies, b"")
    nulled: Counter[str] = Counter()
    rows = PlaylistRows(snapshot.envelope, decode_usable_fields(first, PlaylistHead, nulled))
    rows.add_nulled(nulled, "playlist.")
    for body in chain([first], bodies):
        _add_page(rows, coverage, body)
        if coverage.problem or coverage.received > coverage.total:
            break  # the snapshot fails in any case, and a damaged file may have millions of entries
    return rows


def _add_page(rows: PlaylistRows, coverage: Coverage, body: bytes) -> None:
    typed = decode_typed_page(body)
    tracks = [track for entry in typed.entries if (track := song_of(entry))] if typed else []
    if typed and len(tracks) == len(typed.entries):
        rows.add_songs(coverage.add(typed) + 1, tracks, typed.entries)
    elif page := decode_page(body):
        for position, text in enumerate(page.entries, start=coverage.add(page) + 1):
            rows.add_entry(position, decode_entry(text))


def _incomplete(
    envelope: Envelope, coverage: Coverage, rows: PlaylistRows
) -> AccountingError | PlaylistUnavailable:
    snapshot = f"playlist {envelope.playlist_id}, fetched at {envelope.fetched_at}"
    if coverage.problem:
        message = (
            f"{snapshot}: the kept responses are not complete: {coverage.problem}. The playlist was not "
            "published. Publish another snapshot of that date, if there is one: Spotify has no history API"
        )
        return PlaylistUnavailable(message, Code.SNAPSHOT_INCOMPLETE)
    counted = f"{len(rows.positions)} songs + {len(rows.rejects)} rejects"
    found = "more" if coverage.received > coverage.total else counted
    message = (
        f"{snapshot}: Spotify counted {envelope.total} entries, but the kept responses have {found}. "
        "Nothing was published. Report it, and exclude the playlist or its date until it is fixed"
    )
    return AccountingError(message, Code.ENTRIES_LOST)
