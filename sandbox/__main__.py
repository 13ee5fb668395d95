"""`python -m sandbox` (`make sandbox`): runs the stand-ins, a Prefect server and a worker until Ctrl-C."""

import os
import shlex
import signal
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from shutil import rmtree
from time import perf_counter
from typing import NoReturn

from cyclopts import App

from pipeline.lake.store import Lake
from sandbox.history import keep_history
from sandbox.processes import ROOT, StandInFailed
from sandbox.services import BUCKET, Sandbox, running, s3_client
from sandbox.welcome import ENV_FILE, things_to_try, welcome

FOLDER = ROOT / ".sandbox"
ENVIRONMENT = ROOT / ENV_FILE
PROCESS = FOLDER / "process"
HISTORY_DAYS = 31
MISSED_DAYS_AGO = 9
"""The history has no snapshots of the day this many days ago; docs/sandbox.md, step 6, finds it."""
STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

app = App(name="python -m sandbox", version_flags=[])


@app.default
def main() -> None:
    """Keeps the stand-ins for Spotify, S3 and Snowflake, a Prefect server and a worker running until Ctrl-C.

    Registers the blocks, deploys prefect.yaml, and loads a month of history into lake and warehouse. With
    HISTORY=0 both stay empty. The environment variable RECORDINGS names a folder of recorded API responses
    (*.json) to serve instead of the synthetic playlists; they have no history. When everything is ready, the
    exported variables are in `.sandbox/env`.
    """
    if _is_running():
        sys.exit(
            f"A sandbox is already running in this folder (process {PROCESS.read_text()}). Stop it first."
        )
    start = perf_counter()
    _show("starting stand-ins for Spotify, S3 and Snowflake, and a Prefect server, on loopback")
    rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir()
    PROCESS.write_text(str(os.getpid()))
    for number in STOPPING:
        signal.signal(number, _stop)
    try:
        with ExitStack() as stack:
            text = _start(stack)
            _show(f"ready after {perf_counter() - start:.0f} s\n\n{text}")
            signal.pause()
    except KeyboardInterrupt:
        _show("sandbox stopped")
    except StandInFailed as error:
        sys.exit(str(error).rstrip())
    finally:
        ENVIRONMENT.unlink(missing_ok=True)
        PROCESS.unlink(missing_ok=True)


def _start(stack: ExitStack) -> str:
    """Starts everything, then writes the environment file; returns the text to print."""
    recordings = os.environ.get("RECORDINGS")
    has_history = not recordings and os.environ.get("HISTORY") != "0"
    home = FOLDER / "prefect"
    sandbox = stack.enter_context(running(home, Path(recordings) if recordings else None, _show))
    from sandbox.deployments import Deployments  # noqa: PLC0415 - Prefect reads its settings when imported

    _show("deploying prefect.yaml to a work pool of type process, and starting its worker")
    deployments = Deployments(stack, sandbox.environment["PREFECT_API_URL"], home)
    today = datetime.now(UTC).date()
    missed_day = today - timedelta(days=MISSED_DAYS_AGO)
    if has_history:
        _keep_history(sandbox, today, missed_day)
    ids = deployments.wait()
    _show(f"the deployments are ready: {', '.join(sorted(ids))}")
    if has_history:
        _show("loading the snapshots with a run of the deployment `backfill`")
        deployments.run(ids["backfill"])
    _write_environment({**_exported(sandbox), **({"MISSED_DAY": str(missed_day)} if has_history else {})})
    prefect = sandbox.environment["PREFECT_API_URL"].removesuffix("/api")
    addresses = (
        f"Spotify {sandbox.spotify}  S3 {sandbox.s3}  Snowflake {sandbox.snowflake}  Prefect {prefect}"
    )
    return welcome(addresses, things_to_try(prefect, str(ids["on-demand"]), has_history=has_history))


def _keep_history(sandbox: Sandbox, today: date, missed_day: date) -> None:
    lake = Lake(s3_client(sandbox.s3), BUCKET, "")
    kept = keep_history(lake, today, HISTORY_DAYS, [missed_day])
    _show(f"the lake has {kept} snapshots that daily runs kept over the last {HISTORY_DAYS} days")


def _show(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _stop(*_: object) -> NoReturn:
    """Raises KeyboardInterrupt; ignores later signals, so a second Ctrl-C does not interrupt the shutdown."""
    for number in STOPPING:
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


def _is_running() -> bool:
    """Returns True if the process in the id file is running; a killed sandbox leaves its file behind."""
    try:
        os.kill(int(PROCESS.read_text()), 0)
    except (OSError, ValueError):
        return False
    return True


def _exported(sandbox: Sandbox) -> dict[str, str]:
    """Variables for a shell that runs flows, controls the Spotify stand-in and lists the lake."""
    variables = {name: value for name, value in sandbox.environment.items() if "PRIVATE_KEY" not in name}
    return {
        **variables,
        "SPOTIFY_CONTROLS": f"{sandbox.spotify}/sandbox",
        "LAKE_URL": f"{sandbox.s3}/{BUCKET}",
    }


def _write_environment(variables: Mapping[str, str]) -> None:
    """Writes the file atomically, because other processes wait for it and read it."""
    lines = [f"export {name}={shlex.quote(value)}\n" for name, value in variables.items()]
    draft = ENVIRONMENT.with_suffix(".draft")
    draft.write_text("".join(lines), encoding="utf-8")
    draft.replace(ENVIRONMENT)


if __name__ == "__main__":
    app()
