"""The guard: nothing is deployed with an empty or wrong value, or with the secrets of a block."""

import json
from typing import Any
from uuid import uuid4

import pytest
import yaml
from prefect.client.schemas.objects import WorkPool

from deploy.deployments import deploy_prefect_yaml
from deploy.guard import pool_problem, problems
from deploy.template import SOURCE, PoolType, template
from tests.deploy.image import ROOT
from tests.deploy.rehearsal import ENOUGH

SETTINGS: Any = yaml.safe_load((ROOT / "prefect.yaml").read_text(encoding="utf-8"))
PLAYLISTS = {"daily_playlists": ["37i9dQZF1DXcBWIGoYBM5M"]}


def found(environment: dict[str, str], variables: dict[str, Any]) -> list[str]:
    """Problems that the guard finds in prefect.yaml."""
    return problems(SETTINGS, environment, variables.get)


def test_a_complete_environment_has_no_problems() -> None:
    assert found(ENOUGH, PLAYLISTS) == []


@pytest.mark.parametrize("value", [None, "", "  "], ids=["unset", "empty", "blank"])
@pytest.mark.parametrize("name", ENOUGH)
def test_each_variable_of_the_environment_is_required(name: str, value: str | None) -> None:
    environment = {other: text for other, text in ENOUGH.items() if other != name}
    if value is not None:
        environment[name] = value
    assert found(environment, PLAYLISTS) == [f"{name} is not set in the environment or .env"]


LISTS: dict[str, tuple[Any, str]] = {
    "unset": (None, "the Prefect variable daily_playlists is not set or empty"),
    "empty": ([], "the Prefect variable daily_playlists is not set or empty"),
    "a text": ("mine", "daily_playlists is 'mine', not a list of strings"),
    "no playlist in it": (["nonsense"], "Prefect variable daily_playlists: 'nonsense' is not a playlist"),
    "too long": (["x" * 4_997], "has 5,001 characters of JSON; the most is 5,000"),
}


@pytest.mark.parametrize(("value", "says"), LISTS.values(), ids=LISTS)
def test_the_list_of_daily_playlists_is_checked(value: object, says: str) -> None:
    (line,) = found(ENOUGH, {"daily_playlists": value})
    assert says in line


def test_the_list_of_daily_playlists_is_not_part_of_the_deployment() -> None:
    text = (ROOT / "prefect.yaml").read_text(encoding="utf-8")
    assert "prefect.variables" not in text


@pytest.mark.parametrize(("given", "lines"), [({}, 1), ({"pool_size": "2"}, 0)], ids=["unset", "set"])
def test_a_prefect_variable_in_a_placeholder_must_be_set(given: dict[str, Any], lines: int) -> None:
    settings = {"x": "{{ prefect.variables.pool_size }}"}
    problem = "there is no Prefect variable pool_size, or it is empty"
    assert problems(settings, ENOUGH, (PLAYLISTS | given).get) == [problem] * lines


POOLS: dict[str, tuple[str, PoolType | None, bool]] = {
    "worker": ("ecs", "ecs", False),
    "Cloud": ("ecs:push", "ecs:push", False),
    "Cloud, made for a worker": ("ecs:push", "ecs", True),
    "Cloud, of the source": ("ecs:push", None, True),
}


def test_a_missing_work_pool_and_a_wrong_type_are_reported() -> None:
    pool = WorkPool(name="p", type="process", base_job_template={}, default_queue_id=uuid4())
    assert str(pool_problem("p", None)).startswith("there is no work pool p: create it")
    assert pool_problem("p", pool) == "work pool p has type process, not ecs or ecs:push"


@pytest.mark.parametrize(("pool_type", "made_for", "refused"), POOLS.values(), ids=POOLS)
def test_a_template_that_prefect_cloud_would_refuse_is_reported(
    pool_type: str, made_for: PoolType | None, *, refused: bool
) -> None:
    made = template(made_for, str(uuid4())) if made_for else json.loads(SOURCE.read_text(encoding="utf-8"))
    pool = WorkPool(name="p", type=pool_type, base_job_template=made, default_queue_id=uuid4())
    problem = "Prefect Cloud refuses the template of work pool p" if refused else "None"
    assert str(pool_problem("p", pool)).startswith(problem)


def test_all_problems_are_reported_at_once() -> None:
    assert len(found({}, {})) == len(ENOUGH) + len(PLAYLISTS)


WRONG_FORMS = {
    "no name": ("PIPELINE_IMAGE", ":0123456", "an image with its tag"),
    "no tag": ("PIPELINE_IMAGE", "registry.example.com/pipeline", "an image with its tag"),
    "no tag, a port": ("PIPELINE_IMAGE", "localhost:5000/pipeline", "an image with its tag"),
    "leading blank": ("PIPELINE_IMAGE", " image:1", "an image with its tag"),
    "trailing line break": ("PIPELINE_IMAGE", "image:1\n", "an image with its tag"),
    "a template": ("PREFECT_WORK_POOL", "{{ prefect.blocks.secret.x }}", "the name of a work pool"),
    "a template in a role": (
        "ECS_TASK_ROLE_ARN",
        "arn:aws:iam::123456789012:role/{{prefect.blocks.secret.x}}",
        "the ARN of a role",
    ),
    "no account": ("ECS_TASK_ROLE_ARN", "arn:aws:iam::role/x", "the ARN of a role"),
    "no role": ("ECS_EXECUTION_ROLE_ARN", "arn:aws:iam::123456789012:user/x", "the ARN of a role"),
}


@pytest.mark.parametrize(("name", "value", "meaning"), WRONG_FORMS.values(), ids=WRONG_FORMS)
def test_values_of_a_wrong_form_are_refused(name: str, value: str, meaning: str) -> None:
    assert found({**ENOUGH, name: value}, PLAYLISTS) == [f"{name} is {value!r}, which is not {meaning}"]


IMAGES = ["pipeline:1", "localhost:5000/a/b:v1.2-rc", f"registry.example.com/a@sha256:{'0' * 64}"]


@pytest.mark.parametrize("image", IMAGES)
def test_images_with_a_tag_or_a_digest_are_accepted(image: str) -> None:
    assert found({**ENOUGH, "PIPELINE_IMAGE": image}, PLAYLISTS) == []


FORBIDDEN = {
    "a block": (
        "{{ prefect.blocks.aws-credentials.aws }}",
        "the deployment would contain the block's secrets",
    ),
    "unknown": ("{{ image }}", "Prefect cannot fill in this placeholder"),
}


@pytest.mark.parametrize(("text", "says"), FORBIDDEN.values(), ids=FORBIDDEN)
def test_forbidden_placeholders_are_reported(text: str, says: str) -> None:
    (line,) = problems(
        {"deployments": [{"work_pool": {"job_variables": {"x": text}}}]}, ENOUGH, PLAYLISTS.get
    )
    assert line.startswith(text)
    assert says in line


def test_the_command_lists_the_problems_and_deploys_nothing(
    prefect_api: dict[str, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert prefect_api["PREFECT_API_URL"]
    for name in ENOUGH:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIPELINE_IMAGE", "image:1")
    assert deploy_prefect_yaml() == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("nothing is deployed, see docs/operations.md:\n- ")
    assert "PREFECT_WORK_POOL is not set" in printed.err
    assert "PIPELINE_IMAGE" not in printed.err
