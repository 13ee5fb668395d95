"""Without a Prefect API, or if it does not respond, every command prints one short message, soon."""

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from blocks import prefect_api
from blocks.prefect_api import PrefectFailed, connected
from tests.tiers import enumerated

ROOT = Path(__file__).parents[2]
COMMANDS = [
    "blocks register",
    "blocks.register",
    "blocks authorize",
    "blocks.authorize_spotify",
    "deploy",
    "deploy --check",
    "deploy deployments",
    "deploy preflight",
    "deploy automations --notify a/b",
    "deploy.automations --notify a/b",
]
"""Each command, and the modules that can be run as commands."""


@pytest.mark.parametrize("command", enumerated(COMMANDS, ["deploy", "blocks.authorize_spotify"]))
def test_without_any_environment_there_is_one_short_message(command: str, tmp_path: Path) -> None:
    (tmp_path / "blocks").symlink_to(ROOT / "blocks")  # a folder without .env
    (tmp_path / "deploy").symlink_to(ROOT / "deploy")
    for package in ("flows", "pipeline"):
        (tmp_path / package).symlink_to(ROOT / package)
    done = subprocess.run(
        [sys.executable, "-m", *command.split()],
        cwd=tmp_path,
        env={"HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert "No Prefect API is set. Set PREFECT_API_URL" in done.stderr
    assert ". .sandbox/env" in done.stderr
    assert len(done.stderr.splitlines()) < 10


def test_an_api_that_accepts_connections_but_does_not_respond_times_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(prefect_api, "HEALTH_TIMEOUT_S", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/api"
        with (
            pytest.raises(PrefectFailed, match=f"{url} does not respond .no response within 0.2 s"),
            connected({"PREFECT_API_URL": url}),
        ):
            pass
        silent.settimeout(10)
        silent.accept()[0].close()  # a request was sent
