"""Makes text from outside safe to quote in our messages: one line, short, without credentials. Pure.

A proxy or a firewall may send back the request itself, including credentials, headers and line breaks.
"""

import re
import unicodedata

MAX_MESSAGE_CHARS = 300
"""Long enough for Snowflake's errors about a value of up to about 80 characters, with its file and line."""
MAX_SCANNED_CHARS = 100_000
"""Characters of a text that are searched for credentials; the rest would be cut off anyway."""
MASK = "***"
CUT = " […] "

CREDENTIALS = re.compile(
    r"\b(?:Basic|Bearer)(?:\s|%20|\+)+\S+"
    r"|\bSnowflake(?:\s|%20|\+)+Token(?:\s*=\s*|%3D)\S+"
    r"|\b(?-i:eyJ)[\w-]{8,}(?:\.[\w-]*)*"  # a JWT, whole or cut
    r'|(?<=["_])(?:password|passcode|token)\\*"\s*:\s*\\*"[^"\\]*'
    r"|-----BEGIN [A-Z ]+-----[^-]*(?:-----END [A-Z ]+-----)?"
    r"|[\w+/=]{0,64}\s?-----END [A-Z ]+-----"
    r"|\b(?-i:(?=\S{0,59}[0-9])(?=\S{0,59}[a-z])(?=\S{0,59}[A-Z])[A-Za-z0-9+/]{60,}={0,2})",  # lines of a PEM
    re.IGNORECASE,
)
"""Credentials that are recognised by their form."""

_UNPRINTED = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")
"""Unicode categories of characters that end lines, are invisible or change the direction of text."""


def printable(text: str, replacement: str = "") -> str:
    """The text, with each character that ends lines, is invisible or changes the direction replaced."""
    return "".join(replacement if unicodedata.category(char) in _UNPRINTED else char for char in text)


def external_message(text: object, keep: re.Pattern[str] | None = None) -> str:
    """An external message to embed in ours: one line, without credentials and trailing punctuation.

    At most MAX_MESSAGE_CHARS. If the text is cut, the part that matches `keep` is kept.
    """
    line = " ".join(printable(str(text)[:MAX_SCANNED_CHARS], " ").split())
    line = CREDENTIALS.sub(MASK, line).rstrip(". ")
    if len(line) <= MAX_MESSAGE_CHARS:
        return line
    most = MAX_MESSAGE_CHARS - len(CUT)
    found = keep.search(line) if keep else None
    kept = found[0][: MAX_MESSAGE_CHARS // 2] if found and found.end() > most else ""
    return f"{line[: most - len(kept)]}{CUT}{kept}".rstrip()
