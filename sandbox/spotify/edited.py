"""A playlist that two people edit every day, so that the report has additions, removals and moves.

Each day both users append a song, the colleague's oldest song is removed, and one song is moved to the top.
On Mondays the user's songs older than four weeks are removed.
"""

from collections.abc import Iterator
from datetime import date
from typing import NamedTuple

from sandbox.spotify.objects import ME, Json, entry, user
from sandbox.spotify.songs import releases, track_on

COLLEAGUE = "colleague"
COLLEAGUE_DAYS = 20
"""Days after which a song of the colleague is removed."""
USER_DAYS = 28
"""Minimum number of days that a song of the user stays."""
MOVED_AFTER_DAYS = 5
"""Days after which a song of the colleague is moved to the top."""
WEEK = 7
CATALOGUE_DAYS = 1500
RELEASE_STEP_DAYS = 37
"""Days between the releases of consecutive songs, so that no song is listed twice."""


class Added(NamedTuple):
    """An added song; `day`: ordinal of the date, `by`: user id."""

    day: int
    by: str


def edited(day: int) -> list[Json]:
    """Returns the entries on the date with this ordinal."""
    return [_entry(one) for one in sorted(_listed(day), key=lambda one: _place(one, day))]


def _listed(day: int) -> Iterator[Added]:
    monday = (day - 1) // WEEK * WEEK + 1
    for added in range(monday - USER_DAYS, day + 1):
        yield Added(added, ME)
        if added > day - COLLEAGUE_DAYS:
            yield Added(added, COLLEAGUE)


def _place(one: Added, day: int) -> tuple[int, int, str]:
    """Sort key: songs moved to the top, newest first, then all other songs in the order of their addition."""
    if one.by == COLLEAGUE and one.day <= day - MOVED_AFTER_DAYS:
        return 0, -one.day, one.by
    return 1, one.day, one.by


def _entry(one: Added) -> Json:
    number = 2 * one.day + (one.by == ME)
    song = releases(one.day - number * RELEASE_STEP_DAYS % CATALOGUE_DAYS)[0]
    hour = 9 if one.by == ME else 20
    return entry(track_on(song, one.day), f"{date.fromordinal(one.day)}T{hour:02}:15:00Z", user(one.by))
