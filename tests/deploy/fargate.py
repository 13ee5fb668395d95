"""Runs ECS tasks as processes, because moto only records them.

A container has what ECS would give it and nothing else: files and variables of the image, variables of its
task definition and overrides, and the credentials of its task role at an address on loopback.
"""

import os
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from tests.deploy.aws import REGION, Aws
from tests.deploy.image import Image
from tests.serving import running

STOP_TIMEOUT_S = 30.0
"""Time between SIGTERM and SIGKILL, the default of ECS."""
POLL_S = 0.3
"""Interval of polling the cluster; each poll takes some 10 ms of CPU time."""


@dataclass
class Container:
    """The container of a task. `given`: variables of its definition and overrides."""

    arn: str
    definition: dict[str, Any]
    command: list[str]
    given: dict[str, str]
    log: Path
    process: subprocess.Popen[bytes]
    stop_requested_at: datetime | None = None
    credential_requests: int = 0

    def signal(self, number: int) -> None:
        """Sends a signal to the container's first process."""
        self.process.send_signal(number)

    def exit_code(self) -> int | None:
        """Exit code as ECS reports it: 137 for SIGKILL; None while it runs."""
        code = self.process.poll()
        return 128 - code if code is not None and code < 0 else code

    def remove(self) -> None:
        """Kills all processes of the container."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


@dataclass
class Fargate:
    """Runs the tasks of a cluster, and sends their state changes to the queue."""

    aws: Aws
    image: Image
    folder: Path
    roles: str = ""
    containers: list[Container] = field(default_factory=list)
    ended: list[Container] = field(default_factory=list)

    def poll(self) -> None:
        """Starts new tasks, stops tasks that should stop, reports tasks that have ended."""
        known, wanted = {one.arn for one in self.containers}, self.aws.wanted_tasks()
        for arn in wanted:
            if arn not in known:
                self.containers.append(self._start(arn))
        for one in [one for one in self.containers if one not in self.ended]:
            if one.exit_code() is not None:
                self._end(one)
            elif one.arn not in wanted:
                self._stop(one)

    def _start(self, arn: str) -> Container:
        task = self.aws.describe(arn)
        definition = self.aws.definition(task["taskDefinitionArn"])
        (container,) = definition["containerDefinitions"]
        (override,) = task["overrides"]["containerOverrides"]
        assert override["name"] == container["name"]
        variables = [*container.get("environment", []), *override.get("environment", [])]
        given = {one["name"]: one["value"] for one in variables}
        log = self.folder / f"{arn.rpartition('/')[2]}.log"
        by_ecs = {
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_EXECUTION_ENV": "AWS_ECS_FARGATE",
            "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{self.roles}/{arn.rpartition('/')[2]}",
        }
        with log.open("wb") as output:
            process = subprocess.Popen(
                override["command"],
                cwd=self.image.workdir,
                env=self.image.variables(**by_ecs, **given),
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        self.aws.send_event(task, "RUNNING")
        return Container(arn, definition, override["command"], given, log, process)

    def _stop(self, one: Container) -> None:
        now = datetime.now(UTC)
        if one.stop_requested_at is None:
            one.stop_requested_at = now
            one.signal(signal.SIGTERM)
        elif now - one.stop_requested_at > timedelta(seconds=STOP_TIMEOUT_S):
            one.remove()

    def _end(self, one: Container) -> None:
        one.remove()
        self.aws.stop(one.arn)
        name = one.definition["containerDefinitions"][0]["name"]
        exited = [{"name": name, "exitCode": one.exit_code(), "lastStatus": "STOPPED"}]
        self.aws.send_event(self.aws.describe(one.arn), "STOPPED", containers=exited)
        self.ended.append(one)

    def close(self) -> None:
        """Kills all containers."""
        for one in self.containers:
            one.remove()


@contextmanager
def fargate(aws: Aws, image: Image, folder: Path) -> Iterator[Fargate]:
    """Runs tasks until the end of the block; errors of its thread are raised there."""
    over, failed = threading.Event(), list[Exception]()
    found = Fargate(aws, image, folder)
    with ExitStack() as stack:
        found.roles = stack.enter_context(_role_credentials(found))
        stack.callback(found.close)

        def watch() -> None:
            while not over.wait(POLL_S):
                try:
                    found.poll()
                except Exception as error:  # noqa: BLE001 - raised below
                    failed.append(error)

        thread = threading.Thread(target=watch, daemon=True)
        thread.start()
        try:
            yield found
        finally:
            over.set()
            thread.join()
        assert failed == []


@contextmanager
def _role_credentials(found: Fargate) -> Iterator[str]:
    """Endpoint from which containers request the credentials of their task role."""

    def credentials(request: Request) -> JSONResponse:
        (one,) = [one for one in found.containers if one.arn.endswith(request.path_params["task"])]
        one.credential_requests += 1
        role, until = one.definition["taskRoleArn"], datetime.now(UTC) + timedelta(hours=6)
        expiration = until.isoformat(timespec="seconds").replace("+00:00", "Z")
        return JSONResponse({"RoleArn": role, "Expiration": expiration, **found.aws.role_keys(role)})

    with running(Starlette(routes=[Route("/role/{task}", credentials)])) as url:
        yield f"{url}/role"
