"""What others say, made fit for our messages. Pure; for every service.

A proxy or a firewall may answer with the request itself: credentials, headers and line breaks included.
"""

import re
import unicodedata

MAX_MESSAGE_CHARS = 300
"""Snowflake's errors name the file and line of a row within them, for values of up to some 80 characters."""
MAX_SCANNED_CHARS = 100_000
"""Of a text, before it is masked; the rest could only be cut off."""
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
"""Credentials that can be recognised without knowing them."""

_UNPRINTED = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")
"""Unicode's categories of characters that end lines, hide or turn text."""


def printable(text: str, instead: str = "") -> str:
    """The text with something instead of each character that ends a line, hides or turns text."""
    return "".join(instead if unicodedata.category(char) in _UNPRINTED else char for char in text)


def external_message(text: object, keep: re.Pattern[str] | None = None) -> str:
    """What somebody else says, in one line without credentials and without its end, for ours follow.

    At most MAX_MESSAGE_CHARS; what `keep` finds is kept where the text is cut before it.
    """
    line = " ".join(printable(str(text)[:MAX_SCANNED_CHARS], " ").split())
    line = CREDENTIALS.sub(MASK, line).rstrip(". ")
    if len(line) <= MAX_MESSAGE_CHARS:
        return line
    most = MAX_MESSAGE_CHARS - len(CUT)
    found = keep.search(line) if keep else None
    kept = found[0][: MAX_MESSAGE_CHARS // 2] if found and found.end() > most else ""
    return f"{line[: most - len(kept)]}{CUT}{kept}".rstrip()
