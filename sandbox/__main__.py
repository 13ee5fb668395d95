"""`python -m sandbox`: keeps the stand-ins and a Prefect server running until Ctrl-C (`make sandbox`)."""

import os
import shlex
import signal
import sys
from pathlib import Path
from shutil import rmtree

from cyclopts import App

from sandbox.processes import ROOT, StandInFailed
from sandbox.services import Sandbox, running

FOLDER = ROOT / ".sandbox"
ENVIRONMENT = FOLDER / "env"
PROCESS = FOLDER / "process"

app = App(name="python -m sandbox", version_flags=[])


@app.default
def main() -> None:
    """Keeps the stand-ins for Spotify, S3 and Snowflake and a Prefect server running until Ctrl-C.

    The blocks are registered, and `.sandbox/env` holds the environment once all is ready. The environment
    variable RECORDINGS names a folder of recorded API responses (*.json) to serve instead of the synthetic
    playlists.
    """
    if _is_running():
        sys.exit(f"a sandbox is running here already (process {PROCESS.read_text()}): stop it first")
    _show("starting stand-ins for Spotify, S3 and Snowflake, and a Prefect server, on loopback")
    rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir()
    PROCESS.write_text(str(os.getpid()))
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    recordings = os.environ.get("RECORDINGS")
    try:
        with running(FOLDER / "prefect", Path(recordings) if recordings else None, _show) as sandbox:
            _write_environment(sandbox)
            sys.stdout.write(f"{_welcome(sandbox)}\n")
            sys.stdout.flush()
            signal.pause()
    except KeyboardInterrupt:
        sys.stdout.write("sandbox stopped\n")
    except StandInFailed as error:
        sys.exit(str(error).rstrip())
    finally:
        ENVIRONMENT.unlink(missing_ok=True)
        PROCESS.unlink(missing_ok=True)


def _show(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _is_running() -> bool:
    """Whether the process whose id is in the file is alive; a killed one leaves its file."""
    try:
        os.kill(int(PROCESS.read_text()), 0)
    except (OSError, ValueError):
        return False
    return True


def _write_environment(sandbox: Sandbox) -> None:
    """Writes the file in one step: a process that waits for it must not read half of it."""
    variables = {name: value for name, value in sandbox.environment.items() if "PRIVATE_KEY" not in name}
    lines = [f"export {name}={shlex.quote(value)}\n" for name, value in variables.items()]
    draft = ENVIRONMENT.with_suffix(".draft")
    draft.write_text("".join(lines), encoding="utf-8")
    draft.replace(ENVIRONMENT)


def _welcome(sandbox: Sandbox) -> str:
    prefect = sandbox.environment["PREFECT_API_URL"].removesuffix("/api")
    return (
        f"Spotify {sandbox.spotify}  S3 {sandbox.s3}  Snowflake {sandbox.snowflake}  Prefect {prefect}\n"
        "In another shell:  . .sandbox/env && .venv/bin/python -m flows ingest PLAYLIST\n"
        f"Playlists:         {sandbox.spotify}/sandbox/playlists\n"
        "Ctrl-C stops everything."
    )


if __name__ == "__main__":
    app()
