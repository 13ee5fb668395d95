"""Checks of the environment variables that prefect.yaml uses, and of the daily list of playlists."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from prefect.variables import Variable

from deploy.guard import placeholders, problem, refuse_long_list
from flows.daily_playlists import VARIABLE, daily_playlists
from flows.prefect_errors import prefect_errors
from pipeline.errors import Code, ConfigurationError
from pipeline.preflight.checks import Checklist


def value_check(name: str) -> str:
    """Name of the check of an environment variable."""
    return f"value {name}"


def check_values(checks: Checklist, settings: Any, environment: Mapping[str, str]) -> None:  # noqa: ANN401 - YAML
    """Checks each placeholder of prefect.yaml, and the Prefect variable that daily runs read."""
    for one in placeholders(settings):
        name = one.name.removeprefix("$")

        def check(one: Any = one, name: str = name) -> str:  # noqa: ANN401 - Prefect's type
            if wrong := problem(one, environment, Variable.get):
                missing = not environment.get(name, "").strip()
                code = Code.DEPLOY_VARIABLE_MISSING if missing else Code.DEPLOY_VARIABLE_INVALID
                raise ConfigurationError(wrong, code)
            return environment.get(name, "")

        checks.check(value_check(name), check)
    checks.check(f"Prefect: variable {VARIABLE}", partial(_read_list))


def _read_list() -> str:
    with prefect_errors():
        value = Variable.get(VARIABLE)
    refuse_long_list(value)
    return f"{len(daily_playlists(value))} playlists"
