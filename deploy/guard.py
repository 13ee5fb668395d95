"""What prefect.yaml takes from elsewhere, and whether it is there: Prefect would deploy with empty values."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from prefect.utilities.templating import Placeholder, PlaceholderType, find_placeholders

Environment = Mapping[str, str]

ROLE = (r"arn:aws[a-z-]*:iam::[0-9]{12}:role/\S+", "the ARN of a role")
SHAPES = {
    "PIPELINE_IMAGE": (
        r"[\w.-]+(:[0-9]+)?(/[\w.-]+)*(:[\w.-]+|@sha256:[0-9a-f]{64})",
        "an image with its tag",
    ),
    "ECS_TASK_ROLE_ARN": ROLE,
    "ECS_EXECUTION_ROLE_ARN": ROLE,
}
"""What values look like, as far as that can be told."""


def problems(settings: Any, environment: Environment, variable: Callable[[str], Any]) -> list[str]:  # noqa: ANN401
    """What keeps the deployments from being deployed, a line each; empty where nothing does.

    `settings` is prefect.yaml as loaded; `variable` gives the value of a Prefect variable, None without one.
    """
    found = sorted(find_placeholders(settings), key=lambda one: one.full_match)
    return [line for one in found if (line := _problem(one, environment, variable))]


def _problem(one: Placeholder, environment: Environment, variable: Callable[[str], Any]) -> str | None:
    if one.type is PlaceholderType.ENV_VAR:
        name = one.name.removeprefix("$")
        return _wrong(name, environment.get(name, "").strip())
    if one.type is PlaceholderType.VARIABLE:
        name = one.name.removeprefix("prefect.variables.")
        return None if variable(name) else f"there is no Prefect variable {name}, or it is empty"
    if one.type is PlaceholderType.BLOCK_DOCUMENT:
        return f"{one.full_match}: the deployment would hold the block's secrets, in clear"
    return f"{one.full_match}: nothing fills this in"


def _wrong(name: str, value: str) -> str | None:
    if not value:
        return f"{name} is not set in the environment or .env"
    shape, meaning = SHAPES.get(name, (".+", "anything"))
    return None if re.fullmatch(shape, value, re.ASCII) else f"{name} is {value!r}, which is not {meaning}"
