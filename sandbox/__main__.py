"""`python -m sandbox`: keeps the stand-ins and a Prefect server running until Ctrl-C (`make sandbox`)."""

import os
import shlex
import signal
import sys
from pathlib import Path
from shutil import rmtree

from sandbox.processes import ROOT, StandInFailed
from sandbox.services import Sandbox, running

FOLDER = ROOT / ".sandbox"
ENVIRONMENT = FOLDER / "env"
PROCESS = FOLDER / "process"


def main() -> None:
    """Starts, registers blocks, writes `.sandbox/env` and waits."""
    if sys.argv[1:]:
        sys.exit(f"{__doc__}\nIt takes no options; RECORDINGS=folder serves recorded API responses.")
    if _is_running():
        sys.exit(f"a sandbox is running here already (process {PROCESS.read_text()}): stop it first")
    _tell("starting stand-ins for Spotify, S3 and Snowflake, and a Prefect server, on loopback")
    rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir()
    PROCESS.write_text(str(os.getpid()))
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    recordings = os.environ.get("RECORDINGS")
    try:
        with running(FOLDER / "prefect", Path(recordings) if recordings else None, _tell) as sandbox:
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


def _tell(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _is_running() -> bool:
    """Whether the process that wrote its number here is alive; a killed one leaves only the number."""
    try:
        os.kill(int(PROCESS.read_text()), 0)
    except (OSError, ValueError):
        return False
    return True


def _write_environment(sandbox: Sandbox) -> None:
    """Writes the file whole at once: whoever waits for it must not read half of it."""
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
    main()
