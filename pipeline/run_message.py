"""The final message of a run: results of its playlists, losses and changes."""

from collections import Counter
from collections.abc import Sequence

from pipeline.errors import Code
from pipeline.insights.changes_text import in_one_line
from pipeline.losses import losses
from pipeline.markdown import plural, shortened
from pipeline.records import NOT_KEPT, DetailsLine, PlaylistChanges, PlaylistLine

FAILURES_SHOWN = 10
"""Maximum number of failed playlists that a message names; a run may have thousands."""
FAILURE_CHARACTERS = 400
STATUSES = ("loaded", "unchanged", "superseded", "failed")
"""Statuses that the message counts, in this order."""


def summary(
    lines: Sequence[PlaylistLine], details: Sequence[DetailsLine], changes: Sequence[PlaylistChanges] = ()
) -> tuple[str, str]:
    """Status and message of the run: failed if a playlist failed, with the first reasons."""
    failed = sum(line.status == "failed" for line in lines)
    reasons = failures(lines)
    more = ": see the receipt" if failed > FAILURES_SHOWN else ""
    lacking = [f"{line.missing} {line.kind} ({_short(line.reason)})" for line in details if line.missing]
    nulled = [f"{number} in {path}" for line in details for path, number in line.nulled.items()]
    message = ". ".join(
        [
            _counted_by_status(lines),
            *([reasons + more] if reasons else []),
            *(["Without details: " + ", ".join(lacking)] if lacking else []),
            *(["Unusable values, null in the tables: " + ", ".join(nulled)] if nulled else []),
            *([lost] if (lost := losses(lines)) else []),
            *([changed] if (changed := in_one_line(changes)) else []),
        ]
    )
    if failed:
        return "failed", f"{message} [{Code.PLAYLISTS_FAILED}]"
    return "completed", message


def _counted_by_status(lines: Sequence[PlaylistLine]) -> str:
    """`6 playlists, 178 snapshots loaded, 2 superseded, gaps in 1 playlist`."""
    counted = [line for line in lines if line.status in STATUSES]
    counts = Counter(line.status for line in counted)
    parts = [f"{counts[status]:,} {status}" for status in STATUSES if counts[status]]
    if parts:
        first = next(status for status in STATUSES if counts[status])
        playlists = plural(len({line.playlist_id for line in counted if line.status == first}), "playlist")
        several = len({line.playlist_id for line in counted}) < len(counted)
        snapshots = f", {plural(counts[first], 'snapshot')}" if several else ""
        parts[0] = f"{playlists}{snapshots} {first}"
    gaps = {line.playlist_id for line in lines if line.status == NOT_KEPT}
    return ", ".join([*parts, *([f"gaps in {plural(len(gaps), 'playlist')}"] if gaps else [])])


def failures(lines: Sequence[PlaylistLine]) -> str:
    """Reasons of failed playlists: the first ones, and the number of further ones."""
    reasons = [line.reason for line in lines if line.status == "failed" and line.reason]
    shown, more = reasons[:FAILURES_SHOWN], len(reasons) - FAILURES_SHOWN
    return "; ".join([*map(_short, shown), *([f"and {more:,} more"] if more > 0 else [])])


def _short(reason: str) -> str:
    return shortened(reason, FAILURE_CHARACTERS)
