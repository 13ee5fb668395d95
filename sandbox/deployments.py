"""Deploys prefect.yaml to a work pool of type `process`, and runs its worker."""

import shlex
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from uuid import UUID

import yaml
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.client.schemas.objects import FlowRun, WorkPoolStatus
from prefect.workers.process import ProcessWorker

from sandbox.prefect_server import server_environment
from sandbox.processes import ROOT, StandInFailed, Worker, stop

POOL = "sandbox"
POLL_S = 0.5
"""Interval between status requests; more would slow down the run on the same machine."""
RUN_TIMEOUT_S = 600
PREFECT_YAML = ROOT / "prefect.yaml"


class Deployments:
    """A worker, started while `prefect deploy` runs; closing the stack stops it and its runs.

    `api_url`, `home`: address and folder of the Prefect server.
    """

    def __init__(self, stack: ExitStack, api_url: str, home: Path) -> None:
        environment = {**server_environment(home), "PREFECT_API_URL": api_url}
        self._api: SyncPrefectClient = stack.enter_context(get_client(sync_client=True))
        pool = WorkPoolCreate(name=POOL, type="process", base_job_template=pool_template())
        self._api.create_work_pool(pool, overwrite=True)
        self._worker = Worker(
            "the worker",
            ["prefect", "worker", "start", "--pool", POOL, "--name", POOL, "--install-policy", "never"],
            environment={**environment, "PREFECT_WORKER_QUERY_SECONDS": "1"},
            echo=False,
        )
        stack.callback(self._worker.stop)
        self._deploying = _start_deploying(environment, home / "prefect.yaml")
        stack.callback(stop, self._deploying)

    def wait(self) -> dict[str, UUID]:
        """Waits for the deployments and the worker; returns deployment name → id, raises StandInFailed."""
        printed, _ = self._deploying.communicate()
        if self._deploying.returncode:
            raise StandInFailed(f"prefect.yaml was not deployed. Output of `prefect deploy`:\n{printed}")
        self._worker.wait_until(self._is_online, POLL_S)
        return {one.name: one.id for one in self._api.read_deployments()}

    def run(self, deployment_id: UUID) -> None:
        """Runs a deployment on the worker; raises StandInFailed unless the run completes."""
        run = self._api.create_flow_run_from_deployment(deployment_id)
        self._worker.wait_until(lambda: _has_ended(self._api.read_flow_run(run.id)), POLL_S, RUN_TIMEOUT_S)
        state = self._api.read_flow_run(run.id).state
        if not state or not state.is_completed():
            raise StandInFailed(f"The run {run.name} ended as {state}. {self._worker.last_lines()}")

    def _is_online(self) -> bool:
        return self._api.read_work_pool(POOL).status is WorkPoolStatus.READY


def pool_template() -> dict[str, Any]:
    """Base job template of Prefect, changed to run this checkout: no code is copied, nothing is installed."""
    template = ProcessWorker.get_default_base_job_template()
    variables = template["variables"]["properties"]
    variables["command"]["default"] = f"{shlex.quote(sys.executable)} -m prefect.engine"
    variables["working_dir"]["default"] = str(ROOT)
    return template


def process_settings(pool: str) -> dict[str, Any]:
    """prefect.yaml for a process pool: the same deployments without the settings for containers."""
    settings: dict[str, Any] = yaml.safe_load(PREFECT_YAML.read_text("utf-8"))
    del settings["definitions"]
    for deployment in settings["deployments"]:
        deployment["work_pool"] = {"name": pool}
    return settings


def _start_deploying(environment: dict[str, str], file: Path) -> subprocess.Popen[str]:
    file.write_text(yaml.safe_dump(process_settings(POOL)), "utf-8")
    return subprocess.Popen(
        [sys.executable, "-m", "prefect", "--no-prompt", "deploy", "--all", "--prefect-file", str(file)],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def _has_ended(run: FlowRun) -> bool:
    return run.state is not None and run.state.is_final()
