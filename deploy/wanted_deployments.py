"""Deployments as prefect.yaml defines them, and how existing deployments differ from that."""

import re
from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from typing import Any, NamedTuple

from prefect.client.schemas.objects import DeploymentSchedule
from prefect.client.schemas.responses import DeploymentResponse
from prefect.utilities.callables import parameter_schema

Settings = Mapping[str, Any]

VARIABLE = re.compile(r"\{\{\s*\$(\w+)\s*\}\}")
SCHEDULE_KINDS = ("cron", "interval", "rrule")
SCHEDULE_KEYS = (*SCHEDULE_KINDS, "timezone", "anchor_date", "day_or")


class WantedDeployment(NamedTuple):
    """A deployment of prefect.yaml.

    `entry`: its part of the file, environment filled in. `form`: JSON schema of the run form.
    """

    name: str
    entry: Settings
    form: dict[str, Any]
    pull: list[Any]


def wanted_deployments(settings: Settings, environment: Mapping[str, str]) -> list[WantedDeployment]:
    """The deployments of prefect.yaml, with their full names `flow/deployment`."""
    filled: Any = _filled_in(settings, environment)
    return [_wanted(entry, entry.get("pull", filled.get("pull")) or []) for entry in filled["deployments"]]


def _wanted(entry: Settings, pull: list[Any]) -> WantedDeployment:
    file, _, function = entry["entrypoint"].partition(":")
    flow = getattr(import_module(file.removesuffix(".py").replace("/", ".")), function)
    return WantedDeployment(
        f"{flow.name}/{entry['name']}", entry, parameter_schema(flow).model_dump_for_openapi(), pull
    )


def deployment_differences(wanted: WantedDeployment, found: DeploymentResponse) -> list[str]:
    """Differences between the existing deployment and the wanted one, a phrase each."""
    compared = (
        f"its {name} is {_short(is_)}, not {_short(should)}"
        for name, (should, is_) in _values(wanted, found).items()
        if is_ != should
    )
    schedules = _schedules(wanted.entry.get("schedules") or [], found.schedules)
    paused = ["it is paused"] if found.paused and not wanted.entry.get("paused") else []
    other_form = found.parameter_openapi_schema != wanted.form
    form = ["its run form is that of another release"] if other_form else []
    return [*compared, *schedules, *paused, *form]


def _values(wanted: WantedDeployment, found: DeploymentResponse) -> dict[str, tuple[Any, Any]]:
    """Wanted and existing value, by the name of the setting."""
    entry = wanted.entry
    pool, own = entry.get("work_pool") or {}, found.job_variables
    job = pool.get("job_variables") or {}
    limit, waits = _limit(entry.get("concurrency_limit"))
    options = found.concurrency_options
    there = found.global_concurrency_limit
    return {
        "entrypoint": (entry["entrypoint"], found.entrypoint),
        "work pool": (pool.get("name"), found.work_pool_name),
        **{f"job variable {name}": (job.get(name), own.get(name)) for name in sorted({*job, *own})},
        "parameters": (entry.get("parameters") or {}, found.parameters),
        "concurrency limit": (limit, there.limit if there else None),
        "collision strategy": (waits, options.collision_strategy.value if options else None),
        "list of tags": (sorted(entry.get("tags") or []), sorted(found.tags)),
        "pull steps": (wanted.pull, found.pull_steps or []),
    }


def _limit(given: Any) -> tuple[int | None, str | None]:  # noqa: ANN401 - YAML
    if isinstance(given, Mapping):
        return given.get("limit"), given.get("collision_strategy")
    return given, None


def _schedules(wanted: list[Settings], found: list[DeploymentSchedule]) -> Iterator[str]:
    there = {one.slug: one for one in found}
    for entry in wanted:
        name = entry.get("slug")
        if (one := there.pop(name, None)) is None:
            yield f"schedule {name} is missing"
            continue
        values = one.schedule.model_dump(mode="json")
        for key in SCHEDULE_KEYS:
            if key in entry and values.get(key) != entry[key]:
                yield f"{key} of schedule {name} is {_short(values.get(key))}, not {_short(entry[key])}"
        if (one.parameters or {}) != (entry.get("parameters") or {}):
            yield f"parameters of schedule {name} are {_short(one.parameters)}"
        if one.active != entry.get("active", True):
            yield f"schedule {name} is {'active' if one.active else 'paused'}"
    yield from (f"schedule {name or 'without a slug'} is not in prefect.yaml" for name in there)


def _short(value: Any) -> str:  # noqa: ANN401 - any JSON value
    text = value if isinstance(value, str) else "unset" if value is None else str(value)
    return text if len(text) <= 120 else f"{text[:120]}…"  # noqa: PLR2004 - characters of a line


def _filled_in(value: Any, environment: Mapping[str, str]) -> Any:  # noqa: ANN401 - YAML
    fill: Callable[[Any], Any] = lambda one: _filled_in(one, environment)  # noqa: E731
    if isinstance(value, str):
        return VARIABLE.sub(lambda match: environment.get(match[1], ""), value)
    if isinstance(value, Mapping):
        return {name: fill(one) for name, one in value.items()}
    return [fill(one) for one in value] if isinstance(value, list) else value
