"""What a playlist holds that its tables do not show: unexpected rejects, unusable values, missing fields."""

from collections.abc import Mapping, Sequence
from itertools import islice

from pipeline.markdown import shortened
from pipeline.records import PlaylistLine
from pipeline.transform.entries import NATURAL

SHOWN = 3
"""Playlists that the run's message names, and reasons or fields of each."""
REASON_CHARACTERS = 100


def loss(line: PlaylistLine) -> str | None:
    """Describes what one playlist lost, or returns None; entries that playlists usually hold are no loss."""
    odd = {reason: count for reason, count in line.rejected.items() if reason not in NATURAL}
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


def losses(lines: Sequence[PlaylistLine]) -> str | None:
    """One sentence on the losses of a run, or None."""
    found = [
        f"playlist {line.playlist_id} of {line.snapshot_date}: {lost}"
        for line in lines
        if (lost := loss(line))
    ]
    if not found:
        return None
    more = f". And {len(found) - SHOWN:,} more: see the receipt" if len(found) > SHOWN else ""
    return f"Warnings: {'. '.join(found[:SHOWN])}{more}"


def _counted(counts: Mapping[str, int]) -> str:
    shown = [
        f"{count:,} {shortened(what, REASON_CHARACTERS)}" for what, count in islice(counts.items(), SHOWN)
    ]
    if len(counts) > SHOWN:
        shown.append(f"{len(counts) - SHOWN:,} more")
    return ", ".join(shown)
