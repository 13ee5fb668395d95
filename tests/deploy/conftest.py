"""Fixtures: the image, an AWS account, and the stand-ins with everything deployed."""

import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from moto import mock_aws
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.variables import Variable

from blocks.registration import register
from deploy.template import template
from flows.daily_playlists import VARIABLE
from sandbox.processes import stop
from sandbox.services import BUCKET, Addresses
from sandbox.spotify.server import create_app
from sandbox.spotify.sources import Synthetic
from tests.deploy.aws import Aws, describing
from tests.deploy.fargate import fargate
from tests.deploy.image import Image, build
from tests.deploy.rehearsal import ENOUGH, PLAYLISTS, POOL, Rehearsal, clean, client, module, start_worker
from tests.faults.proxy import Traffic, proxies
from tests.places import Place
from tests.policies import policy, task_role_grants
from tests.serving import running


@pytest.fixture(scope="session")
def image(tmp_path_factory: pytest.TempPathFactory) -> Image:
    """The files and variables that the Dockerfile describes."""
    return build(tmp_path_factory.mktemp("image"))


@pytest.fixture
def aws_account(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An empty AWS account in this process."""
    for name in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    with mock_aws():
        yield


@pytest.fixture(scope="module")
def rehearsal(
    addresses: Addresses, prefect_api: dict[str, str], image: Image, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Rehearsal]:
    """Everything deployed on stand-ins as docs/by-hand.md describes."""
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
        variables = _variables(Place(proxied, place.name))
        environment = clean(prefect_api) | variables | ENOUGH
        set_up(variables)
        done = module(environment, "deploy")
        assert done.returncode == 0, done.stdout + done.stderr
        _start_tasks_at(stack.enter_context(describing(aws.url)))
        stack.callback(stop, _worker(stack, clean(prefect_api) | aws.variables(), folder))
        yield Rehearsal(environment, place, traffic, aws, containers)


def _variables(place: Place) -> dict[str, str]:
    """Variables for the blocks, without AWS keys: containers use their task role."""
    keys = ("LAKE_AWS_ACCESS_KEY_ID", "LAKE_AWS_SECRET_ACCESS_KEY")
    variables = place.variables(SPOTIFY_REQUESTS_PER_SECOND="100")
    return {name: value for name, value in variables.items() if name not in keys}


def set_up(variables: dict[str, str]) -> None:
    """Creates blocks, list of playlists and pool in this process: each command takes seconds to start."""
    register(variables)
    Variable.set(VARIABLE, PLAYLISTS, overwrite=True)
    with client() as api:
        block = api.read_block_document_by_name("aws-ecs", "aws-credentials")
        pool = WorkPoolCreate(name=POOL, type="ecs", base_job_template=template("ecs", str(block.id)))
        api.create_work_pool(pool, overwrite=True)


def _start_tasks_at(url: str) -> None:
    """Sends the worker's requests to this address: only containers' requests pass the proxies."""
    from prefect_aws import AwsCredentials  # noqa: PLC0415 - only where something is deployed

    block: Any = AwsCredentials.load("aws-ecs")
    block.aws_client_parameters.endpoint_url = url
    block.save("aws-ecs", overwrite=True)


def _worker(stack: ExitStack, environment: dict[str, str], folder: Path) -> subprocess.Popen[bytes]:
    log = stack.enter_context((folder / "worker.log").open("wb"))
    return start_worker(environment, log)
