"""What a playlist holds that its tables do not show: unexpected rejects, unusable values, missing fields."""

from collections.abc import Iterable, Mapping
from datetime import date
from itertools import islice

from pipeline.markdown import shortened
from pipeline.records import PlaylistLine
from pipeline.transform.entries import EXPECTED_REASONS

SHOWN = 3
"""Playlists that the run's message names, and reasons or fields of each."""
REASON_CHARACTERS = 100


def loss(line: PlaylistLine) -> str | None:
    """Describes what one playlist lost, or returns None; entries that playlists usually hold are no loss."""
    odd = {reason: count for reason, count in line.rejected.items() if reason not in EXPECTED_REASONS}
    parts = []
    if odd:
        rejected = sum(odd.values())
        parts.append(f"{rejected:,} {'entry' if rejected == 1 else 'entries'} rejected ({_counted(odd)})")
    if line.nulled:
        unusable = sum(line.nulled.values())
        are = "value is" if unusable == 1 else "values are"
        parts.append(f"{unusable:,} unusable {are} null ({_counted(line.nulled)})")
    if line.missing_fields:
        parts.append(f"no song has {', '.join(line.missing_fields)}, so the Web API may have changed")
    return "; ".join(parts) or None


def warnings(lines: Iterable[PlaylistLine]) -> list[str]:
    """Returns a text for each playlist and loss, with its date or the range of its dates."""
    dates: dict[tuple[str, str], list[date]] = {}
    for line in lines:
        if lost := loss(line):
            dates.setdefault((line.playlist_id, lost), []).append(line.snapshot_date)
    return [f"playlist {playlist} of {_range(days)}: {lost}" for (playlist, lost), days in dates.items()]


def losses(lines: Iterable[PlaylistLine]) -> str | None:
    """One sentence on the losses of a run, or None."""
    found = warnings(lines)
    if not found:
        return None
    more = f". And {len(found) - SHOWN:,} more: see the receipt" if len(found) > SHOWN else ""
    return f"Warnings: {'. '.join(found[:SHOWN])}{more}"


def _range(days: list[date]) -> str:
    return str(days[0]) if len(days) == 1 else f"{len(days):,} dates, {min(days)} to {max(days)}"


def _counted(counts: Mapping[str, int]) -> str:
    shown = [
        f"{count:,} {shortened(what, REASON_CHARACTERS)}" for what, count in islice(counts.items(), SHOWN)
    ]
    if len(counts) > SHOWN:
        shown.append(f"{len(counts) - SHOWN:,} more")
    return ", ".join(shown)
