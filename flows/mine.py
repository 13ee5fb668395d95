"""The word `mine` in commands that never ask Spotify."""

from collections.abc import Iterable

from pipeline.errors import Code, ConfigurationError
from pipeline.spotify.links import is_mine


def refuse_mine(playlists: Iterable[str], what: str, all_of: str) -> None:
    """Raises ConfigurationError if the word is among the playlists; `all_of`: what no playlist means."""
    if any(map(is_mine, playlists)):
        message = (
            f"`mine` is a list that only Spotify knows, and {what} never asks Spotify. Nothing was read. "
            f"Leave playlists empty for {all_of}, or name them"
        )
        raise ConfigurationError(message, Code.PLAYLIST_INVALID)
