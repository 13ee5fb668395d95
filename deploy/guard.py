"""What prefect.yaml takes from elsewhere, and whether it is there: Prefect would deploy with empty values."""

from collections.abc import Callable, Mapping
from typing import Any

from prefect.utilities.templating import Placeholder, PlaceholderType, find_placeholders

Environment = Mapping[str, str]


def problems(settings: Any, environment: Environment, variable: Callable[[str], Any]) -> list[str]:  # noqa: ANN401
    """What keeps the deployments from being deployed, a line each; empty where nothing does.

    `settings` is prefect.yaml as loaded; `variable` gives the value of a Prefect variable, None without one.
    """
    found = sorted(find_placeholders(settings), key=lambda one: one.full_match)
    return [line for one in found if (line := _problem(one, environment, variable))]


def _problem(one: Placeholder, environment: Environment, variable: Callable[[str], Any]) -> str | None:
    if one.type is PlaceholderType.BLOCK_DOCUMENT:
        return f"{one.full_match}: the deployment would hold the block's secrets, in clear"
    if one.type is PlaceholderType.ENV_VAR:
        name = one.name.removeprefix("$")
        return None if environment.get(name, "").strip() else f"{name} is not set in the environment or .env"
    if one.type is PlaceholderType.VARIABLE:
        name = one.name.removeprefix("prefect.variables.")
        return None if variable(name) else f"there is no Prefect variable {name}, or it is empty"
    return f"{one.full_match}: nothing fills this in"
