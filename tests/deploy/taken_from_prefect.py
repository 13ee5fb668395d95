"""Faults in Prefect: values of the environment, work pool, worker, automations, notification block."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from typing import Any
from uuid import UUID

from prefect.automations import AutomationCore, EventTrigger
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.actions import WorkPoolUpdate

from deploy import automations
from tests.deploy.rehearsal import ENOUGH, POOL, client
from tests.deploy.surroundings import WORKER, Surroundings
from tests.deploy.taken_away import Case


def values() -> Iterator[tuple[str, Case]]:
    """Each variable that prefect.yaml takes from the environment is unset; one has a wrong form."""
    for name in ENOUGH:

        @contextmanager
        def unset(_: Surroundings, name: str = name) -> Iterator[dict[str, str]]:
            yield {name: ""}

        yield f"value {name}", Case(unset, (f"value {name}",), f"{name} is not set")

    @contextmanager
    def wrong(_: Surroundings) -> Iterator[dict[str, str]]:
        yield {"ECS_TASK_ROLE_ARN": "spotify-run"}

    red = ("value ECS_TASK_ROLE_ARN",)
    yield "form of a role's ARN", Case(wrong, red, "which is not the ARN of a role")


def work_pool() -> Iterator[tuple[str, Case]]:
    """Faults of the pool. tests/deploy/test_template_differences.py tests each field of its template."""
    job = "job_configuration"

    def without_labels(template: dict[str, Any]) -> dict[str, Any]:
        return {**template, job: {name: one for name, one in template[job].items() if name != "labels"}}

    @contextmanager
    def other(_: Surroundings) -> Iterator[dict[str, str]]:
        yield {"PREFECT_WORK_POOL": "nowhere"}

    @contextmanager
    def changed(_: Surroundings, *, paused: bool) -> Iterator[dict[str, str]]:
        with client() as api:
            own = api.read_work_pool(POOL).base_job_template
            older = own if paused else without_labels(own)
            api.update_work_pool(POOL, WorkPoolUpdate(is_paused=paused, base_job_template=older))
            yield {}
            api.update_work_pool(POOL, WorkPoolUpdate(is_paused=False, base_job_template=own))

    @contextmanager
    def no_worker(s: Surroundings) -> Iterator[dict[str, str]]:
        with client() as api:
            api.request("DELETE", f"/work_pools/{POOL}/workers/{WORKER}")  # type: ignore[arg-type]
        yield {}
        s.heartbeat()

    paused, older = partial(changed, paused=True), partial(changed, paused=False)
    yield "work pool", Case(other, ("work pool",), "there is no work pool nowhere")
    yield "work pool: running", Case(paused, ("work pool: not paused",), f"work-pool resume {POOL}")
    yield "work pool: template", Case(older, ("work pool: template",), f"{job}.labels")
    yield "work pool: worker", Case(no_worker, ("work pool: worker",), f"worker start --pool {POOL}")


def watching() -> Iterator[tuple[str, Case]]:
    """Each automation is missing, disabled or changed; the notification block is missing."""
    for one in automations.automations(UUID(int=0)):
        name = f"automation {one.name.removeprefix(f'{automations.TAG}: ')}"
        changes: dict[str, tuple[Callable[[SyncPrefectClient, UUID], object], str]] = {
            "": (lambda api, found: api.delete_automation(found), f"automation '{one.name}', which "),
            ": enabled": (lambda api, found: api.pause_automation(found), "is disabled"),
            ": trigger": (_change_threshold, "differs from this release (trigger)"),
        }
        for what, (change, says) in changes.items():
            yield f"{name}{what}", Case(_with_changed(one.name, change), (name,), says)

    @contextmanager
    def no_block(s: Surroundings) -> Iterator[dict[str, str]]:
        with client() as api:
            api.delete_block_document(api.read_block_document_by_name("data-team", "custom-webhook").id)
        yield {}
        s.watch()

    yield "notification block", Case(no_block, ("automation ",), "notification block")


def _with_changed(
    name: str, change: Callable[[SyncPrefectClient, UUID], object]
) -> Callable[[Surroundings], AbstractContextManager[dict[str, str]]]:
    @contextmanager
    def without(s: Surroundings) -> Iterator[dict[str, str]]:
        with client() as api:
            change(api, api.read_automations_by_name(name)[0].id)
        yield {}
        s.watch()

    return without


def _change_threshold(api: SyncPrefectClient, found: UUID) -> None:
    automation = api.read_automation(found)
    assert automation
    core = AutomationCore.model_validate(automation.model_dump(exclude={"owner_resource", "id"}))
    assert isinstance(core.trigger, EventTrigger)
    core.trigger.threshold = 2
    api.update_automation(found, core)
