"""Files of kept snapshots: one playlist's responses, written once and read back one by one."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from itertools import chain

from msgspec.structs import replace

from pipeline.errors import Code, LakeKeyMissing, PlaylistUnavailable
from pipeline.lake.layout import RawKey, parse_raw_key, raw_key
from pipeline.lake.raw_files import CONTENT_TYPE, RawFile, decode_raw_file
from pipeline.lake.store import Lake, TooLarge
from pipeline.records import Envelope, Kept, Snapshot

EARLIEST = datetime(2006, 1, 1, tzinfo=UTC)
"""There was no Spotify before: an earlier time is a mistake, and would overflow in arithmetic with dates."""
MAX_CLOCK_SKEW = timedelta(minutes=1)
"""A time further in the future is a mistake: it would outrank every true one of its date."""
ONE_DAY = timedelta(days=1)


def keep_snapshot(lake: Lake, file: RawFile[Envelope], snapshot_date: date) -> Kept:
    """Writes one playlist's responses; the key names the playlist, the date and the run.

    Raises PlaylistUnavailable if they were not fetched on the date or the day after.
    """
    envelope = file.envelope
    fetched_on = envelope.fetched_at.astimezone(UTC).date()
    if fetched_on not in (snapshot_date, snapshot_date + ONE_DAY):
        message = (
            f"playlist {envelope.playlist_id} was fetched on {fetched_on} (UTC) by a run that stands for "
            f"{snapshot_date}, so it was not kept. Run again without snapshot_date"
        )
        raise PlaylistUnavailable(message, Code.SNAPSHOT_DATE_REFUSED)
    key = raw_key(envelope.playlist_id, snapshot_date, envelope.run_id)
    lake.write(key, file.content, CONTENT_TYPE)
    return Kept(key, envelope.playlist_id, snapshot_date)


def read_snapshot(lake: Lake, key: str, fetched: Callable[[], bytes] | None = None) -> Snapshot:
    """A kept snapshot, `fetched_at` in UTC, from bytes that are `fetched` or from the lake.

    Its bodies are decompressed one by one, as they are asked for. Raises PlaylistUnavailable if the file is
    gone, is no kept snapshot, is too large, holds another playlist, or has impossible times; so do the bodies
    where the rest of the file is damaged or too large. Times are compared with this machine's clock: if that
    is behind, what other machines have just fetched is refused until it catches up.
    """
    raw, place = parse_raw_key(key), f"{lake.url}{key}"
    with _explained(place):
        envelope, lines = decode_raw_file(fetched() if fetched else lake.read(key), Envelope)
        if (first := next(lines, None)) is None:
            raise ValueError("it has no answers")
        _refuse_impossible(envelope.fetched_at, raw)
    bodies = _explained_bodies(place, chain([first], lines))
    if raw and raw.playlist_id != envelope.playlist_id:
        read_to_end(bodies)
        message = f"{place} holds playlist {envelope.playlist_id}, so it is a copied file. Remove it"
        raise PlaylistUnavailable(message, Code.LAKE_SNAPSHOT_INVALID)
    return Snapshot(replace(envelope, fetched_at=envelope.fetched_at.astimezone(UTC)), bodies)


def read_to_end(bodies: Iterable[bytes]) -> None:
    """Raises what is wrong with the rest of a kept file, which only its end tells."""
    deque(bodies, maxlen=0)


@contextmanager
def _explained(place: str) -> Iterator[None]:
    """What is wrong with a kept file, as what the run does about it."""
    try:
        yield
    except LakeKeyMissing as error:
        raise PlaylistUnavailable(f"{error.message}, or leave its date out", error.code) from error
    except TooLarge as error:
        message = (
            f"{place} cannot be read: {error}. No playlist is that large. "
            "Remove the file, or leave its date out"
        )
        raise PlaylistUnavailable(message, Code.LAKE_SNAPSHOT_TOO_LARGE) from error
    except ValueError as error:
        message = f"{place} is no kept snapshot: {error}. Restore the whole file, or remove it"
        raise PlaylistUnavailable(message, Code.LAKE_SNAPSHOT_INVALID) from error


def _explained_bodies(place: str, bodies: Iterator[bytes]) -> Iterator[bytes]:
    with _explained(place):
        yield from bodies


def is_possible(snapshot_date: date) -> bool:
    """Whether a snapshot may stand for a date: not for one before Spotify, nor for one to come."""
    return EARLIEST.date() <= snapshot_date <= (datetime.now(UTC) + MAX_CLOCK_SKEW).date()


def _refuse_impossible(fetched_at: datetime, raw: RawKey | None) -> None:
    if not EARLIEST <= fetched_at <= datetime.now(UTC) + MAX_CLOCK_SKEW:
        raise ValueError(f"its fetched_at {fetched_at} is in the future, or before Spotify existed")
    if raw and not is_possible(raw.snapshot_date):
        raise ValueError(f"its date {raw.snapshot_date} is in the future, or before Spotify existed")
