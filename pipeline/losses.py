"""Warnings about data missing from the tables: unexpected rejects, unusable values, missing fields."""

from collections.abc import Iterable, Mapping
from datetime import date
from itertools import islice

from pipeline.markdown import shortened
from pipeline.records import PlaylistLine
from pipeline.transform.entries import EXPECTED_REASONS

MAX_SHOWN = 3
"""Maximum number of warnings in the run's message, and of reasons or fields in each warning."""
MAX_REASON_CHARACTERS = 100


def loss(line: PlaylistLine) -> str | None:
    """Losses of one playlist as text; None if there are none. Expected rejects are not a loss."""
    unexpected = {reason: count for reason, count in line.rejected.items() if reason not in EXPECTED_REASONS}
    parts = []
    if unexpected:
        rejected = sum(unexpected.values())
        entries = "entry" if rejected == 1 else "entries"
        parts.append(f"{rejected:,} {entries} rejected ({_counted(unexpected)})")
    if line.nulled:
        unusable = sum(line.nulled.values())
        are = "value is" if unusable == 1 else "values are"
        parts.append(f"{unusable:,} unusable {are} null ({_counted(line.nulled)})")
    if line.missing_fields:
        parts.append(f"no song has {', '.join(line.missing_fields)}, so the Web API may have changed")
    return "; ".join(parts) or None


def warnings(lines: Iterable[PlaylistLine]) -> list[str]:
    """One text for each playlist and loss, with the date or the range of dates."""
    dates: dict[tuple[str, str], list[date]] = {}
    for line in lines:
        if lost := loss(line):
            dates.setdefault((line.playlist_id, lost), []).append(line.snapshot_date)
    return [f"playlist {playlist} of {_range(days)}: {lost}" for (playlist, lost), days in dates.items()]


def losses(lines: Iterable[PlaylistLine]) -> str | None:
    """The losses of a run as one sentence for its message; None if there are none."""
    found = warnings(lines)
    if not found:
        return None
    more = f". And {len(found) - MAX_SHOWN:,} more: see the receipt" if len(found) > MAX_SHOWN else ""
    return f"Warnings: {'. '.join(found[:MAX_SHOWN])}{more}"


def _range(days: list[date]) -> str:
    return str(days[0]) if len(days) == 1 else f"{len(days):,} dates, {min(days)} to {max(days)}"


def _counted(counts: Mapping[str, int]) -> str:
    shown = [
        f"{count:,} {shortened(what, MAX_REASON_CHARACTERS)}"
        for what, count in islice(counts.items(), MAX_SHOWN)
    ]
    if len(counts) > MAX_SHOWN:
        shown.append(f"{len(counts) - MAX_SHOWN:,} more")
    return ", ".join(shown)
