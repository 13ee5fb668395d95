"""One broken song is a reject; the same fault in most, with no sound one, is a change of the Web API."""

import re
from collections import Counter

from pipeline.errors import Code, PlaylistUnavailable
from pipeline.transform.entries import MALFORMED, NO_ITEM

DRIFT = 2
"""Faulty songs without which nothing is proved."""


def refuse_drift(playlist_id: str, songs: int, reasons: list[str]) -> None:
    """Raises PlaylistUnavailable where no song is sound and most of the rejected lack the same field."""
    faults = [reason for reason in reasons if reason.startswith((MALFORMED, NO_ITEM))]
    if songs or len(faults) < DRIFT:
        return
    (field, count), *_ = Counter(map(_field, faults)).most_common()
    if count * 2 <= len(faults):
        return
    reason = next(fault for fault in faults if _field(fault) == field)
    message = (
        f"playlist {playlist_id}: {'all' if count == len(faults) else f'{count} of'} {len(faults)} songs are "
        f"{reason.replace(NO_ITEM, 'without `item` and `track`')}, and none is sound. "
        "The Web API has changed: the answers are kept in the lake; publish them with a backfill "
        "once the code knows the change"
    )
    raise PlaylistUnavailable(message, Code.SPOTIFY_API_CHANGED)


def _field(reason: str) -> str:
    """A fault without what differs from song to song: values, and places in lists."""
    return re.sub(r"'.*'|\[[^]]*\]", "", reason)
