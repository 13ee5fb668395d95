"""How a run ended, in one message: what became of its playlists, what was lost, what changed."""

from collections import Counter
from collections.abc import Sequence

from pipeline.errors import Code
from pipeline.insights.changes_text import in_one_line
from pipeline.losses import losses
from pipeline.markdown import plural, shortened
from pipeline.records import NOT_KEPT, DetailsLine, PlaylistChanges, PlaylistLine

FAILURES_SHOWN = 10
"""Failed playlists that a message names; a run may have thousands."""
FAILURE_CHARACTERS = 400
STATUSES = ("loaded", "unchanged", "superseded", "failed")
"""What may have become of a playlist and date, in the order of the message."""


def summary(
    lines: Sequence[PlaylistLine], details: Sequence[DetailsLine], changes: Sequence[PlaylistChanges] = ()
) -> tuple[str, str]:
    """Status and message of the run: failed if a playlist failed, with the first reasons."""
    failed = sum(line.status == "failed" for line in lines)
    reasons = failures(lines)
    more = ": see the receipt" if failed > FAILURES_SHOWN else ""
    bare = [f"{line.missing} {line.kind} ({_short(line.reason)})" for line in details if line.missing]
    nulled = [f"{number} in {path}" for line in details for path, number in line.nulled.items()]
    message = ". ".join(
        [
            _told(lines),
            *([reasons + more] if reasons else []),
            *(["Without details: " + ", ".join(bare)] if bare else []),
            *(["Unusable values, null in the tables: " + ", ".join(nulled)] if nulled else []),
            *([lost] if (lost := losses(lines)) else []),
            *([changed] if (changed := in_one_line(changes)) else []),
        ]
    )
    if failed:
        return "failed", f"{message} [{Code.PLAYLISTS_FAILED}]"
    return "completed", message


def _told(lines: Sequence[PlaylistLine]) -> str:
    """`6 playlists, 178 snapshots loaded, 2 superseded, gaps in 1 playlist`."""
    asked = [line for line in lines if line.status in STATUSES]
    counts = Counter(line.status for line in asked)
    told = [f"{counts[status]:,} {status}" for status in STATUSES if counts[status]]
    if told:
        first = next(status for status in STATUSES if counts[status])
        playlists = plural(len({line.playlist_id for line in asked if line.status == first}), "playlist")
        several = len({line.playlist_id for line in asked}) < len(asked)
        snapshots = f", {plural(counts[first], 'snapshot')}" if several else ""
        told[0] = f"{playlists}{snapshots} {first}"
    gaps = {line.playlist_id for line in lines if line.status == NOT_KEPT}
    return ", ".join([*told, *([f"gaps in {plural(len(gaps), 'playlist')}"] if gaps else [])])


def failures(lines: Sequence[PlaylistLine]) -> str:
    """Why playlists failed: the first reasons, and how many more there are."""
    reasons = [line.reason for line in lines if line.status == "failed" and line.reason]
    shown, more = reasons[:FAILURES_SHOWN], len(reasons) - FAILURES_SHOWN
    return "; ".join([*map(_short, shown), *([f"and {more:,} more"] if more > 0 else [])])


def _short(reason: str) -> str:
    return shortened(reason, FAILURE_CHARACTERS)
