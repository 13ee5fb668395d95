"""prefect.yaml, and the base job template of its work pool."""

import json
from typing import Any

import pytest
import yaml
from prefect.utilities.templating import find_placeholders
from prefect_aws.workers.ecs_worker import ECSJobConfiguration, ECSVariables

from deploy.automations import TAG
from tests.deploy.image import ROOT

SETTINGS: Any = yaml.safe_load((ROOT / "prefect.yaml").read_text(encoding="utf-8"))
DEPLOYMENTS = {one["name"]: one for one in SETTINGS["deployments"]}
TEMPLATE: Any = json.loads((ROOT / "deploy" / "base_job_template.json").read_text(encoding="utf-8"))
VARIABLES = TEMPLATE["variables"]["properties"]


def test_there_are_four_deployments_and_only_daily_has_a_schedule() -> None:
    assert {name: one["entrypoint"] for name, one in DEPLOYMENTS.items()} == {
        "daily": "flows/ingest.py:ingest_playlists",
        "on-demand": "flows/ingest.py:ingest_playlists",
        "backfill": "flows/backfill.py:backfill_playlists",
        "preflight": "flows/preflight.py:preflight",
    }
    assert [name for name, one in DEPLOYMENTS.items() if "schedules" in one] == ["daily"]
    assert [name for name, one in DEPLOYMENTS.items() if one.get("parameters")] == []


@pytest.mark.parametrize("deployment", DEPLOYMENTS.values(), ids=DEPLOYMENTS)
def test_each_deployment_has_pool_limit_and_tag(deployment: dict[str, Any]) -> None:
    assert deployment["work_pool"] == SETTINGS["definitions"]["pool"]
    assert deployment["concurrency_limit"]["limit"] >= 1
    assert deployment["concurrency_limit"]["collision_strategy"] == "ENQUEUE"
    assert TAG in deployment["tags"]  # the automations select runs by it


def test_the_code_is_in_the_image() -> None:
    assert SETTINGS["pull"] == []


def test_job_variables_exist_in_our_template_and_in_prefects() -> None:
    used = SETTINGS["definitions"]["pool"]["job_variables"].keys()
    assert used <= VARIABLES.keys()
    assert used <= ECSVariables.model_fields.keys()


def test_each_variable_of_the_template_is_used_and_has_title_and_description() -> None:
    used = {one.name for one in find_placeholders(TEMPLATE["job_configuration"])}
    assert used == VARIABLES.keys()
    for name, shown in VARIABLES.items():
        assert shown["title"], name
        assert shown["description"].endswith("."), name


def test_the_template_has_only_settings_that_the_worker_supports() -> None:
    assert TEMPLATE["job_configuration"].keys() <= ECSJobConfiguration.model_fields.keys()


def test_the_template_contains_no_values_of_blocks() -> None:
    assert not find_placeholders(TEMPLATE["variables"])
    assert TEMPLATE["job_configuration"]["match_latest_revision_in_family"] is True
    (container,) = TEMPLATE["job_configuration"]["task_definition"]["containerDefinitions"]
    assert container["memory"] == "{{ memory }}"
