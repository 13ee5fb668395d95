"""Parts of messages: lists, differing counts, and Snowflake's error texts."""

import re
from collections import Counter
from collections.abc import Iterable
from typing import TypeVar

from pipeline import masking

K = TypeVar("K")

MAX_LISTED = 10
"""Maximum number of items that a message lists."""
ESSENTIAL_PART = re.compile(r"File '[^']*', line \d+|role \S+ must have [\w ]+ granted on \w.*")
"""End of Snowflake's errors, after long names and values: the row that cannot be loaded, the privilege."""


def listed(names: Iterable[str]) -> str:
    """The first names, with `…` if there are more."""
    found = list(names)
    return ", ".join(found[:MAX_LISTED]) + (" …" if found[MAX_LISTED:] else "")


def differing(counted: Counter[K], wanted: Counter[K]) -> list[K]:
    """Keys whose counts differ; a missing key counts as 0."""
    return [key for key in {**wanted, **counted} if counted[key] != wanted[key]]


def snowflake_text(text: object) -> str:
    """An error text of Snowflake, or of a proxy: one line, short, without credentials."""
    return masking.external_message(text, keep=ESSENTIAL_PART)
