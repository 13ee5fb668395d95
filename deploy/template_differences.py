"""What a work pool's base job template has otherwise than that of this release.

Not a difference: titles and descriptions; defaults of variables, which people fill in in the pool's form
(memory, cluster, VPC …); variables and settings that somebody added. What counts is what this release relies
on: every setting of the job, every variable and its type, and what keeps a worker's own settings out.
"""

from collections.abc import Iterator, Mapping
from typing import Any

WORDS = ("title", "description")
OF_A_FORM = (*WORDS, "default")
ABSENT = object()


def template_differences(stored: Mapping[str, Any], wanted: Mapping[str, Any]) -> list[str]:
    """Paths of the fields that differ: `job_configuration.task_definition.cpu`, `variables.memory.type`."""
    mine, own = (_variables(template) for template in (stored, wanted))
    found = [*_differing("job_configuration", stored.get("job_configuration"), wanted["job_configuration"])]
    for name, variable in own.items():
        found += _differing(f"variables.{name}", _rules(mine.get(name)), _rules(variable))
    required = set(wanted["variables"].get("required", []))
    if not required <= set((stored.get("variables") or {}).get("required", [])):
        found.append("variables.required")
    kept_out = _default(own, "env")
    found += [f"variables.env.default.{name}" for name in kept_out if name not in _default(mine, "env")]
    return found


def additions(stored: Mapping[str, Any], wanted: Mapping[str, Any]) -> list[str]:
    """Settings and variables that somebody added."""
    pairs = {
        "job_configuration": (stored.get("job_configuration") or {}, wanted["job_configuration"]),
        "variables": (_variables(stored), _variables(wanted)),
    }
    return [f"{where}.{name}" for where, (mine, own) in pairs.items() for name in mine if name not in own]


def default(template: Mapping[str, Any], name: str) -> Any:  # noqa: ANN401 - any JSON value
    """What is filled in for a variable in the pool's form; None if nothing is."""
    return (_variables(template).get(name) or {}).get("default")


def _default(variables: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    return (variables.get(name) or {}).get("default") or {}


def _variables(template: Mapping[str, Any]) -> dict[str, Any]:
    return (template.get("variables") or {}).get("properties") or {}


def _rules(variable: Any) -> Any:  # noqa: ANN401 - JSON
    if not isinstance(variable, dict):
        return ABSENT
    return {name: value for name, value in variable.items() if name not in OF_A_FORM}


def _differing(path: str, stored: Any, wanted: Any) -> Iterator[str]:  # noqa: ANN401 - JSON
    """Paths below `path` at which the stored value is not the wanted one; additional keys are left out."""
    if isinstance(wanted, dict) and isinstance(stored, dict):
        for name, value in wanted.items():
            yield from _differing(f"{path}.{name}", stored.get(name, ABSENT), value)
    elif isinstance(wanted, list) and isinstance(stored, list) and len(wanted) == len(stored):
        for place, value in enumerate(wanted):
            yield from _differing(f"{path}.{place}", stored[place], value)
    elif stored != wanted:
        yield path
