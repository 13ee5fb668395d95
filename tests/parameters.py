"""Conversion of flow parameters: tests and shell options are flat, the flows have groups."""

from typing import Any

LIMITS = ("pipe_minutes", "max_hours")
BLOCKS = ("spotify", "lake", "warehouse", "warehouse_admin")


def grouped(parameters: dict[str, Any]) -> dict[str, Any]:
    """The parameters of a flow, with limits and block names in their groups."""
    rest = {name: value for name, value in parameters.items() if name not in LIMITS + BLOCKS}
    groups = {"limits": LIMITS, "blocks": BLOCKS}
    return rest | {
        group: {name: parameters[name] for name in names if name in parameters}
        for group, names in groups.items()
    }
