"""Recognises names without any visible character. Pure."""

import unicodedata

NO_NAME = "(no name)"
BLANKS = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
"""Letters and marks that are invisible although their Unicode category is that of visible characters."""
SELECTORS = ("VARIATION SELECTOR", "MONGOLIAN FREE VARIATION SELECTOR")
"""First words of the Unicode names of marks that only modify the character before them."""


def or_no_name(text: str) -> str:
    """The text, or NO_NAME if it has no visible character."""
    return text if any(map(_is_visible, text)) else NO_NAME


def _is_visible(character: str) -> bool:
    """False for spaces, for control, joining and formatting characters, and for BLANKS."""
    if character in BLANKS or unicodedata.category(character)[0] in "ZC":
        return False
    return not unicodedata.name(character, "").startswith(SELECTORS)
