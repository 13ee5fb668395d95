"""Formats numbers, dates and names for the report. Pure."""

import unicodedata
from datetime import date

from pipeline.insights.names import NO_NAME, or_no_name

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
NAME_CHARACTERS = 100
SCANNED_CHARACTERS = 1_000
"""Limit of a name before characters are removed from it; Spotify's names are far shorter."""
DROPPED = ("Cc", "Cs", "Co", "Cn", "Zl", "Zp")
"""Unicode categories of characters that end lines or are invisible. Joiners stay, because emoji need them."""
BIDI_CONTROLS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Characters that would change the direction of the surrounding text."""
NO_VALUE = "\u2013"
REASONS = {
    "null_item": "no longer available",
    "no_item": "no longer available",
    "unavailable": "no longer available",
    "tombstone": "removed from Spotify",
    "local_file": "local file",
    "episode": "podcast episode",
    "chapter": "audiobook chapter",
}
"""Reject reasons in plain words; any other reason is shown unchanged."""


def shown_text(text: str | None) -> str:
    """A name on one line, shortened, without characters that affect the surrounding text."""
    words = " ".join((text or "")[:SCANNED_CHARACTERS].split())
    kept = "".join(
        one for one in words if one not in BIDI_CONTROLS and unicodedata.category(one) not in DROPPED
    )
    if or_no_name(kept) == NO_NAME:
        return ""
    return kept.strip() if len(kept) <= NAME_CHARACTERS else f"{kept[: NAME_CHARACTERS - 1].strip()}…"


def shown_title(text: str | None) -> str:
    """Like `shown_text`, with NO_NAME instead of an empty text."""
    return shown_text(text) or NO_NAME


def shown_date(day: date) -> str:
    """`27 Nov 2026`, in any locale."""
    return f"{day.day} {MONTHS[day.month - 1]} {day.year}"


def shown_day(day: date, beside: date) -> str:
    """`27 Nov`, with the year if it differs from the year of the date next to it."""
    return shown_date(day) if day.year != beside.year else f"{day.day} {MONTHS[day.month - 1]}"


def shown_length(milliseconds: int | None) -> str:
    """`3 h 12 min`, `41 min`, `29 s`."""
    if milliseconds is None:
        return NO_VALUE
    if (seconds := round(milliseconds / 1_000)) < 60:  # noqa: PLR2004 - a minute
        return f"{seconds} s"
    hours, minutes = divmod(round(milliseconds / 60_000), 60)
    return f"{hours:,} h {minutes} min" if hours else f"{minutes} min"


def percent(value: float | None) -> str:
    """`12 %`; 0 and 100 are shown only for exactly 0 and 100."""
    if value is None:
        return NO_VALUE
    if 0 < value < 1:
        return "< 1 %"
    return "> 99 %" if 99 < value < 100 else f"{value:.0f} %"  # noqa: PLR2004


def shown_reason(text: str) -> str:
    """A reject reason in plain words."""
    return REASONS.get(text) or shown_title(text)
