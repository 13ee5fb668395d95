"""Checks the values that prefect.yaml takes from elsewhere: Prefect would deploy with empty values."""

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
VALUE_FORMS = {
    "PREFECT_WORK_POOL": (r"[\w.-]+( [\w.-]+)*", "the name of a work pool"),
    "PIPELINE_IMAGE": IMAGE,
    "ECS_TASK_ROLE_ARN": ROLE,
    "ECS_EXECUTION_ROLE_ARN": ROLE,
}
"""By variable: the pattern of its value, and the name of that form for messages."""
TYPES = ("ecs", "ecs:push")
MAX_CHARACTERS = 5_000
"""Prefect Cloud's limit for the value of a variable, as JSON."""


def problems(settings: Any, environment: Environment, variable: Callable[[str], Any]) -> list[str]:  # noqa: ANN401 - what YAML holds
    """Problems that prevent deploying, one line each.

    `settings`: prefect.yaml as loaded. `variable`: returns the value of a Prefect variable, or None.
    """
    lines = [line for one in placeholders(settings) if (line := problem(one, environment, variable))]
    wrong_list = _wrong_playlists(variable(VARIABLE))
    return [*lines, wrong_list] if wrong_list else lines


def placeholders(settings: Any) -> list[Placeholder]:  # noqa: ANN401 - what YAML holds
    """The placeholders that Prefect fills in when it deploys prefect.yaml."""
    return sorted(find_placeholders(settings), key=lambda one: one.full_match)


def pool_problem(name: str, pool: WorkPool | None) -> str | None:
    """The reason why the deployments cannot use the work pool, or None."""
    if pool is None:
        return f"there is no work pool {name}: create it with the template of `python -m deploy template`"
    if pool.type not in TYPES:
        return f"work pool {name} has type {pool.type}, not {' or '.join(TYPES)}"
    if pool.type == "ecs:push" and not _accepted_by_cloud(pool.base_job_template):
        return (
            f"Prefect Cloud refuses the template of work pool {name} (a value in `env` is not a string, "
            "or `aws_credentials` has no block): replace it with that of `python -m deploy template ecs:push`"
        )
    return None


def _accepted_by_cloud(template: Mapping[str, Any]) -> bool:
    """Checked here because push pools validate strictly, and only when a run starts."""
    variables = template.get("variables", {}).get("properties", {})
    env, credentials = (variables.get(name, {}).get("default") or {} for name in ("env", "aws_credentials"))
    return all(isinstance(value, str) for value in env.values()) and "$ref" in credentials


def problem(one: Placeholder, environment: Environment, variable: Callable[[str], Any]) -> str | None:
    """The problem with the value of a placeholder (missing, wrong form, not allowed), or None."""
    if one.type is PlaceholderType.ENV_VAR:
        name = one.name.removeprefix("$")
        return _wrong_value(name, environment.get(name, ""))
    if one.type is PlaceholderType.VARIABLE:
        name = one.name.removeprefix("prefect.variables.")
        return None if variable(name) else f"there is no Prefect variable {name}, or it is empty"
    if one.type is PlaceholderType.BLOCK_DOCUMENT:
        return f"{one.full_match}: the deployment would contain the block's secrets in plain text"
    return f"{one.full_match}: Prefect cannot fill in this placeholder"


def _wrong_value(name: str, value: str) -> str | None:
    if not value.strip():
        return f"{name} is not set in the environment or .env"
    pattern, form = VALUE_FORMS.get(name, (".+", "on one line"))
    return None if re.fullmatch(pattern, value, re.ASCII) else f"{name} is {value!r}, which is not {form}"


def _wrong_playlists(value: Any) -> str | None:  # noqa: ANN401 - any JSON value
    """The reason why a daily run, which reads the variable when it starts, would refuse the list, or None."""
    try:
        refuse_long_list(value)
        daily_playlists(value)
    except ConfigurationError as error:
        return error.message
    return None


def refuse_long_list(value: Any) -> None:  # noqa: ANN401 - any JSON value
    """Raises ConfigurationError if the value is too long for a variable of Prefect Cloud."""
    size = len(json.dumps(value, separators=(",", ":"), ensure_ascii=False))
    if size > MAX_CHARACTERS:
        message = (
            f"Prefect variable {VARIABLE} has {size:,} characters of JSON; the most is {MAX_CHARACTERS:,}"
        )
        raise ConfigurationError(message, Code.DAILY_PLAYLISTS_INVALID)
