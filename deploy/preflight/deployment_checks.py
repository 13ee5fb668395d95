"""Checks of the deployments against prefect.yaml."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from prefect.client.schemas.filters import DeploymentFilter, DeploymentFilterTags
from prefect.exceptions import ObjectNotFound

from deploy.automations import TAG
from deploy.guard import placeholders
from deploy.preflight.pool_checks import POOL
from deploy.preflight.prefect_api import api
from deploy.preflight.value_checks import value_check
from deploy.wanted_deployments import WantedDeployment, deployment_differences, wanted_deployments
from pipeline.errors import Code, ConfigurationError
from pipeline.preflight.checks import Checklist
from pipeline.warehouse.messages import listed

FIX = "Run make deploy"


def check_deployments(
    checks: Checklist,
    settings: Any,  # noqa: ANN401 - YAML
    environment: Mapping[str, str],
) -> None:
    """Checks that each deployment equals prefect.yaml, and that no other deployment has our tag."""
    wanted = wanted_deployments(settings, environment)
    needs = [POOL, *(value_check(one.name.removeprefix("$")) for one in placeholders(settings))]
    for one in wanted:
        checks.check(f"deployment {one.name}", partial(_compare, one), needs)
    checks.check("deployments: no others", partial(_refuse_others, [one.name for one in wanted]))


def _compare(wanted: WantedDeployment) -> str:
    with api() as client:
        try:
            found = client.read_deployment_by_name(wanted.name)
        except ObjectNotFound:
            message = f"deployment {wanted.name} does not exist. {FIX}"
            raise ConfigurationError(message, Code.DEPLOYMENT_MISSING) from None
    if different := deployment_differences(wanted, found):
        message = f"deployment {wanted.name} differs from prefect.yaml: {'; '.join(different)}. {FIX}"
        raise ConfigurationError(message, Code.DEPLOYMENT_DIFFERS)
    return str(found.job_variables.get("image"))


def _refuse_others(wanted: list[str]) -> str:
    ours = DeploymentFilter(tags=DeploymentFilterTags(all_=[TAG]))
    with api() as client:
        found = client.read_deployments(deployment_filter=ours)
        flows = {one.flow_id: client.read_flow(one.flow_id).name for one in found}
    names = [f"{flows[one.flow_id]}/{one.name}" for one in found]
    if others := sorted(set(names) - set(wanted)):
        message = (
            f"deployment {listed(others)} has the tag {TAG}, but is not in prefect.yaml. Its schedule "
            f"may start runs of an old release. Run prefect deployment delete {others[0]}"
        )
        raise ConfigurationError(message, Code.DEPLOYMENT_DIFFERS)
    return f"{len(names)} with the tag {TAG}"
