"""Where SQL statements end: at a `;` that is in no text, name or comment. Pure."""

import re

_PARTS = re.compile(
    r"'(?:[^'\\]|\\.|'')*(?:'|\Z)"  # a text; one that is not closed yet goes to the end
    r'|"(?:[^"]|"")*(?:"|\Z)'
    r"|\$\$.*?(?:\$\$|\Z)"
    r"|(?:--|//)[^\n]*"
    r"|/\*.*?(?:\*/|\Z)"
    r"|.",
    re.DOTALL,
)
_COMMENTS = ("--", "//", "/*")


def split(text: str) -> tuple[list[str], str]:
    """The complete statements of a text, without their `;`, and the rest, which has none yet.

    A statement that consists only of comments is left out.
    """
    statements: list[str] = []
    start, has_code = 0, False
    text = text.removeprefix("\ufeff")
    for part in _PARTS.finditer(text):
        if part[0] == ";":
            if has_code:
                statements.append(text[start : part.start()].strip())
            start, has_code = part.end(), False
        elif not part[0].isspace() and not part[0].startswith(_COMMENTS):
            has_code = True
    return statements, text[start:].strip()


def split_all(text: str) -> list[str]:
    """All statements of a text; the last one needs no `;`."""
    statements, rest = split(text)
    last, not_closed = split(f"{rest}\n;")
    return [*statements, *last, *([rest] if not_closed else [])]  # Snowflake says what is not closed
