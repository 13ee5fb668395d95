"""A complete deployment on stand-ins: Prefect, a worker, ECS, and the three services behind proxies."""

import logging
import signal
import subprocess
import sys
from dataclasses import dataclass
from typing import IO, Any
from uuid import UUID

from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.filters import LogFilter, LogFilterFlowRunId, LogFilterLevel
from prefect.client.schemas.objects import FlowRun
from prefect.states import Scheduled

from tests.deploy.aws import EXECUTION_ROLE, TASK_ROLE, Aws
from tests.deploy.fargate import Container, Fargate
from tests.deploy.image import ROOT
from tests.faults.proxy import Traffic
from tests.places import Place
from tests.waiting import TIMEOUT_S, until

PLAYLISTS = ["sandboxTop50Worldwide1", "sandboxMixtape00000001"]

POOL = "ecs-rehearsal"
WORKER_FOLDER = "/srv/worker"
"""A folder that exists on the worker's machine only; no container may be configured with it."""
ENOUGH = {
    "PREFECT_WORK_POOL": POOL,
    "PIPELINE_IMAGE": "123456789012.dkr.ecr.us-east-1.amazonaws.com/spotify-playlist-pipeline:0123456",
    "ECS_TASK_ROLE_ARN": TASK_ROLE,
    "ECS_EXECUTION_ROLE_ARN": EXECUTION_ROLE,
}
"""The variables that prefect.yaml takes from the environment."""


@dataclass(frozen=True)
class Rehearsal:
    """The deployment, with the actions of people and of Prefect."""

    environment: dict[str, str]
    place: Place
    traffic: Traffic
    aws: Aws
    fargate: Fargate

    def start(
        self, deployment: str, job_variables: dict[str, Any] | None = None, **parameters: object
    ) -> FlowRun:
        """Starts a run, as `prefect deployment run` does."""
        with client() as api:
            found = api.read_deployment_by_name(deployment)
            return api.create_flow_run_from_deployment(
                found.id, parameters=parameters, job_variables=job_variables
            )

    def scheduled(self, deployment: str) -> FlowRun:
        """The next run that the schedule has created."""
        with client() as api:
            found = api.read_deployment_by_name(deployment)
        return until(lambda: self._first_of(found.id), f"a scheduled run of {deployment}")

    def bring_forward(self, run: FlowRun) -> None:
        """Makes a scheduled run start now."""
        with client() as api:
            api.set_flow_run_state(run.id, Scheduled(), force=True)

    def ended(self, run: FlowRun) -> FlowRun:
        """Waits for the final state of the run."""
        with client() as api:
            return until(lambda: _final(api.read_flow_run(run.id)), f"the end of {run.name}")

    def logs(self, run: FlowRun, level: int = logging.DEBUG) -> list[str]:
        """Log messages of the run at a level or above, after the end of its container."""
        until(lambda: self.container(run).exit_code() is not None, f"the end of the container of {run.name}")
        wanted = LogFilter(flow_run_id=LogFilterFlowRunId(any_=[run.id]), level=LogFilterLevel(ge_=level))
        with client() as api:
            return [one.message for one in until(lambda: api.read_logs(wanted), f"logs of {run.name}")]

    def container(self, run: FlowRun) -> Container:
        """The newest container of a run."""
        return until(lambda: next(iter(self.containers(run)[::-1]), None), f"a container of {run.name}")

    def containers(self, run: FlowRun) -> list[Container]:
        """All containers of a run, oldest first."""
        wanted = str(run.id)
        return [one for one in self.fargate.containers if one.given["PREFECT__FLOW_RUN_ID"] == wanted]

    def _first_of(self, deployment: UUID) -> FlowRun | None:
        with client() as api:
            runs = api.read_flow_runs(limit=200)
        mine = [run for run in runs if run.deployment_id == deployment and run.auto_scheduled]
        return min(mine, key=lambda run: str(run.expected_start_time), default=None)


def client() -> SyncPrefectClient:
    """A client of the server that this process is configured for."""
    return get_client(sync_client=True)


def _final(run: FlowRun) -> FlowRun | None:
    return run if run.state and run.state.is_final() else None


def module(environment: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    """Runs `python -m …` in the project's folder."""
    return subprocess.run(
        [sys.executable, "-m", *words],
        cwd=ROOT,
        env=environment,
        check=False,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
    )


def start_worker(environment: dict[str, str], log: IO[bytes]) -> subprocess.Popen[bytes]:
    """Starts a worker of the pool, as for a self-hosted server."""
    return subprocess.Popen(
        [sys.executable, "-m", "prefect", "worker", "start", "--pool", POOL, "--install-policy", "never"],
        cwd=ROOT,
        env={
            **environment,
            "PREFECT_WORKER_QUERY_SECONDS": "1",
            "PREFECT_RESULTS_LOCAL_STORAGE_PATH": f"{WORKER_FOLDER}/results",
            "PREFECT_SERVER_DATABASE_CONNECTION_URL": "postgresql+asyncpg://p:database-secret@db/p",
        },
        stdout=log,
        stderr=log,
        # a shell that starts the tests in the background ignores SIGINT, and the worker would inherit that
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),  # noqa: PLW1509
    )


def clean(environment: dict[str, str]) -> dict[str, str]:
    """The environment without variables for AWS and Snowflake."""
    return {name: value for name, value in environment.items() if not name.startswith(("AWS_", "SNOWFLAKE_"))}
