"""Names of songs and playlists that nobody could see. Pure."""

import unicodedata

NO_NAME = "(no name)"
BLANKS = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
"""Letters and marks without a form, whose category does not tell."""
SELECTORS = ("VARIATION SELECTOR", "MONGOLIAN FREE VARIATION SELECTOR")
"""How the names of marks begin that only change the character before them."""


def or_no_name(text: str) -> str:
    """The text, or NO_NAME if it has nothing that can be seen."""
    return text if any(map(_is_visible, text)) else NO_NAME


def _is_visible(character: str) -> bool:
    """Not a space, a control, joining or formatting character, nor one of the blank ones."""
    if character in BLANKS or unicodedata.category(character)[0] in "ZC":
        return False
    return not unicodedata.name(character, "").startswith(SELECTORS)
