"""Kept snapshots: what Spotify showed of a playlist, by playlist and date."""

import logging
from collections.abc import Callable
from datetime import date, datetime
from typing import NamedTuple

from msgspec import Struct
from msgspec.json import Decoder

from flows.errors import Code, PlaylistUnavailable
from flows.lake.answers import CONTENT_TYPE, decode_answers, encode_answers
from flows.lake.layout import RawKey, parse_raw_key, raw_key, raw_prefix
from flows.lake.refusals import NoSuchKey
from flows.lake.store import Lake, TooLarge
from flows.transform.tables import Snapshot

log = logging.getLogger(__name__)


class Envelope(Struct, frozen=True):
    """First line of a kept snapshot."""

    run_id: str
    playlist_id: str
    snapshot_id: str
    fetched_at: datetime
    api_shape: str
    total: int
    code_version: str


Decoder(Envelope)  # before threads need it: msgspec crashes where two look into a type at once


class Kept(NamedTuple):
    """A snapshot that lies in the lake, ready to be published."""

    key: str
    playlist_id: str
    snapshot_date: date


def keep_snapshot(lake: Lake, envelope: Envelope, bodies: list[bytes], snapshot_date: date) -> Kept:
    """Writes one playlist's answers; the key names the playlist, the date and the run."""
    key = raw_key(envelope.playlist_id, snapshot_date, envelope.run_id)
    lake.write(key, encode_answers(envelope, bodies), CONTENT_TYPE)
    return Kept(key, envelope.playlist_id, snapshot_date)


def read_snapshot(lake: Lake, key: str, fetched: Callable[[], bytes] | None = None) -> Snapshot:
    """A kept snapshot, from bytes that are `fetched` or from the lake.

    Raises PlaylistUnavailable where the file is none, too large, another playlist's, or gone.
    """
    try:
        envelope, bodies = decode_answers(fetched() if fetched else lake.read(key), Envelope)
        if not bodies:
            raise ValueError("it has no answers")  # noqa: TRY301 - said with the rest
    except NoSuchKey as error:
        raise PlaylistUnavailable(f"{error.message}, or leave its date out", error.code) from error
    except TooLarge as error:
        message = f"{lake.url}{key} cannot be read: {error}. No playlist is: remove it, or leave its date out"
        raise PlaylistUnavailable(message, Code.LAKE_SNAPSHOT_TOO_LARGE) from error
    except ValueError as error:
        message = f"{lake.url}{key} is no kept snapshot: {error}. Remove it, or put the whole file back"
        raise PlaylistUnavailable(message, Code.LAKE_SNAPSHOT_INVALID) from error
    raw = parse_raw_key(key)
    if raw and raw.playlist_id != envelope.playlist_id:
        message = f"{lake.url}{key} holds playlist {envelope.playlist_id}: a copied file. Remove it"
        raise PlaylistUnavailable(message, Code.LAKE_SNAPSHOT_INVALID)
    return Snapshot(envelope.playlist_id, envelope.snapshot_id, envelope.fetched_at, envelope.total, bodies)


def find_snapshots(
    lake: Lake, playlists: list[str] | None, start_date: date | None, end_date: date | None
) -> list[Kept]:
    """The newest kept snapshot of each playlist and date within the dates, both included."""
    prefixes = [raw_prefix(playlist) for playlist in playlists] if playlists else [raw_prefix()]
    parsed = [(key, parse_raw_key(key)) for prefix in prefixes for key in lake.keys(prefix)]
    found = [
        (raw, key)
        for key, raw in parsed
        if raw and _within(raw, start_date or date.min, end_date or date.max)
    ]
    groups: dict[tuple[date, str], list[str]] = {}
    for raw, key in sorted(found):
        groups.setdefault((raw.snapshot_date, raw.playlist_id), []).append(key)
    return [Kept(_newest(lake, keys), playlist, day) for (day, playlist), keys in sorted(groups.items())]


def _newest(lake: Lake, keys: list[str]) -> str:
    """The key with the latest look at the playlist; run ids tell only when a run began."""
    if len(keys) == 1:
        return keys[0]
    looks = []
    for key in keys:
        try:
            looks.append((read_snapshot(lake, key).fetched_at, key))
        except PlaylistUnavailable as error:
            log.warning("%s; another snapshot of that date is taken", error)
    return max(looks)[1] if looks else keys[-1]


def by_date(kept: list[Kept]) -> dict[date, list[Kept]]:
    """Kept snapshots by snapshot date, in the order of the dates."""
    days: dict[date, list[Kept]] = {}
    for one in sorted(kept, key=lambda one: one.snapshot_date):
        days.setdefault(one.snapshot_date, []).append(one)
    return days


def _within(raw: RawKey, start_date: date, end_date: date) -> bool:
    return start_date <= raw.snapshot_date <= end_date
