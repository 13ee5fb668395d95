"""Parameters of the flows: tests write them flat, as a shell does; the run form has groups."""

from typing import Any

LIMITS = ("pipe_minutes", "max_hours")
BLOCKS = ("spotify", "lake", "warehouse", "warehouse_admin")


def grouped(parameters: dict[str, Any]) -> dict[str, Any]:
    """The parameters of a flow, with limits and names of blocks in their groups."""
    rest = {name: value for name, value in parameters.items() if name not in LIMITS + BLOCKS}
    groups = {"limits": LIMITS, "blocks": BLOCKS}
    return rest | {
        group: {name: parameters[name] for name in names if name in parameters}
        for group, names in groups.items()
    }
