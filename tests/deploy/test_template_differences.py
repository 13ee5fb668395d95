"""Comparison of a pool's template with that of this release: exactly the compared fields are reported."""

from collections.abc import Iterator
from copy import deepcopy
from typing import Any, get_args

import pytest

from deploy.template import PoolType, template
from deploy.template_differences import additions, template_differences

KINDS = get_args(PoolType)


def paths(value: Any, *path: Any) -> Iterator[tuple[Any, ...]]:
    """Paths of all values, objects and lists included."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, one in pairs:
        yield (*path, name)
        yield from paths(one, *path, name)


def is_compared(path: tuple[Any, ...]) -> bool:
    """Returns True if the field affects how a run is started, or which values the form accepts."""
    if path[0] == "job_configuration":
        return True
    if path[:1] == ("variables",) and path[1:2] == ("required",):
        return True
    in_a_form = path[:2] == ("variables", "properties") and len(path) > 2
    free = ("default", "title", "description")
    return in_a_form and (len(path) == 3 or path[3] not in free or path[2:4] == ("env", "default"))


@pytest.mark.parametrize("kind", KINDS)
def test_each_missing_field_is_reported_if_it_is_compared(kind: PoolType) -> None:
    wanted = template(kind, "id")
    assert template_differences(wanted, wanted) == []
    tried = 0
    for path in paths(wanted):
        stored = deepcopy(wanted)
        inner: Any = stored
        for name in path[:-1]:
            inner = inner[name]
        del inner[path[-1]]
        empty = kind == "ecs:push" and path[2:] == ("env", "default")  # has no null values
        whole = path[:2] == ("variables",) or path == ("variables", "properties")
        found = template_differences(stored, wanted)
        assert bool(found) == ((is_compared(path) or whole) and not empty), (path, found)
        tried += bool(found)
    assert tried > 80


def test_changed_defaults_and_additions_are_not_differences() -> None:
    wanted, stored = template("ecs", "id"), template("ecs", "another")
    own = stored["variables"]["properties"]
    own["memory"]["default"], own["cluster"]["default"] = 4096, "mine"
    own["env"]["default"]["LANG"] = "C.UTF-8"
    own["mine"] = {"type": "string"}
    stored["job_configuration"]["mine"] = "{{ mine }}"
    assert template_differences(stored, wanted) == []
    assert additions(stored, wanted) == ["job_configuration.mine", "variables.mine"]
    assert template_differences({}, wanted)[0] == "job_configuration"
