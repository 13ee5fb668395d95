"""Files of kept snapshots: writes the responses of one playlist, and reads and validates them later."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from itertools import chain

from msgspec.structs import replace

from pipeline.errors import Code, LakeKeyMissing, PlaylistUnavailable
from pipeline.lake.layout import RawKey, parse_raw_key, raw_key
from pipeline.lake.raw_files import CONTENT_TYPE, RawFile, decode_raw_file
from pipeline.lake.s3_traffic import TooLarge
from pipeline.lake.store import Lake
from pipeline.records import Envelope, Kept, Snapshot

EARLIEST = datetime(2006, 1, 1, tzinfo=UTC)
"""Spotify was founded in 2006. An earlier time is an error, and could overflow in date arithmetic."""
MAX_CLOCK_SKEW = timedelta(minutes=1)
"""A time further in the future is an error. It would outrank every correct snapshot of its date."""
ONE_DAY = timedelta(days=1)


def keep_snapshot(lake: Lake, file: RawFile[Envelope], snapshot_date: date) -> Kept:
    """Writes one playlist's responses to the lake.

    Raises PlaylistUnavailable if they were fetched neither on `snapshot_date` nor on the day after (UTC).
    """
    envelope = file.envelope
    fetched_on = envelope.fetched_at.astimezone(UTC).date()
    if fetched_on not in (snapshot_date, snapshot_date + ONE_DAY):
        message = (
            f"playlist {envelope.playlist_id} was fetched on {fetched_on} (UTC) by a run with the snapshot "
            f"date {snapshot_date}, so it was not kept. Run again without snapshot_date"
        )
        raise PlaylistUnavailable(message, Code.SNAPSHOT_DATE_REFUSED)
    key = raw_key(envelope.playlist_id, snapshot_date, envelope.run_id)
    lake.write(key, file.content, CONTENT_TYPE)
    return Kept(key, envelope.playlist_id, snapshot_date)


def read_snapshot(lake: Lake, key: str, fetched: Callable[[], bytes] | None = None) -> Snapshot:
    """A kept snapshot with `fetched_at` in UTC. `fetched` returns the file's bytes; default: read the lake.

    Raises PlaylistUnavailable if the file is missing, is not a kept snapshot, is too large, contains another
    playlist or has impossible times. Bodies are decompressed when they are iterated, which raises the same
    error if the rest of the file is damaged or too large. Times are compared with the local clock: if it is
    slow, snapshots that other machines have just fetched are refused.
    """
    raw, url = parse_raw_key(key), f"{lake.url}{key}"
    with _explained(url):
        envelope, lines = decode_raw_file(fetched() if fetched else lake.read(key), Envelope)
        if (first := next(lines, None)) is None:
            raise ValueError("it has no responses")
        _refuse_impossible(envelope.fetched_at, raw)
    bodies = _explained_bodies(url, chain([first], lines))
    if raw and raw.playlist_id != envelope.playlist_id:
        read_to_end(bodies)
        message = f"{url} holds playlist {envelope.playlist_id}, so it is a copied file. Remove it"
        raise PlaylistUnavailable(message, Code.LAKE_SNAPSHOT_INVALID)
    return Snapshot(replace(envelope, fetched_at=envelope.fetched_at.astimezone(UTC)), bodies)


def read_to_end(bodies: Iterable[bytes]) -> None:
    """Reads the rest of a kept file; raises PlaylistUnavailable if it is damaged or too large."""
    deque(bodies, maxlen=0)


@contextmanager
def _explained(url: str) -> Iterator[None]:
    """Raises PlaylistUnavailable instead of other errors of a kept file."""
    try:
        yield
    except LakeKeyMissing as error:
        raise PlaylistUnavailable(f"{error.message}, or exclude its date", error.code) from error
    except TooLarge as error:
        message = (
            f"{url} cannot be read: {error}. No playlist is that large. Remove the file, or exclude its date"
        )
        raise PlaylistUnavailable(message, Code.LAKE_SNAPSHOT_TOO_LARGE) from error
    except ValueError as error:
        message = f"{url} is not a kept snapshot: {error}. Restore the complete file, or remove it"
        raise PlaylistUnavailable(message, Code.LAKE_SNAPSHOT_INVALID) from error


def _explained_bodies(url: str, bodies: Iterator[bytes]) -> Iterator[bytes]:
    with _explained(url):
        yield from bodies


def is_possible(snapshot_date: date) -> bool:
    """True if a snapshot can have this date: not before Spotify existed, and not in the future."""
    return EARLIEST.date() <= snapshot_date <= (datetime.now(UTC) + MAX_CLOCK_SKEW).date()


def _refuse_impossible(fetched_at: datetime, raw: RawKey | None) -> None:
    if not EARLIEST <= fetched_at <= datetime.now(UTC) + MAX_CLOCK_SKEW:
        raise ValueError(f"its fetched_at {fetched_at} is in the future, or before Spotify existed")
    if raw and not is_possible(raw.snapshot_date):
        raise ValueError(f"its date {raw.snapshot_date} is in the future, or before Spotify existed")
