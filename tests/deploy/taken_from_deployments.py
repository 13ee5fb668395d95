"""Faults in the deployments: each setting of prefect.yaml differs."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from prefect.client.schemas.actions import WorkPoolCreate
from prefect.client.schemas.objects import ConcurrencyLimitStrategy, ConcurrencyOptions

from deploy.wanted_deployments import wanted_deployments
from tests.deploy.rehearsal import ENOUGH, client
from tests.deploy.surroundings import Surroundings, schedules
from tests.deploy.taken_away import Case
from tests.deploy.test_prefect_yaml import SETTINGS

ANOTHER = "another"
OTHERS = {
    "image": "other:1",
    "task_role_arn": "arn:aws:iam::123456789012:role/other",
    "execution_role_arn": "arn:aws:iam::123456789012:role/other",
}
CANCEL = ConcurrencyOptions(collision_strategy=ConcurrencyLimitStrategy.CANCEL_NEW)
CHANGES: dict[str, tuple[dict[str, Any], str]] = {
    "entrypoint": ({"entrypoint": "flows/other.py:other"}, "its entrypoint is flows/other.py:other"),
    "tags": ({"tags": []}, "its list of tags is []"),
    "concurrency limit": ({"concurrency_limit": None}, "its concurrency limit is unset"),
    "collision strategy": ({"concurrency_options": CANCEL}, "its collision strategy is CANCEL_NEW"),
    "parameters": ({"parameters": {"x": 1}}, "its parameters is {'x': 1}"),
    "run form": ({"parameter_openapi_schema": {}}, "its run form is that of another release"),
    "paused": ({"paused": True}, "it is paused"),
    "pull": ({"pull_steps": [{"x": {}}]}, "its pull steps"),
    "work pool": ({"work_pool_name": ANOTHER}, f"its work pool is {ANOTHER}"),
}
"""Changed fields of a deployment, and the text that must report them."""


def deployments() -> Iterator[tuple[str, Case]]:
    """Each setting of each deployment differs, each deployment is missing, and there is one too many."""
    for place, wanted in enumerate(wanted_deployments(SETTINGS, ENOUGH)):
        red = (f"deployment {wanted.name}",)
        for what, (changed, says) in (CHANGES | _changes_of_entry(wanted.entry)).items():
            yield f"{wanted.name}: {what}", Case(_changed(place, changed), red, says)

        @contextmanager
        def deleted(s: Surroundings, place: int = place) -> Iterator[dict[str, str]]:
            own = s.wanted()[place]
            s.delete_deployment(own.name)
            yield {}
            s.deploy(own)

        yield wanted.name, Case(deleted, red, f"deployment {wanted.name} does not exist. Run make deploy")

    @contextmanager
    def one_more(s: Surroundings) -> Iterator[dict[str, str]]:
        s.deploy(s.wanted()[0], name="old")
        yield {}
        s.delete_deployment("ingest-playlists/old")

    yield "an old deployment", Case(one_more, ("deployments: no others",), "ingest-playlists/old")


def _changes_of_entry(entry: Mapping[str, Any]) -> dict[str, tuple[dict[str, Any], str]]:
    """Changes of the job variables and schedules of an entry of prefect.yaml."""
    job, found = entry["work_pool"]["job_variables"], dict[str, tuple[dict[str, Any], str]]()
    for name in job:
        changed = {"job_variables": job | {name: OTHERS[name]}}
        found[name] = (changed, f"its job variable {name} is {OTHERS[name]}")
    for one in entry.get("schedules", []):
        slug, paused = one["slug"], schedules([one], active=False)
        found["schedule"] = ({"schedules": []}, f"schedule {slug} is missing")
        found["schedule, paused"] = ({"schedules": paused}, f"schedule {slug} is paused")
        for key, other in (("cron", "0 7 * * *"), ("timezone", "Europe/Zurich")):
            found[key] = ({"schedules": schedules([one | {key: other}])}, f"{key} of schedule {slug}")
    if not entry.get("schedules"):
        extra = schedules([{"slug": "x", "cron": "0 7 * * *", "timezone": "UTC"}])
        found["schedule"] = ({"schedules": extra}, "schedule x is not in prefect.yaml")
    return found


def _changed(
    place: int, changed: dict[str, Any]
) -> Callable[[Surroundings], AbstractContextManager[dict[str, str]]]:
    @contextmanager
    def without(s: Surroundings) -> Iterator[dict[str, str]]:
        own = s.wanted()[place]
        with client() as api:
            api.create_work_pool(WorkPoolCreate(name=ANOTHER, type="process"), overwrite=True)
        s.delete_deployment(own.name)
        s.deploy(own, **changed)
        yield {}
        s.delete_deployment(own.name)
        s.deploy(own)

    return without
