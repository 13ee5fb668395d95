"""Detects a change of the Web API: no usable song, and most malformed entries lack the same field."""

import re
from collections import Counter

from pipeline.errors import Code, PlaylistUnavailable
from pipeline.transform.entries import MALFORMED, NO_ITEM

MIN_MALFORMED_SONGS = 2
"""Fewest malformed songs before we call it an API change."""


def refuse_changed_api(playlist_id: str, songs: int, reasons: list[str]) -> None:
    """Raises PlaylistUnavailable if `songs` is 0 and most malformed entries lack the same field.

    `reasons`: the reject reasons of the playlist. A few malformed entries are ordinary rejects.
    """
    malformed = [reason for reason in reasons if reason.startswith((MALFORMED, NO_ITEM))]
    if songs or len(malformed) < MIN_MALFORMED_SONGS:
        return
    (field, count), *_ = Counter(map(_field, malformed)).most_common()
    if count * 2 <= len(malformed):
        return
    reason = next(reason for reason in malformed if _field(reason) == field)
    message = (
        f"playlist {playlist_id}: {'all' if count == len(malformed) else f'{count} of'} {len(malformed)} "
        f"songs are {reason.replace(NO_ITEM, 'without `item` and `track`')}, and no song is usable. "
        "The Web API has changed. The responses are kept in the lake: report it, and backfill the date "
        "with a release that supports the change"
    )
    raise PlaylistUnavailable(message, Code.SPOTIFY_API_CHANGED)


def _field(reason: str) -> str:
    """The reason without the parts that differ between songs: quoted values and list indexes."""
    return re.sub(r"'.*'|\[[^]]*\]", "", reason)
