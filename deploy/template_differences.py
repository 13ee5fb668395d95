"""Differences between a work pool's base job template and that of this release.

Compared is what this release relies on: every setting of the job, every variable and its type, and the null
values in `env` that keep a worker's own settings out of the container. Not compared: titles and descriptions;
defaults of variables, which people change in the pool's form (memory, cluster, VPC …); added variables and
settings.
"""

from collections.abc import Iterator, Mapping
from typing import Any

NOT_COMPARED = ("title", "description", "default")
ABSENT = object()


def template_differences(stored: Mapping[str, Any], wanted: Mapping[str, Any]) -> list[str]:
    """Paths of the fields that differ: `job_configuration.task_definition.cpu`, `variables.memory.type`."""
    stored_variables, wanted_variables = (_variables(template) for template in (stored, wanted))
    found = [*_differing("job_configuration", stored.get("job_configuration"), wanted["job_configuration"])]
    for name, variable in wanted_variables.items():
        found += _differing(f"variables.{name}", _compared(stored_variables.get(name)), _compared(variable))
    required = set(wanted["variables"].get("required", []))
    if not required <= set((stored.get("variables") or {}).get("required", [])):
        found.append("variables.required")
    kept_out, stored_env = _default(wanted_variables, "env"), _default(stored_variables, "env")
    return found + [f"variables.env.default.{name}" for name in kept_out if name not in stored_env]


def additions(stored: Mapping[str, Any], wanted: Mapping[str, Any]) -> list[str]:
    """Paths of settings and variables that this release does not have."""
    pairs = {
        "job_configuration": (stored.get("job_configuration") or {}, wanted["job_configuration"]),
        "variables": (_variables(stored), _variables(wanted)),
    }
    return [f"{part}.{name}" for part, (there, ours) in pairs.items() for name in there if name not in ours]


def default(template: Mapping[str, Any], name: str) -> Any:  # noqa: ANN401 - any JSON value
    """Default of a variable, as set in the pool's form; None if there is none."""
    return (_variables(template).get(name) or {}).get("default")


def _default(variables: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    return (variables.get(name) or {}).get("default") or {}


def _variables(template: Mapping[str, Any]) -> dict[str, Any]:
    return (template.get("variables") or {}).get("properties") or {}


def _compared(variable: Any) -> Any:  # noqa: ANN401 - JSON
    if not isinstance(variable, dict):
        return ABSENT
    return {name: value for name, value in variable.items() if name not in NOT_COMPARED}


def _differing(path: str, stored: Any, wanted: Any) -> Iterator[str]:  # noqa: ANN401 - JSON
    """Paths at and below `path` whose stored value is not the wanted one; additional keys are ignored."""
    if isinstance(wanted, dict) and isinstance(stored, dict):
        for name, value in wanted.items():
            yield from _differing(f"{path}.{name}", stored.get(name, ABSENT), value)
    elif isinstance(wanted, list) and isinstance(stored, list) and len(wanted) == len(stored):
        for place, value in enumerate(wanted):
            yield from _differing(f"{path}.{place}", stored[place], value)
    elif stored != wanted:
        yield path
