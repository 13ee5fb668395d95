"""Checks of the work pool: type, template, worker, and the block that starts tasks."""

from collections.abc import Mapping
from functools import partial
from typing import Any
from uuid import UUID

from prefect.client.schemas.objects import BlockDocument, WorkPool
from prefect.exceptions import ObjectNotFound

from deploy.guard import TYPES, pool_problem
from deploy.preflight.prefect_api import api
from deploy.preflight.value_checks import value_check
from deploy.template import BLOCK, PoolType, push_problem, template
from deploy.template_differences import additions, default, template_differences
from pipeline.errors import BlockMissing, Code, ConfigurationError
from pipeline.preflight.checks import Checklist
from pipeline.warehouse.messages import listed

POOL = "work pool"
TEMPLATE = "work pool: template"
TASK_BLOCK = f"Prefect: block {BLOCK}"
NO_BLOCK = UUID(int=0)


def check_pool(
    checks: Checklist, environment: Mapping[str, str]
) -> tuple[WorkPool | None, BlockDocument | None]:
    """Checks the pool, and the block whose credentials start ECS tasks; returns both, None if missing."""
    name = environment.get("PREFECT_WORK_POOL", "")
    pools: list[WorkPool] = []
    blocks: list[BlockDocument] = []
    checks.check(POOL, partial(_find_pool, name, pools), [value_check("PREFECT_WORK_POOL")])
    checks.check(f"{POOL}: not paused", lambda: _refuse_paused(pools[0]), [POOL])
    checks.check(TASK_BLOCK, partial(_find_block, pools, blocks))
    checks.check(TEMPLATE, lambda: _compare_templates(pools[0]), [POOL, TASK_BLOCK])
    if not pools or pools[0].type == "ecs":
        checks.check(f"{POOL}: worker", partial(_find_worker, name), [POOL])
    return next(iter(pools), None), next(iter(blocks), None)


def _find_pool(name: str, found: list[WorkPool]) -> str:
    with api() as client:
        try:
            pool = client.read_work_pool(name)
        except ObjectNotFound:
            raise ConfigurationError(str(pool_problem(name, None)), Code.WORK_POOL_MISSING) from None
    if pool.type not in TYPES:
        raise ConfigurationError(str(pool_problem(name, pool)), Code.WORK_POOL_DIFFERS)
    found.append(pool)
    return f"{name}, type {pool.type}"


def _refuse_paused(pool: WorkPool) -> str:
    if pool.is_paused:
        message = (
            f"work pool {pool.name} is paused, so no run starts. Run prefect work-pool resume {pool.name}"
        )
        raise ConfigurationError(message, Code.WORK_POOL_DIFFERS)
    return "runs start"


def _find_block(pools: list[WorkPool], found: list[BlockDocument]) -> str:
    with api() as client:
        try:
            block = client.read_block_document_by_name(BLOCK, "aws-credentials")
        except ObjectNotFound:
            message = (
                f"block {BLOCK!r} does not exist, so no ECS task can start. Run python -m blocks register"
            )
            raise BlockMissing(message, Code.BLOCK_MISSING) from None
    found.append(block)
    if pools and pools[0].type == "ecs:push" and (problem := push_problem(block.data)):
        raise ConfigurationError(problem, Code.BLOCK_INVALID)
    return "keys" if block.data.get("aws_access_key_id") else "no keys: the worker's own role"


def _compare_templates(pool: WorkPool) -> str:
    kind: PoolType = "ecs:push" if pool.type == "ecs:push" else "ecs"
    wanted = template(kind, str(NO_BLOCK))
    found = template_differences(pool.base_job_template, wanted)
    if not _refers_to_a_block(pool.base_job_template):
        found.append("variables.aws_credentials.default (the block that starts tasks)")
    problem = pool_problem(pool.name, pool)
    if found or problem:
        fix = (
            f"python -m deploy template {kind} > work-pool.json; prefect work-pool update {pool.name} "
            "--base-job-template work-pool.json; then fill in the pool's form again"
        )
        what = f"its template differs from this release's: {listed(found)}" if found else str(problem)
        raise ConfigurationError(f"work pool {pool.name}: {what}. Run {fix}", Code.WORK_POOL_DIFFERS)
    added = additions(pool.base_job_template, wanted)
    return f"this release's{f', and added: {listed(added)}' if added else ''}"


def _refers_to_a_block(stored: Mapping[str, Any]) -> bool:
    reference = default(stored, "aws_credentials")
    own = reference.get("$ref", {}) if isinstance(reference, dict) else {}
    try:
        with api() as client:
            client.read_block_document(UUID(own["block_document_id"]))
    except (ObjectNotFound, ValueError, KeyError, TypeError, AttributeError):
        return False
    return True


def _find_worker(name: str) -> str:
    with api() as client:
        response = client.request(
            "POST",
            "/work_pools/{work_pool_name}/workers/filter",
            path_params={"work_pool_name": name},
            json={},
        )
    workers = response.json()
    online = [one["name"] for one in workers if one["status"] == "ONLINE"]
    if not online:
        seen = max((one["last_heartbeat_time"] or "" for one in workers), default="")
        message = (
            f"no worker of work pool {name} responds{f', the last was seen at {seen[:16]}' if seen else ''}. "
            f"Run prefect worker start --pool {name}"
        )
        raise ConfigurationError(message, Code.WORKER_MISSING)
    return listed(online)
