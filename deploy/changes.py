"""A plan: its changes, and their text."""

from collections.abc import Iterable
from itertools import groupby
from typing import Literal, NamedTuple

Side = Literal["AWS", "Snowflake", "Prefect", "here"]
Action = Literal["create", "change", "delete", "keep"]
SIDES: tuple[Side, ...] = ("Snowflake", "AWS", "Prefect", "here")
"""In the order in which `apply` writes to them. `here`: files in the current folder."""
SIGNS: dict[Action, str] = {"create": "+", "change": "~", "delete": "-", "keep": " "}


class ProvisionFailed(Exception):
    """Provisioning stopped; the message states what happened, to what, and what to do."""


class Change(NamedTuple):
    """An object of one side and the action on it; `keep` is only listed, for information."""

    side: Side
    action: Action
    what: str
    detail: str = ""

    def __str__(self) -> str:
        """The change as a line: `+ role SPOTIFY_OWNER`."""
        detail = f" ({self.detail})" if self.detail else ""
        return f"{SIGNS[self.action]} {self.action} {self.what}{detail}"


def writes(changes: Iterable[Change]) -> list[Change]:
    """The changes that write something: all except `keep`."""
    return [change for change in changes if change.action != "keep"]


def plan_text(changes: Iterable[Change]) -> str:
    """The plan as text: the changes of each side under its name, then the number of changes."""
    listed = sorted(changes, key=lambda change: SIDES.index(change.side))
    parts = [
        "\n".join([f"{side}:", *(f"  {change}" for change in of_side)])
        for side, of_side in groupby(listed, key=lambda change: change.side)
    ]
    count = len(writes(listed))
    total = "nothing to change" if not count else f"{count} change{'' if count == 1 else 's'}"
    return "\n".join([*parts, total, ""])
