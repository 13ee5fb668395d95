"""A playlist that two people edit by hand, every day: the changes that the report is about.

Each day both add a song at the end, the colleague's oldest one is removed, and one is dragged to the top. On
Mondays the user also removes the songs that have been there for four weeks.
"""

from collections.abc import Iterator
from datetime import date
from typing import NamedTuple

from sandbox.spotify.objects import ME, Json, entry, user
from sandbox.spotify.songs import releases, track_on

COLLEAGUE = "colleague"
COLLEAGUE_DAYS = 20
"""How long the colleague's songs stay; the user's stay at least USER_DAYS."""
USER_DAYS = 28
DRAGGED_AFTER = 5
"""Days after which the colleague's songs are dragged to the top."""
WEEK = 7
CATALOGUE_DAYS = 1500
APART = 37
"""Days between the releases of two songs: so no song is listed twice."""


class Added(NamedTuple):
    """A song as somebody added it, on the day with this ordinal."""

    day: int
    by: str


def edited(day: int) -> list[Json]:
    """Its entries on the day with this ordinal."""
    return [_entry(one) for one in sorted(_listed(day), key=lambda one: _place(one, day))]


def _listed(day: int) -> Iterator[Added]:
    monday = (day - 1) // WEEK * WEEK + 1
    for added in range(monday - USER_DAYS, day + 1):
        yield Added(added, ME)
        if added > day - COLLEAGUE_DAYS:
            yield Added(added, COLLEAGUE)


def _place(one: Added, day: int) -> tuple[int, int, str]:
    """Sorts what was dragged to the top first, the last one first, and then the others as they were added."""
    if one.by == COLLEAGUE and one.day <= day - DRAGGED_AFTER:
        return 0, -one.day, one.by
    return 1, one.day, one.by


def _entry(one: Added) -> Json:
    number = 2 * one.day + (one.by == ME)
    song = releases(one.day - number * APART % CATALOGUE_DAYS)[0]
    hour = 9 if one.by == ME else 20
    return entry(track_on(song, one.day), f"{date.fromordinal(one.day)}T{hour:02}:15:00Z", user(one.by))
