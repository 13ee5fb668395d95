"""Continuous delivery: pinned actions, least permissions, no stored keys, the guard first."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.deploy.image import ROOT
from tests.deploy.test_prefect_yaml import SETTINGS

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
DELIVERY: Any = yaml.safe_load((ROOT / ".github" / "workflows" / "delivery.yml").read_text(encoding="utf-8"))
DEPLOY = DELIVERY["jobs"]["deploy"]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_actions_are_pinned_by_commit(path: Path) -> None:
    used = re.findall(r"uses: (\S+)", path.read_text(encoding="utf-8"))
    assert len(used) > 1
    assert [one for one in used if not re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", one)] == []


def test_each_job_has_minimal_permissions() -> None:
    assert DELIVERY["permissions"] == {}
    assert {name: job["permissions"] for name, job in DELIVERY["jobs"].items()} == {
        "test": {"contents": "read"},
        "deploy": {"contents": "read", "id-token": "write"},
    }


def test_only_tested_commits_of_main_are_deployed() -> None:
    assert DEPLOY["needs"] == "test"
    assert DEPLOY["if"] == "github.event_name == 'push'"
    assert DELIVERY[True]["push"] == {"branches": ["main"]}  # YAML parses the key `on` as true


def test_the_guard_runs_before_the_build() -> None:
    commands = [step["run"] for step in DEPLOY["steps"] if "run" in step]
    assert [one.split("\n")[0].split()[0:3] for one in commands] == [
        ["make", "deploy", 'CHECK="preflight'],
        ["aws", "ecr", "get-login-password"],
        ["make", "deploy"],
    ]


def test_the_deploy_job_sets_all_variables_of_prefect_yaml() -> None:
    wanted = set(re.findall(r"\{\{ \$(\w+) \}\}", str(SETTINGS)))
    assert len(wanted) > 1
    assert wanted <= DEPLOY["env"].keys()


def test_the_only_secret_is_the_api_key() -> None:
    secrets = {name for path in WORKFLOWS for name in re.findall(r"secrets\.(\w+)", path.read_text("utf-8"))}
    assert secrets == {"PREFECT_API_KEY"}
