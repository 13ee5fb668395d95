"""Deploys all of prefect.yaml: runs the guard, then `prefect deploy --all`."""

import subprocess
import sys
from pathlib import Path

import yaml
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import WorkPool
from prefect.exceptions import ObjectNotFound
from prefect.variables import Variable

from blocks.prefect_api import PrefectFailed, connected
from blocks.validation import NotRegistered
from blocks.variables import Environment, read_environment
from deploy.deployed_file import deploy_environment, write_file
from deploy.guard import pool_problem, problems
from deploy.image import ImageNotPushed, image_name, push_image

PREFECT_YAML = Path(__file__).parents[1] / "prefect.yaml"


def release() -> int:
    """Builds and pushes the image, then deploys. If PIPELINE_IMAGE is set: only deploys that image.

    Returns the exit status.
    """
    repository = deploy_environment().get("IMAGE_REPOSITORY")
    if "PIPELINE_IMAGE" in read_environment() or repository is None:
        return deploy_prefect_yaml()
    try:
        image = image_name(repository)
        environment = _checked_environment(PIPELINE_IMAGE=image)
        if environment is None:
            return 1
        push_image(image, environment)
    except ImageNotPushed as error:
        sys.stderr.write(f"nothing is deployed: {error}\n")
        return 1
    write_file({"PIPELINE_IMAGE": image})
    return _deploy(environment)


def deploy_prefect_yaml() -> int:
    """Deploys, unless a value that prefect.yaml needs is missing or wrong; returns the exit status."""
    environment = _checked_environment()
    return 1 if environment is None else _deploy(environment)


def check_prefect_yaml() -> int:
    """Prints which values that prefect.yaml needs are missing or wrong; returns the exit status."""
    if _checked_environment() is None:
        return 1
    sys.stdout.write("prefect.yaml can be deployed: all values are set\n")
    return 0


def _deploy(environment: Environment) -> int:
    command = [sys.executable, "-m", "prefect", "--no-prompt", "deploy", "--all"]
    return subprocess.run(command, cwd=PREFECT_YAML.parent, env=environment, check=False).returncode  # noqa: S603 - our own command


def _checked_environment(**others: str) -> Environment | None:
    """The environment, overridden by `others`; None after printing what is missing or wrong."""
    try:
        environment = deploy_environment() | others
        with connected(environment):
            found = _problems(environment)
    except (NotRegistered, PrefectFailed) as error:
        sys.stderr.write(f"nothing is deployed: {error}\n")
        return None
    if found:
        sys.stderr.write("\n- ".join(["nothing is deployed, see docs/operations.md:", *found]) + "\n")
        return None
    return environment


def _problems(environment: Environment) -> list[str]:
    found = problems(yaml.safe_load(PREFECT_YAML.read_text("utf-8")), environment, Variable.get)
    name = environment.get("PREFECT_WORK_POOL")
    wrong_pool = pool_problem(name, find_pool(name)) if name else None
    return [*found, wrong_pool] if wrong_pool else found


def find_pool(name: str) -> WorkPool | None:
    """The work pool of this name; None if there is none."""
    with get_client(sync_client=True) as client:
        try:
            return client.read_work_pool(name)
        except ObjectNotFound:
            return None
