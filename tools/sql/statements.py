"""Splits SQL text into statements, at each `;` outside of literals, quoted names and comments. Pure."""

import re

_PARTS = re.compile(
    r"'(?:[^'\\]|\\.|'')*(?:'|\Z)"  # a string literal; an unclosed one extends to the end
    r'|"(?:[^"]|"")*(?:"|\Z)'
    r"|\$\$.*?(?:\$\$|\Z)"
    r"|(?:--|//)[^\n]*"
    r"|/\*.*?(?:\*/|\Z)"
    r"|.",
    re.DOTALL,
)
_COMMENTS = ("--", "//", "/*")


def split(text: str) -> tuple[list[str], str]:
    """The complete statements of a text, without their `;`, and the incomplete rest.

    Statements that consist only of comments are omitted.
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
    """All statements of a text. The last one needs no `;`."""
    statements, rest = split(text)
    last, not_closed = split(f"{rest}\n;")
    # If a literal or comment of the last statement is not closed, Snowflake reports the error.
    return [*statements, *last, *([rest] if not_closed else [])]
