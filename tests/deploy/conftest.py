"""The image, and an account with everything deployed, for as long as a module needs it."""

import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, redirect_stdout
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from deploy.template import print_template
from sandbox.processes import stop
from sandbox.services import BUCKET, Addresses
from sandbox.spotify.server import create_app
from sandbox.spotify.sources import Synthetic
from tests.deploy.aws import Aws, describing
from tests.deploy.fargate import fargate
from tests.deploy.image import Image, build
from tests.deploy.rehearsal import ENOUGH, PLAYLISTS, POOL, Rehearsal, clean, module, start_worker
from tests.faults.proxy import Traffic, proxies
from tests.places import Place
from tests.policies import policy, task_role_grants
from tests.serving import running


@pytest.fixture(scope="session")
def image(tmp_path_factory: pytest.TempPathFactory) -> Image:
    """What the Dockerfile describes."""
    return build(tmp_path_factory.mktemp("image"))


@pytest.fixture(scope="module")
def rehearsal(
    addresses: Addresses, prefect_api: dict[str, str], image: Image, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Rehearsal]:
    """Everything deployed by the commands of docs/operations.md, on stand-ins."""
    folder, traffic = tmp_path_factory.mktemp("rehearsal"), Traffic()
    aws = Aws.create(addresses.s3)
    with ExitStack() as stack:
        spotify = stack.enter_context(
            running(create_app(Synthetic(), today=lambda: datetime.now(UTC).date()))
        )
        direct = Addresses(spotify, addresses.s3, addresses.snowflake)
        proxied = stack.enter_context(proxies(direct, traffic))
        place = Place.create(direct)
        aws.allow_task_role(policy(task_role_grants(), BUCKET, place.name))
        containers = stack.enter_context(fargate(aws, image, folder))
        environment = clean(prefect_api) | _variables(Place(proxied, place.name)) | ENOUGH
        set_up(environment, folder / "template.json")
        _start_tasks_at(stack.enter_context(describing(aws.url)))
        stack.callback(stop, _worker(stack, clean(prefect_api) | aws.variables(), folder))
        yield Rehearsal(environment, place, traffic, aws, containers)


def _variables(place: Place) -> dict[str, str]:
    """What the blocks are made from: no keys of AWS, the container has a role."""
    keys = ("LAKE_AWS_ACCESS_KEY_ID", "LAKE_AWS_SECRET_ACCESS_KEY")
    variables = place.variables(SPOTIFY_REQUESTS_PER_SECOND="100")
    return {name: value for name, value in variables.items() if name not in keys}


def set_up(environment: dict[str, str], template: Path) -> None:
    """Blocks, the list of playlists, the pool, the deployments."""
    playlists = str(PLAYLISTS).replace("'", '"')
    run(environment, "blocks", "register")
    run(environment, "prefect", "variable", "set", "daily_playlists", playlists, "--overwrite")
    with template.open("w", encoding="utf-8") as file, redirect_stdout(file):
        assert print_template("ecs") == 0
    pool = (POOL, "--type", "ecs", "--base-job-template", str(template), "--overwrite")
    run(environment, "prefect", "work-pool", "create", *pool)
    run(environment, "deploy")


def run(environment: dict[str, str], *words: str) -> None:
    """A command that must succeed."""
    done = module(environment, *words)
    assert done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"


def _start_tasks_at(url: str) -> None:
    """Where the worker asks: what passes the proxies is what containers ask."""
    from prefect_aws import AwsCredentials  # noqa: PLC0415 - only where something is deployed

    block: Any = AwsCredentials.load("aws-ecs")
    block.aws_client_parameters.endpoint_url = url
    block.save("aws-ecs", overwrite=True)


def _worker(stack: ExitStack, environment: dict[str, str], folder: Path) -> subprocess.Popen[bytes]:
    log = stack.enter_context((folder / "worker.log").open("wb"))
    return start_worker(environment, log)
