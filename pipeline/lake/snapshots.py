"""Kept snapshots: what Spotify showed of a playlist, by playlist and date."""

import logging
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, date, datetime, timedelta
from functools import partial
from itertools import chain
from typing import NamedTuple

from msgspec.structs import replace

from pipeline.errors import Code, LakeKeyMissing, PlaylistUnavailable
from pipeline.lake.layout import RawKey, parse_raw_key, raw_key, raw_prefix
from pipeline.lake.patience import Patience
from pipeline.lake.raw_files import CONTENT_TYPE, RawFile, decode_raw_file
from pipeline.lake.store import Lake, TooLarge
from pipeline.records import Envelope, Kept, Snapshot
from pipeline.threads import threads

log = logging.getLogger(__name__)

EARLIEST = datetime(2006, 1, 1, tzinfo=UTC)
"""There was no Spotify before: an earlier time is a mistake, and would overflow in arithmetic with dates."""
MAX_CLOCK_SKEW = timedelta(minutes=1)
"""A time further in the future is a mistake: it would outrank every true one of its date."""
ONE_DAY = timedelta(days=1)


class Found(NamedTuple):
    """Kept snapshots, by date, then playlist.

    `kept` holds the winner of each playlist and date; `left_out` one snapshot of each playlist and date of
    which nothing was fetched before `fetched_before`; `failed` those that S3 does not give, so that no winner
    is known.
    """

    kept: list[Kept]
    left_out: list[Kept]
    failed: list[tuple[Kept, PlaylistUnavailable]]


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


def rank(snapshot_date: date, fetched_at: datetime) -> tuple[bool, datetime]:
    """Sort key of the snapshots of a playlist and date: the greatest wins.

    Fetched on the UTC date that it stands for outranks fetched on another; then the later one wins, to the
    millisecond, which is what the warehouse stores. sql/load/find_winners.sql ranks loaded ones
    likewise, and sql/load/find_published.sql follows the first half.
    """
    moment = fetched_at.astimezone(UTC)
    return moment.date() == snapshot_date, moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def find_snapshots(
    lake: Lake,
    playlists: list[str] | None,
    start_date: date | None,
    end_date: date | None,
    fetched_before: datetime | None = None,
) -> Found:
    """The winning kept snapshot of each playlist and date within the dates, both included.

    `fetched_before` (with a time zone) leaves out those fetched at that moment or later.
    """
    prefixes = [raw_prefix(playlist) for playlist in playlists] if playlists else [raw_prefix()]
    parsed = [(key, parse_raw_key(key)) for prefix in prefixes for key in lake.keys(prefix)]
    groups: dict[tuple[date, str], set[str]] = {}
    for key, raw in parsed:
        if raw and _within(raw, start_date or date.min, end_date or date.max):
            groups.setdefault((raw.snapshot_date, raw.playlist_id), set()).add(key)
    contenders = [key for keys in groups.values() if fetched_before or len(keys) > 1 for key in keys]
    patience = Patience(len({playlist for _, playlist in groups}))
    (times, refused), found = _fetch_times(lake, contenders, patience), Found([], [], [])
    for (day, playlist), keys in sorted(groups.items()):
        if not_given := sorted(keys & refused.keys()):
            found.failed.append((Kept(not_given[0], playlist, day), refused[not_given[0]]))
            continue
        in_time = {
            key for key in keys if not fetched_before or key not in times or times[key] < fetched_before
        }
        readable = in_time & times.keys()
        if readable or keys.isdisjoint(times):
            # Files that nobody can read are no competitors; if there is nothing else, reading one names it.
            winner = max(readable or keys, key=lambda key: (rank(day, times.get(key, EARLIEST)), key))
            found.kept.append(Kept(winner, playlist, day))
        else:
            found.left_out.append(Kept(max(keys), playlist, day))
    return found


def _fetch_times(
    lake: Lake, keys: list[str], patience: Patience
) -> tuple[dict[str, datetime], dict[str, PlaylistUnavailable]]:
    """When each snapshot was fetched (run ids tell only when a run began), and which files S3 does not give.

    Files that hold no snapshot are left out of both.
    """

    def fetched_at(key: str) -> datetime | PlaylistUnavailable:
        fetch = partial(patience.request, _playlist_of(key), partial(lake.read, key))
        try:
            envelope, bodies = read_snapshot(lake, key, fetch)
            read_to_end(bodies)  # a damaged file is no competitor
        except PlaylistUnavailable as error:
            return error
        return envelope.fetched_at

    times: dict[str, datetime] = {}
    refused: dict[str, PlaylistUnavailable] = {}
    with closing(patience), threads() as pool:
        for key, answer in zip(names := sorted(keys), pool.map(fetched_at, names), strict=True):
            if isinstance(answer, datetime):
                times[key] = answer
            elif answer.code in (Code.LAKE_DENIED, Code.LAKE_UNAVAILABLE):
                refused[key] = answer
            else:
                log.warning("%s. It is left out if there is another snapshot of that date", answer)
    return times, refused


def _playlist_of(key: str) -> str:
    raw = parse_raw_key(key)
    return raw.playlist_id if raw else key


def by_date(kept: Sequence[Kept]) -> dict[date, list[Kept]]:
    """Kept snapshots by snapshot date, in the order of the dates."""
    days: dict[date, list[Kept]] = {}
    for one in sorted(kept, key=lambda one: one.snapshot_date):
        days.setdefault(one.snapshot_date, []).append(one)
    return days


def _within(raw: RawKey, start_date: date, end_date: date) -> bool:
    return start_date <= raw.snapshot_date <= end_date
