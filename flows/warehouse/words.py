"""Words of messages: what is listed, what differs, what others say."""

from collections import Counter
from collections.abc import Iterable
from typing import TypeVar

K = TypeVar("K")

MOST = 10
"""How much of a kind a message names."""


def listed(names: Iterable[str]) -> str:
    """The first names, and a sign where there are more."""
    found = list(names)
    return ", ".join(found[:MOST]) + (" …" if found[MOST:] else "")


def differing(counted: Counter[K], wanted: Counter[K]) -> list[K]:
    """What was counted otherwise than wanted; what is missing on one side counts as 0 there."""
    return [key for key in {**wanted, **counted} if counted[key] != wanted[key]]


def phrase(text: object) -> str:
    """What somebody else says, without its end, for ours follow."""
    return str(text).rstrip(". \n")
