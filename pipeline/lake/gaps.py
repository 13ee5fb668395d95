"""Gaps: dates without a kept snapshot, by playlist."""

from datetime import date, timedelta
from itertools import pairwise

from pipeline.lake.snapshot_files import is_possible
from pipeline.markdown import plural
from pipeline.records import Kept

MAX_GAPS_SHOWN = 31
"""Maximum number of gaps of a playlist that a text lists."""

Gap = tuple[date, date]
"""First and last of consecutive dates without a kept snapshot."""


def find_gaps(
    kept: list[Kept],
    left_out: list[Kept],
    playlists: list[str] | None,
    dates: tuple[date | None, date | None],
) -> dict[str, list[Gap]]:
    """Gaps by playlist, between the first and the last date. Playlists without gaps are left out.

    `dates`: first and last date of the backfill; if one is None, that of the snapshots found. Snapshots with
    an impossible date do not extend the range; reading them fails.
    """
    possible = [one for one in kept if is_possible(one.snapshot_date)]
    found = possible + [one for one in left_out if is_possible(one.snapshot_date)]
    if not found:
        return {}
    days = [one.snapshot_date for one in found]
    wanted = playlists or sorted({one.playlist_id for one in found})
    return _missing(possible, wanted, dates[0] or min(days), dates[1] or max(days))


def _missing(kept: list[Kept], playlists: list[str], first: date, last: date) -> dict[str, list[Gap]]:
    days: dict[str, list[date]] = {playlist: [] for playlist in playlists}
    for one in kept:
        days.setdefault(one.playlist_id, []).append(one.snapshot_date)
    gaps = {playlist: _gaps(days[playlist], first, last) for playlist in playlists}
    return {playlist: found for playlist, found in gaps.items() if found}


def _gaps(days: list[date], first: date, last: date) -> list[Gap]:
    """First and last date of each gap in `days`, from `first` to `last` inclusive."""
    one_day = timedelta(days=1)
    borders = [None, *sorted(days), None]  # None: arithmetic with the first or last possible date overflows
    gaps = [
        (first if before is None else before + one_day, last if after is None else after - one_day)
        for before, after in pairwise(borders)
    ]
    return [(since, until) for since, until in gaps if since <= until]


def gaps_text(gaps: list[Gap]) -> str:
    """`7 days: 2026-11-03, 2026-11-05 to 2026-11-10`; lists at most MAX_GAPS_SHOWN gaps."""
    number = sum((until - since).days + 1 for since, until in gaps)
    named = [" to ".join(map(str, dict.fromkeys(gap))) for gap in gaps[:MAX_GAPS_SHOWN]]
    more = [f"and {len(gaps) - len(named):,} more gaps"] if len(gaps) > len(named) else []
    return f"{plural(number, 'day')}: {', '.join([*named, *more])}"
