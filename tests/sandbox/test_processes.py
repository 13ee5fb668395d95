"""Server processes: a failed start is detected, and the error contains the last lines of output."""

import os
import socket
import subprocess
import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest

from sandbox import prefect_server, processes
from sandbox.processes import ROOT, Server, StandInFailed
from tests.tiers import enumerated
from tests.waiting import until

Start = Callable[[str], Server]


@pytest.fixture
def start(tmp_path: Path) -> Start:
    """Starts a server process that runs the given code."""

    def start_server(code: str) -> Server:
        (tmp_path / "server.py").write_text(code)
        return Server("the server", ["server"], folder=tmp_path)

    return start_server


def test_server_that_exits_immediately_is_detected(start: Start) -> None:
    with pytest.raises(StandInFailed, match=r"the server did not start: it ended with exit status 3\."):
        start("import sys; sys.exit(3)").wait_for_address()


def test_error_contains_the_last_lines_of_a_crashed_server(start: Start) -> None:
    code = "for i in range(100): print('line', i)\nraise OSError(28, 'No space left on device')"
    with pytest.raises(StandInFailed) as failed:
        start(code).wait_for_address()

    lines = str(failed.value).splitlines()
    assert len(lines) <= processes.LAST_LINES + 1
    assert lines[-1].strip() == "OSError: [Errno 28] No space left on device"
    assert "line 99" in str(failed.value)


def test_output_before_ready_is_stored(start: Start) -> None:
    count = processes.LAST_LINES + 5
    server = start(f"for i in range({count}): print('line', i)\nprint('listening on 127.0.0.1:1')")
    assert server.wait_for_address() == "http://127.0.0.1:1"
    assert server.printed == [f"line {number}" for number in range(count)]
    server.stop()


def test_server_without_output_times_out(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "START_TIMEOUT_S", 0)
    server = start("input()")
    try:
        with pytest.raises(StandInFailed, match="was not ready within 0 s"):
            server.wait_for_address()
    finally:
        server.stop()


@pytest.mark.faults
def test_prefect_server_reports_a_port_in_use(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, ExitStack() as stack:
        port = taken.getsockname()[1]
        monkeypatch.setattr(prefect_server, "_free_port", lambda: port)
        with pytest.raises(
            StandInFailed, match=r"(?s)Prefect server did not start.*Port .* is already in use"
        ):
            prefect_server.PrefectServer(stack, tmp_path).wait()


@pytest.mark.parametrize("command", enumerated(["sandbox.demo", "sandbox"], ["sandbox.demo"]))
def test_commands_print_the_failed_start_and_exit(command: str, tmp_path: Path) -> None:
    (tmp_path / "moto").mkdir()
    (tmp_path / "moto" / "__init__.py").write_text("raise ImportError('moto is broken')")
    for package in ("sandbox", "flows", "pipeline", "blocks", "sql"):
        (tmp_path / package).symlink_to(ROOT / package)
    done = subprocess.run(
        [sys.executable, "-m", command],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 1
    assert "the stand-in for S3 did not start: it ended with exit status 1." in done.stderr
    assert done.stderr.splitlines()[-1].strip() == "ImportError: moto is broken"


PARENT = """
import signal
from pathlib import Path
from sandbox.processes import Server
Server("the server", ["server"], folder=Path({folder!r}))
signal.pause()
"""
SERVER = """
import signal, sys
def stop(*_):
    open("stopped", "w").close()
    sys.exit()
signal.signal(signal.SIGTERM, stop)
open("started", "w").close()
signal.pause()
"""


def test_server_stops_if_its_parent_was_killed(tmp_path: Path) -> None:
    (tmp_path / "server.py").write_text(SERVER)
    parent = subprocess.Popen([sys.executable, "-c", PARENT.format(folder=str(tmp_path))], cwd=ROOT)
    until((tmp_path / "started").exists, "the start of the server")
    parent.kill()
    parent.wait()
    until((tmp_path / "stopped").exists, "the end of the server")
