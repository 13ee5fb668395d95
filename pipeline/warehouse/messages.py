"""Words of messages: what is listed, what differs, what Snowflake says."""

import re
from collections import Counter
from collections.abc import Iterable
from typing import TypeVar

from pipeline import masking

K = TypeVar("K")

MOST = 10
"""How much of a kind a message names."""
LAST_WORDS = re.compile(r"File '[^']*', line \d+|role \S+ must have [\w ]+ granted on \w.*")
"""What Snowflake says after names and values that may be long: the row that it cannot load, the privilege."""


def listed(names: Iterable[str]) -> str:
    """The first names, and a sign where there are more."""
    found = list(names)
    return ", ".join(found[:MOST]) + (" …" if found[MOST:] else "")


def differing(counted: Counter[K], wanted: Counter[K]) -> list[K]:
    """What was counted otherwise than wanted; what is missing on one side counts as 0 there."""
    return [key for key in {**wanted, **counted} if counted[key] != wanted[key]]


def snowflake_text(text: object) -> str:
    """What Snowflake says, or a proxy in its place: short, in one line and without credentials."""
    return masking.external_message(text, keep=LAST_WORDS)
