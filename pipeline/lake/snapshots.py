"""Kept snapshots found by playlist and date, and which of several wins."""

import logging
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, date, datetime
from functools import partial
from typing import NamedTuple

from pipeline.errors import Code, PlaylistUnavailable
from pipeline.lake.layout import RawKey, parse_raw_key, raw_prefix
from pipeline.lake.patience import Patience
from pipeline.lake.snapshot_files import EARLIEST, read_snapshot, read_to_end
from pipeline.lake.store import Lake
from pipeline.records import Kept
from pipeline.threads import threads

log = logging.getLogger(__name__)


class Found(NamedTuple):
    """Kept snapshots, by date, then playlist.

    `kept` holds the winner of each playlist and date; `left_out` one snapshot of each playlist and date of
    which nothing was fetched before `fetched_before`; `failed` those that S3 does not give, so that no winner
    is known.
    """

    kept: list[Kept]
    left_out: list[Kept]
    failed: list[tuple[Kept, PlaylistUnavailable]]


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
