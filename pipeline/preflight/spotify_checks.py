"""Checks of Spotify: token, the user's consent, and read access to each playlist."""

from collections.abc import Sequence
from functools import partial

from pipeline.errors import Code, ConfigurationError
from pipeline.preflight.checks import CHECK_S, Checklist, Line
from pipeline.records import Run
from pipeline.spotify.client import SpotifyClient
from pipeline.spotify.credentials import SCOPE
from pipeline.spotify.my_playlists import find_wanted
from pipeline.spotify.playlists import read_first_page
from pipeline.threads import threads

LOGIN = "Spotify: token"
PLAYLISTS = "Spotify: playlists to read"
REFRESH_TOKEN_DAYS = 180
"""Spotify says six months, without an exact day."""
BUDGET_S = CHECK_S / 2
"""Wait budget of all requests in total; that of a run is longer."""


def check_spotify(
    checks: Checklist, client: SpotifyClient, run: Run, names: Sequence[str], days: int | None
) -> None:
    """Checks the credentials, and each playlist of `names` with one request.

    `days`: whole days since the user authorised the app, if known.
    """
    checks.check(LOGIN, partial(_authorise, client))
    checks.check("Spotify: consent of a user", partial(_check_consent, client, days), [LOGIN])
    checks.check("Spotify: clock", partial(_compare_clocks, client), [LOGIN])
    wanted: list[str] = []
    if not names:
        return checks.skip(PLAYLISTS, "Prefect: playlists")
    checks.check(PLAYLISTS, partial(_find_playlists, client, run, names, wanted), [LOGIN])
    shapes: list[str] = []

    def check_one(playlist_id: str) -> list[Line]:
        own = Checklist()
        own.check(f"Spotify: playlist {playlist_id}", partial(_read, client, playlist_id, shapes))
        return own.lines

    with threads() as pool:
        for lines in pool.map(check_one, wanted):
            checks.lines += lines
    if wanted:
        checks.check("Spotify: class of app", partial(_class_of, shapes))
    return None


def _authorise(client: SpotifyClient) -> str:
    client.authorise()
    return "as the user who authorised the app" if client.for_user else "as the app, without a user"


def _check_consent(client: SpotifyClient, days: int | None) -> str:
    if not client.for_user:
        return "none: the app reads only playlists that need no user"
    missing = [scope for scope in SCOPE.split() if scope not in (client.scope or SCOPE).split()]
    if missing:
        message = (
            f"the user's consent lacks {' and '.join(missing)}. Authorise again: python -m blocks authorize"
        )
        raise ConfigurationError(message, Code.SPOTIFY_SCOPE)
    if days is None:
        return "the block has no authorized_at; consent ends about six months after it was given"
    left = REFRESH_TOKEN_DAYS - days
    if left <= 0:
        message = (
            f"the user authorised the app {days} days ago, and Spotify ends refresh tokens after six months. "
            "Authorise again: python -m blocks authorize"
        )
        raise ConfigurationError(message, Code.SPOTIFY_REFRESH_TOKEN)
    return f"given {days} days ago, ends in about {left} days"


def _compare_clocks(client: SpotifyClient) -> str:
    return f"{abs(client.clock_ahead_s or 0):.0f} s from Spotify's"


def _find_playlists(client: SpotifyClient, run: Run, names: Sequence[str], wanted: list[str]) -> str:
    found = find_wanted(client, run, list(names))
    for line in found.failed:
        raise ConfigurationError(str(line.reason), Code.SPOTIFY_SCOPE)
    wanted += found.ids
    return f"{len(wanted)}, of {', '.join(names[:3])}{' …' if len(names) > 3 else ''}"  # noqa: PLR2004 - the first


def _read(client: SpotifyClient, playlist_id: str, shapes: list[str]) -> str:
    page = read_first_page(client, playlist_id)
    shapes.append(page.shape)
    return f"{page.total} entries"


def _class_of(shapes: Sequence[str]) -> str:
    if not shapes:
        return "not known: no playlist could be read"
    if set(shapes) == {"items"}:
        return "development mode: reads playlists that its user owns or collaborates on"
    return "not restricted to the user's playlists"
