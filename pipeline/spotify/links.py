"""Parses playlist parameters: ids, URIs, links, and the word `mine`."""

import re

from pipeline.errors import Code, ConfigurationError

MINE = "mine"
"""Every playlist that the authorised user owns or collaborates on."""
MAX_QUOTED_CHARACTERS = 120
"""Characters of an invalid value that a message quotes; longer than any valid link."""

_LOCALE = r"intl-[a-z]{2,8}(?:[-_][0-9a-z]{1,8})*"
"""A BCP 47 tag: language, then script, region or others."""
_LINK = re.compile(
    r"(?:spotify:(?:user:[^:/\s]+:)?playlist:"
    rf"|(?:https?://)?(?:open|play)\.spotify\.com/(?:{_LOCALE}/)?(?:embed/)?(?:user/[^/\s]+/)?playlist/)?"
    r"(?P<id>[0-9A-Za-z]{22})"
    r"(?:/?(?:\?[^\s#]*)?(?:#\S*)?)?",
    re.IGNORECASE | re.ASCII,  # without ASCII, IGNORECASE lets the Kelvin sign match k
)
_SHORT_LINK = re.compile(
    r"(?:(?:https?:)?//)?(?:www\.)?(?:spotify\.link|spotify\.app\.link|spoti\.fi)(?:[:/?#]|$)",
    re.IGNORECASE,
)
"""Short links, such as those of the app's share button, redirect to the long link."""


def playlist_id(text: str) -> str:
    """The id in an id, URI or open.spotify.com link; raises ConfigurationError for anything else."""
    match = _LINK.fullmatch(text.strip(" "))
    if match is None:
        shown = repr(text[:MAX_QUOTED_CHARACTERS]) + "…" * (len(text) > MAX_QUOTED_CHARACTERS)
        message = f"{shown} is not a playlist: {_advice(text.strip(' '))}. Nothing was requested"
        raise ConfigurationError(message, Code.PLAYLIST_INVALID)
    return match["id"]


def _advice(text: str) -> str:
    if _SHORT_LINK.match(text):
        return (
            "a short link does not contain the playlist's id. Open it in a browser and copy the long "
            "open.spotify.com link from the address bar"
        )
    return "give its 22-character id, its spotify:playlist: URI or its open.spotify.com link"


def playlist_ids(texts: list[str]) -> list[str]:
    """Ids of the playlists, in the given order, without duplicates."""
    return list(dict.fromkeys(playlist_id(text) for text in texts))


def is_mine(text: str) -> bool:
    """True if the parameter is the word `mine`."""
    return text.strip(" ").lower() == MINE


def wanted_playlists(texts: list[str]) -> list[str]:
    """Ids and the word `mine`, in the given order, without duplicates."""
    return list(dict.fromkeys(MINE if is_mine(text) else playlist_id(text) for text in texts))
