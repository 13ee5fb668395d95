"""Finds kept snapshots by playlist and date, and selects the highest-ranked one of each."""

import logging
from collections.abc import Mapping, Sequence
from contextlib import closing
from datetime import UTC, date, datetime
from functools import partial
from typing import NamedTuple

from pipeline.errors import Code, PlaylistUnavailable
from pipeline.lake.layout import parse_raw_key, raw_prefix
from pipeline.lake.retry_budget import RetryBudget
from pipeline.lake.snapshot_files import EARLIEST, read_snapshot, read_to_end
from pipeline.lake.store import Lake
from pipeline.records import Kept
from pipeline.threads import threads

log = logging.getLogger(__name__)


class Found(NamedTuple):
    """Kept snapshots, each playlist and date in one of the lists, sorted by date, then playlist.

    `kept`: the winner, which is the highest-ranked snapshot. `left_out`: any snapshot, if all were fetched at
    `fetched_before` or later. `failed`: a snapshot that S3 does not return, so that the winner is unknown,
    with the error.
    """

    kept: list[Kept]
    left_out: list[Kept]
    failed: list[tuple[Kept, PlaylistUnavailable]]


def rank(snapshot_date: date, fetched_at: datetime) -> tuple[bool, datetime]:
    """Sort key of the snapshots of a playlist and date; the greatest wins.

    Snapshots that were fetched on their snapshot date (UTC) outrank others; among equals the later one wins,
    compared in milliseconds, as the warehouse stores them. sql/load/find_winners.sql ranks loaded snapshots
    by the same rule; sql/load/find_published.sql applies only its first half.
    """
    utc = fetched_at.astimezone(UTC)
    return utc.date() == snapshot_date, utc.replace(microsecond=utc.microsecond // 1000 * 1000)


def find_snapshots(
    lake: Lake,
    playlists: list[str] | None,
    start_date: date | None,
    end_date: date | None,
    fetched_before: datetime | None = None,
) -> Found:
    """Finds the winner of each playlist and date, from `start_date` to `end_date` inclusive.

    `fetched_before` (with a time zone) excludes snapshots that were fetched at that time or later.
    """
    prefixes = [raw_prefix(playlist) for playlist in playlists] if playlists else [raw_prefix()]
    first, last = start_date or date.min, end_date or date.max
    groups: dict[tuple[date, str], set[str]] = {}
    for key in (key for prefix in prefixes for key in lake.keys(prefix)):
        raw = parse_raw_key(key)
        if raw and first <= raw.snapshot_date <= last:
            groups.setdefault((raw.snapshot_date, raw.playlist_id), set()).add(key)
    contenders = {
        key: playlist
        for (_, playlist), keys in groups.items()
        if fetched_before or len(keys) > 1
        for key in keys
    }
    retries = RetryBudget(len({playlist for _, playlist in groups}))
    times, refused = _fetch_times(lake, contenders, retries)
    found = Found([], [], [])
    for (day, playlist), keys in sorted(groups.items()):
        if refused_keys := sorted(keys & refused.keys()):
            found.failed.append((Kept(refused_keys[0], playlist, day), refused[refused_keys[0]]))
            continue
        in_time = {
            key for key in keys if not fetched_before or key not in times or times[key] < fetched_before
        }
        readable = in_time & times.keys()
        if readable or keys.isdisjoint(times):
            # Damaged files are ignored. If all are damaged, select one anyway: publishing reports the error.
            winner = max(readable or keys, key=lambda key: (rank(day, times.get(key, EARLIEST)), key))
            found.kept.append(Kept(winner, playlist, day))
        else:
            found.left_out.append(Kept(max(keys), playlist, day))
    return found


def _fetch_times(
    lake: Lake, playlists: Mapping[str, str], retries: RetryBudget
) -> tuple[dict[str, datetime], dict[str, PlaylistUnavailable]]:
    """`fetched_at` of each snapshot, and the errors of files that S3 does not return, by key.

    Damaged files are in neither. Files have to be read because a run id contains only the start of the run.
    `playlists`: playlist id of each key.
    """

    def fetched_at(key: str) -> datetime | PlaylistUnavailable:
        fetch = partial(retries.request, playlists[key], partial(lake.read, key))
        try:
            envelope, bodies = read_snapshot(lake, key, fetch)
            read_to_end(bodies)  # raises if the file is damaged
        except PlaylistUnavailable as error:
            return error
        return envelope.fetched_at

    times: dict[str, datetime] = {}
    refused: dict[str, PlaylistUnavailable] = {}
    with closing(retries), threads() as pool:
        keys = sorted(playlists)
        for key, result in zip(keys, pool.map(fetched_at, keys), strict=True):
            if isinstance(result, datetime):
                times[key] = result
            elif result.code in (Code.LAKE_DENIED, Code.LAKE_UNAVAILABLE):
                refused[key] = result
            else:
                log.warning("%s. Another snapshot of that date is used, if there is one", result)
    return times, refused


def by_date(kept: Sequence[Kept]) -> dict[date, list[Kept]]:
    """Groups kept snapshots by snapshot date, earliest date first."""
    days: dict[date, list[Kept]] = {}
    for one in sorted(kept, key=lambda one: one.snapshot_date):
        days.setdefault(one.snapshot_date, []).append(one)
    return days
