"""Numbers, dates and names as the page writes them. Pure."""

import unicodedata
from datetime import date

from pipeline.insights.names import NO_NAME, or_no_name

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
NAME_CHARACTERS = 100
SCANNED_CHARACTERS = 1_000
"""Of a name, before characters are removed from it; Spotify's names are far shorter."""
DROPPED = ("Cc", "Cs", "Co", "Cn", "Zl", "Zp")
"""Unicode's categories of characters that end lines or have no form. Joiners stay: emoji consist of them."""
TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Characters that would turn the direction of the text around them."""
NOTHING = "\u2013"
REASONS = {
    "null_item": "no longer available",
    "no_item": "no longer available",
    "unavailable": "no longer available",
    "tombstone": "removed from Spotify",
    "local_file": "local file",
    "episode": "podcast episode",
    "chapter": "audiobook chapter",
}
"""Reject reasons for people who do not know them; others are shown as they are."""


def shown_text(text: str | None) -> str:
    """A name on one line, shortened, without characters that would change what stands around it."""
    words = " ".join((text or "")[:SCANNED_CHARACTERS].split())
    kept = "".join(one for one in words if one not in TURNING and unicodedata.category(one) not in DROPPED)
    if or_no_name(kept) == NO_NAME:
        return ""
    return kept.strip() if len(kept) <= NAME_CHARACTERS else f"{kept[: NAME_CHARACTERS - 1].strip()}…"


def shown_title(text: str | None) -> str:
    """The same for a name that a line cannot do without."""
    return shown_text(text) or NO_NAME


def shown_date(day: date) -> str:
    """`27 Nov 2026`, in any locale."""
    return f"{day.day} {MONTHS[day.month - 1]} {day.year}"


def shown_day(day: date, beside: date) -> str:
    """`27 Nov`, with the year where it is not that of another date that stands beside it."""
    return shown_date(day) if day.year != beside.year else f"{day.day} {MONTHS[day.month - 1]}"


def shown_length(milliseconds: int | None) -> str:
    """`3 h 12 min`, `41 min`, `29 s`."""
    if milliseconds is None:
        return NOTHING
    if (seconds := round(milliseconds / 1_000)) < 60:  # noqa: PLR2004 - a minute
        return f"{seconds} s"
    hours, minutes = divmod(round(milliseconds / 60_000), 60)
    return f"{hours:,} h {minutes} min" if hours else f"{minutes} min"


def percent(value: float | None) -> str:
    """`12 %`; only nothing is shown as zero, and only all as 100."""
    if value is None:
        return NOTHING
    if 0 < value < 1:
        return "< 1 %"
    return "> 99 %" if 99 < value < 100 else f"{value:.0f} %"  # noqa: PLR2004


def shown_reason(text: str) -> str:
    """A reject reason in words."""
    return REASONS.get(text) or shown_title(text)
