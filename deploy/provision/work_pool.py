"""The work pool with its template, as part of `apply`."""

from collections.abc import Mapping
from typing import Any

from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import WorkPoolCreate, WorkPoolUpdate
from prefect.client.schemas.objects import WorkPool

from blocks.validation import NotRegistered
from deploy.changes import Change, ProvisionFailed
from deploy.deployments import find_pool
from deploy.provision.prefect_objects import SIDE, pool_type
from deploy.template import template, usable_block

Defaults = Mapping[str, str]
"""Default values for variables of the pool's template."""


def refuse_other_type(name: str) -> None:
    """Raises ProvisionFailed if the pool exists and starts its runs in another way."""
    found, kind = find_pool(name), pool_type()
    if found and found.type != kind:
        raise ProvisionFailed(
            f"Work pool {name} has the type {found.type}, not {kind}. Name another with --pool, or delete it"
        )


def pool_changes(name: str, defaults: Defaults | None) -> list[Change]:
    """The changes that `write_pool` would make; `defaults` is None before the stack has outputs."""
    pool = find_pool(name)
    if pool is None:
        return [Change(SIDE, "create", f"work pool {name}", pool_type())]
    if defaults is None or not _is_current(pool, defaults):
        return [Change(SIDE, "change", f"work pool {name}", "its template")]
    return []


def _is_current(pool: WorkPool, defaults: Defaults) -> bool:
    try:
        return pool.base_job_template == _template_for(pool, defaults)
    except NotRegistered:  # the block that starts tasks is missing or incomplete: `apply` writes it first
        return False


def write_pool(name: str, defaults: Defaults) -> list[Change]:
    """Creates the pool or updates its template; defaults that people set in its form are kept."""
    changes = pool_changes(name, defaults)
    wanted = _template_for(find_pool(name), defaults) if changes else {}
    with get_client(sync_client=True) as client:
        if changes and changes[0].action == "create":
            client.create_work_pool(WorkPoolCreate(name=name, type=pool_type(), base_job_template=wanted))
        elif changes:
            client.update_work_pool(name, WorkPoolUpdate(base_job_template=wanted))
    return changes


def _template_for(pool: WorkPool | None, defaults: Defaults) -> dict[str, Any]:
    """The template with our defaults; keeps values of the form, and variables that people added."""
    kind = pool_type()
    wanted = template(kind, str(usable_block(kind).id))
    there = pool.base_job_template if pool else {}
    variables = wanted["variables"]["properties"]
    filled_in = there.get("variables", {}).get("properties", {})
    for name, variable in variables.items():
        if name in defaults:
            variable["default"] = defaults[name]
        elif name != "aws_credentials" and "default" in filled_in.get(name, {}):
            variable["default"] = filled_in[name]["default"]
    wanted["variables"]["properties"] = filled_in | variables
    wanted["job_configuration"] = there.get("job_configuration", {}) | wanted["job_configuration"]
    return wanted
