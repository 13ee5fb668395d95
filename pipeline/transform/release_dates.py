"""Release dates as Spotify sends them: a year, a month or a day."""

import re
from datetime import date
from functools import lru_cache

from pipeline.transform.api_types import Album

UNKNOWN_YEAR = "0000"
PARTIAL_DATE = re.compile(r"(\d{4})(?:-(\d\d))?(?:-(\d\d))?", re.ASCII)
PRECISIONS = ("year", "month", "day")


def release_date(album: Album) -> tuple[date | None, str | None]:
    """The release date (first day of a year or month) and its precision; both None if unknown or unusable."""
    text = album.release_date
    first = _first_day(text) if text else None
    if not text or first is None:
        return None, None
    return first, album.release_date_precision or PRECISIONS[text.count("-")]


def is_unusable(text: str | None) -> bool:
    """True if a release date is present but not a date. `0000…` is usable: it means unknown."""
    if not text or text.startswith(UNKNOWN_YEAR):
        return False
    return _first_day(text) is None


@lru_cache(maxsize=10_000)
def _first_day(text: str) -> date | None:
    match = PARTIAL_DATE.fullmatch(text)
    try:
        return date(*map(int, match.groups(default="1"))) if match else None
    except ValueError:
        return None
