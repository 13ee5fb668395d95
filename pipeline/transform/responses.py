"""The responses of one kept snapshot, decoded: typed pages in one pass, other pages entry by entry."""

import gc
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain

from pipeline.errors import AccountingError, Code, PlaylistUnavailable
from pipeline.records import Envelope, Snapshot
from pipeline.transform.api_types import PlaylistHead
from pipeline.transform.drift import refuse_drift
from pipeline.transform.entries import decode_entry, song_of
from pipeline.transform.pages import decode_page, decode_typed_page, decode_usable
from pipeline.transform.rows import PlaylistRows
from pipeline.transform.slots import Slots


def snapshot_rows(snapshot: Snapshot) -> PlaylistRows:
    """Decodes the responses of one playlist; the bodies are read once, in order.

    Raises PlaylistUnavailable if the playlist itself cannot be read, an entry was not received or received
    twice, or no song has an id or name that every song needs; AccountingError if total = songs + rejects does
    not hold.
    """
    envelope, slots = snapshot.envelope, Slots(snapshot.envelope.total)
    try:
        with _collector_paused():
            rows = _rows(snapshot, slots)
    except ValueError as error:
        message = (
            f"playlist {envelope.playlist_id}: the response is not what every playlist has: {error}. "
            "It is kept in the lake; if this lasts, the Web API has changed"
        )
        raise PlaylistUnavailable(message, Code.SPOTIFY_API_CHANGED) from error
    if not slots.is_whole:
        raise _not_whole(envelope, slots, rows)
    refuse_drift(envelope.playlist_id, len(rows.songs), [reject.reason for _, reject in rows.rejects])
    return rows


@contextmanager
def _collector_paused() -> Iterator[None]:
    """Without Python's cyclic collector: decoded JSON has no cycles, and the search for them takes time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _rows(snapshot: Snapshot, slots: Slots) -> PlaylistRows:
    bodies = iter(snapshot.bodies)
    first = next(bodies, b"")
    nulled: Counter[str] = Counter()
    rows = PlaylistRows(snapshot.envelope, decode_usable(first, PlaylistHead, nulled))
    rows.add_nulled(nulled, "playlist.")
    for body in chain([first], bodies):
        _add_page(rows, slots, body)
        if slots.problem or slots.filled > slots.total:
            break  # a damaged file may hold millions of entries
    return rows


def _add_page(rows: PlaylistRows, slots: Slots, body: bytes) -> None:
    typed = decode_typed_page(body)
    tracks = [track for entry in typed.entries if (track := song_of(entry))] if typed else []
    if typed and len(tracks) == len(typed.entries):
        rows.add_songs(slots.take(typed) + 1, tracks, typed.entries)
    elif page := decode_page(body):
        before = slots.take(page)
        for position, text in enumerate(page.entries, start=before + 1):
            rows.add_entry(position, decode_entry(text))


def _not_whole(envelope: Envelope, slots: Slots, rows: PlaylistRows) -> AccountingError | PlaylistUnavailable:
    of = f"playlist {envelope.playlist_id}, fetched at {envelope.fetched_at}"
    if slots.problem:
        message = (
            f"{of}: the kept responses are not the whole playlist: {slots.problem}. It was not published. "
            "Spotify has no history API, so another snapshot of that date has to take its place"
        )
        return PlaylistUnavailable(message, Code.SNAPSHOT_INCOMPLETE)
    counted = f"{len(rows.positions)} songs + {len(rows.rejects)} rejects"
    found = "a surplus" if slots.filled > slots.total else counted
    message = (
        f"{of}: Spotify counted {envelope.total} entries, the kept responses hold {found}. "
        "Nothing was published. Report it; until then leave the playlist or its date out"
    )
    return AccountingError(message, Code.ENTRIES_LOST)
