"""Changes of a plan, and the plan as text."""

from collections.abc import Iterable
from itertools import groupby
from typing import Literal, NamedTuple

Side = Literal["AWS", "Snowflake", "Prefect", "here"]
Action = Literal["create", "change", "delete", "keep"]
SIDES: tuple[Side, ...] = ("Snowflake", "AWS", "Prefect", "here")
"""In the order in which `apply` writes them."""
SIGNS: dict[Action, str] = {"create": "+", "change": "~", "delete": "-", "keep": " "}


class ProvisionFailed(Exception):
    """Provisioning stopped; says what happened, to what, and what to do."""


class Change(NamedTuple):
    """One object of one side and what happens to it; `keep` only tells about it."""

    side: Side
    action: Action
    what: str
    detail: str = ""

    def __str__(self) -> str:
        """The change as a line: `+ role SPOTIFY_OWNER`."""
        detail = f" ({self.detail})" if self.detail else ""
        return f"{SIGNS[self.action]} {self.action} {self.what}{detail}"


def writes(changes: Iterable[Change]) -> list[Change]:
    """Those that change something."""
    return [change for change in changes if change.action != "keep"]


def plan_text(changes: Iterable[Change]) -> str:
    """The plan: the changes of each side under its name, and their number."""
    listed = sorted(changes, key=lambda change: SIDES.index(change.side))
    parts = [
        "\n".join([f"{side}:", *(f"  {change}" for change in of_side)])
        for side, of_side in groupby(listed, key=lambda change: change.side)
    ]
    count = len(writes(listed))
    total = "nothing to change" if not count else f"{count} change{'' if count == 1 else 's'}"
    return "\n".join([*parts, total, ""])
