"""What prefect.yaml takes from elsewhere, and whether it will do: Prefect would deploy with empty values."""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from prefect.client.schemas.objects import WorkPool
from prefect.utilities.templating import Placeholder, PlaceholderType, find_placeholders

from flows.daily_playlists import VARIABLE, daily_playlists
from pipeline.errors import Code, ConfigurationError

Environment = Mapping[str, str]

ROLE = (r"arn:aws[a-z-]*:iam::[0-9]{12}:role/[\w+=,.@/-]+", "the ARN of a role")
IMAGE = (r"[\w.-]+(:[0-9]+)?(/[\w.-]+)*(:[\w.-]+|@sha256:[0-9a-f]{64})", "an image with its tag")
SHAPES = {
    "PREFECT_WORK_POOL": (r"[\w.-]+( [\w.-]+)*", "the name of a work pool"),
    "PIPELINE_IMAGE": IMAGE,
    "ECS_TASK_ROLE_ARN": ROLE,
    "ECS_EXECUTION_ROLE_ARN": ROLE,
}
"""What values look like, as far as that can be told."""
TYPES = ("ecs", "ecs:push")
MAX_CHARACTERS = 5_000
"""Of a Prefect variable's value as JSON."""


def problems(settings: Any, environment: Environment, variable: Callable[[str], Any]) -> list[str]:  # noqa: ANN401 - what YAML holds
    """What keeps the deployments from being deployed, a line each; empty where nothing does.

    `settings` is prefect.yaml as loaded; `variable` gives the value of a Prefect variable, None without one.
    """
    lines = [line for one in placeholders(settings) if (line := problem(one, environment, variable))]
    wrong_list = _wrong_playlists(variable(VARIABLE))
    return [*lines, wrong_list] if wrong_list else lines


def placeholders(settings: Any) -> list[Placeholder]:  # noqa: ANN401 - what YAML holds
    """What is filled in when prefect.yaml is deployed."""
    return sorted(find_placeholders(settings), key=lambda one: one.full_match)


def pool_problem(name: str, pool: WorkPool | None) -> str | None:
    """Why the work pool will not do; None where it will."""
    if pool is None:
        return f"there is no work pool {name}: create it with the template of `python -m deploy template`"
    if pool.type not in TYPES:
        return f"work pool {name} has type {pool.type}, not {' or '.join(TYPES)}"
    if pool.type == "ecs:push" and not _accepted_by_cloud(pool.base_job_template):
        return (
            f"Prefect Cloud refuses the template of work pool {name} (a value in env that is no text, or no "
            "block that starts tasks): replace it with that of `python -m deploy template ecs:push`"
        )
    return None


def _accepted_by_cloud(template: Mapping[str, Any]) -> bool:
    """Push pools validate strictly, and only when a run starts."""
    variables = template.get("variables", {}).get("properties", {})
    env, credentials = (variables.get(name, {}).get("default") or {} for name in ("env", "aws_credentials"))
    return all(isinstance(value, str) for value in env.values()) and "$ref" in credentials


def problem(one: Placeholder, environment: Environment, variable: Callable[[str], Any]) -> str | None:
    """Why a placeholder would be filled in with nothing, or with something wrong; None if it would not."""
    if one.type is PlaceholderType.ENV_VAR:
        name = one.name.removeprefix("$")
        return _wrong_value(name, environment.get(name, ""))
    if one.type is PlaceholderType.VARIABLE:
        name = one.name.removeprefix("prefect.variables.")
        return None if variable(name) else f"there is no Prefect variable {name}, or it is empty"
    if one.type is PlaceholderType.BLOCK_DOCUMENT:
        return f"{one.full_match}: the deployment would hold the block's secrets, in clear"
    return f"{one.full_match}: nothing fills this in"


def _wrong_value(name: str, value: str) -> str | None:
    if not value.strip():
        return f"{name} is not set in the environment or .env"
    shape, meaning = SHAPES.get(name, (".+", "on one line"))
    return None if re.fullmatch(shape, value, re.ASCII) else f"{name} is {value!r}, which is not {meaning}"


def _wrong_playlists(value: Any) -> str | None:  # noqa: ANN401 - any JSON value
    """What keeps the daily run, which reads the variable when it starts, from reading its playlists."""
    try:
        refuse_long_list(value)
        daily_playlists(value)
    except ConfigurationError as error:
        return error.message
    return None


def refuse_long_list(value: Any) -> None:  # noqa: ANN401 - any JSON value
    """Raises ConfigurationError if Prefect Cloud would not take the value of the variable."""
    size = len(json.dumps(value, separators=(",", ":"), ensure_ascii=False))
    if size > MAX_CHARACTERS:
        message = (
            f"Prefect variable {VARIABLE} has {size:,} characters of JSON; the most is {MAX_CHARACTERS:,}"
        )
        raise ConfigurationError(message, Code.DAILY_PLAYLISTS_INVALID)
