"""A Prefect server on loopback with separate settings and a separate database."""

import os
import shutil
import socket
import sys
from contextlib import ExitStack
from pathlib import Path

import requests

from sandbox.processes import Server

PREFECT_DATABASE = Path(sys.prefix) / "prefect.db"
"""Initial database with tables and block types; `make` creates it together with the virtual environment."""

SKIP_BLOCK_REGISTRATION = {
    "PREFECT_MEMOIZE_BLOCK_AUTO_REGISTRATION": "false",  # otherwise it checks for changed block types
    "PREFECT_API_BLOCKS_REGISTER_ON_START": "false",
}
"""Settings for a server with the initial database: registering block types takes half of a start."""


class PrefectServer:
    """A Prefect server on a free port; `url`: address of its API."""

    def __init__(self, stack: ExitStack, home: Path) -> None:
        port = _free_port()
        self.url = f"http://127.0.0.1:{port}/api"
        home.mkdir(parents=True, exist_ok=True)
        environment = server_environment(home) | {"PREFECT_UI_API_URL": self.url}
        if PREFECT_DATABASE.exists():
            shutil.copyfile(PREFECT_DATABASE, home / "prefect.db")
            environment |= SKIP_BLOCK_REGISTRATION
        self._server = Server(
            "the Prefect server",
            ["prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port)],
            environment=environment,
            folder=home,
            echo=False,
        )
        stack.callback(self._server.stop)

    def wait(self) -> None:
        """Waits until the server is ready; raises StandInFailed."""
        self._server.wait_until(self._is_ready)

    def _is_ready(self) -> bool:
        try:
            return requests.get(f"{self.url}/health", timeout=5).ok
        except requests.RequestException:
            return False


def server_environment(home: Path) -> dict[str, str]:
    """Environment of a Prefect server.

    Prefect settings of the shell are removed: one of them may name a database with real runs.
    """
    others = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    return others | prefect_settings(home)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def prefect_settings(home: Path) -> dict[str, str]:
    """Settings for server and clients, independent of the user's Prefect profile."""
    return {
        "PREFECT_HOME": str(home),
        "PREFECT_PROFILES_PATH": str(home / "profiles.toml"),
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_CLI_PROMPT": "false",
        "DO_NOT_TRACK": "1",
    }
