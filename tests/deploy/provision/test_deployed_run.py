"""After `apply` and `make deploy` preflight is green, and a deployed run completes in a container."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import pytest
import requests
from botocore.config import Config

from deploy import deployments
from deploy.preflight import aws_account
from deploy.preflight.command import run_preflight
from pipeline.preflight import checks
from sandbox.processes import stop
from sandbox.s3 import enforce_role_policies
from sandbox.spotify.accounts import CLIENT_ID, CLIENT_SECRET, REFRESH_TOKEN
from sandbox.spotify.server import create_app
from sandbox.spotify.sources import Synthetic
from tests.deploy.aws import CLUSTER, Aws
from tests.deploy.fargate import fargate
from tests.deploy.image import Image
from tests.deploy.provision.conftest import Clouds, Command
from tests.deploy.rehearsal import PLAYLISTS, POOL, Rehearsal, clean, start_worker
from tests.deploy.webhook import BLOCK, webhook
from tests.faults.proxy import Traffic
from tests.places import Place
from tests.serving import running

pytestmark = pytest.mark.faults

ENV_FILE = f"""
SPOTIFY_CLIENT_ID={CLIENT_ID}
SPOTIFY_CLIENT_SECRET={CLIENT_SECRET}
SPOTIFY_REFRESH_TOKEN={REFRESH_TOKEN}
AWS_DEFAULT_REGION=us-east-1
"""
TAG = "v1"
EXECUTION_POLICY = "arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy"
"""Attached by the test, because moto's CloudFormation ignores ManagedPolicyArns."""


@pytest.fixture
def _spotify(
    project_folder: Path, prefect_api: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    """The stand-in for Spotify, an app with consent in `.env`, an image, longer timeouts of preflight."""
    for name in [name for name in prefect_api if name.startswith("PREFECT_")]:
        monkeypatch.setenv(name, prefect_api[name])  # for `prefect deploy`
    (project_folder / ".env").write_text(ENV_FILE, encoding="utf-8")
    monkeypatch.setenv("PIPELINE_IMAGE", f"123456789012.dkr.ecr.us-east-1.amazonaws.com/{CLUSTER}:{TAG}")
    monkeypatch.setenv("MOTO_IAM_LOAD_MANAGED_POLICIES", "true")
    monkeypatch.setattr(checks, "CHECK_S", 60.0)  # for slow test machines
    monkeypatch.setattr(aws_account, "QUICK", Config(read_timeout=60))
    with running(create_app(Synthetic(), today=lambda: datetime.now(UTC).date())) as url:
        monkeypatch.setenv("SPOTIFY_API_URL", f"{url}/v1")
        monkeypatch.setenv("SPOTIFY_ACCOUNTS_URL", url)
        yield


@pytest.mark.usefixtures("_spotify")
def test_preflight_is_green_and_a_deployed_run_completes(
    command: Command, clouds: Clouds, image: Image, prefect_api: dict[str, str], tmp_path: Path
) -> None:
    names, aws = ("--stack", CLUSTER, "--pool", POOL), Aws(clouds.aws)
    enforce_role_policies()
    requests.post(f"{clouds.aws}/moto-api/reset", timeout=30)  # creates the AWS-managed policies
    never = {"model_name": "ecs::task", "transition": {"progression": "manual", "times": 10**6}}
    requests.post(f"{clouds.aws}/moto-api/state-manager/set-transition", json=never, timeout=30)
    with ExitStack() as stack:
        stack.enter_context(webhook())
        command("apply", *names, "--playlist", PLAYLISTS[0], "--notify", BLOCK)
        push(clouds)
        clouds.client("iam").attach_role_policy(RoleName=f"{CLUSTER}-execution", PolicyArn=EXECUTION_POLICY)
        assert deployments.release() == 0
        containers = stack.enter_context(fargate(aws, image, tmp_path))
        log = stack.enter_context((tmp_path / "worker.log").open("wb"))
        stack.callback(stop, start_worker(clean(prefect_api) | aws.variables(), log))
        rehearsal = Rehearsal({}, Place.__new__(Place), Traffic(), aws, containers)
        run = rehearsal.ended(rehearsal.start("ingest-playlists/on-demand"))
        assert run.state
        assert run.state.is_completed(), rehearsal.container(run).log.read_text(encoding="utf-8")
        assert clouds.rows("SELECT COUNT(*) FROM spotify.playlists.playlists_history") == [(1,)]
        assert run_preflight(load="copy", json=False, profile=None) == 0
    command("destroy", "--yes", *names, "--lake", f"{CLUSTER}-123456789012", "--database", "SPOTIFY")
    assert clouds.rows("SHOW DATABASES LIKE 'SPOTIFY'") == []


def push(clouds: Clouds) -> None:
    """Creates the image in ECR, as `docker push` does."""
    kind = "application/vnd.docker.distribution.manifest.v2+json"
    manifest = json.dumps(
        {"schemaVersion": 2, "mediaType": kind, "config": {"digest": "sha256:0"}, "layers": []}
    )
    clouds.client("ecr").put_image(repositoryName=CLUSTER, imageManifest=manifest, imageTag=TAG)
