"""Refusal of the word `mine` in flows that do not call the Spotify API."""

from collections.abc import Iterable

from pipeline.errors import Code, ConfigurationError
from pipeline.spotify.links import is_mine


def refuse_mine(playlists: Iterable[str], what: str, all_of: str) -> None:
    """Raises ConfigurationError if `mine` is among the playlists.

    `what`: the kind of run. `all_of`: the playlists that an empty list selects.
    """
    if any(map(is_mine, playlists)):
        message = (
            f"`mine` can only be resolved by the Spotify API, which {what} does not call. Nothing was read. "
            f"Leave playlists empty for {all_of}, or list ids"
        )
        raise ConfigurationError(message, Code.PLAYLIST_INVALID)
