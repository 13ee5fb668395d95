"""`python -m sandbox.spotify` as a process."""

import json
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import requests

ROOT = Path(__file__).parents[3]
COMMAND = [sys.executable, "-m", "sandbox.spotify"]


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT])
def test_prints_its_address_and_serves_until_the_signal(ending: signal.Signals) -> None:
    command = [*COMMAND, "--port", "0", "--today", "2026-11-21"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            start, _, address = process.stdout.readline().strip().rpartition(" ")
            assert start == "listening on"
            today = requests.put(f"http://{address}/sandbox/today", json={"date": None}, timeout=5)
            assert today.json() == {"date": "2026-11-21"}
        finally:
            process.send_signal(ending)
        assert process.wait(10) == 0


def test_class_of_app_and_shape_are_options() -> None:
    command = [*COMMAND, "--app-class", "restricted", "--old-shape"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            address = process.stdout.readline().split()[-1]
            settings = requests.get(f"http://{address}/sandbox/settings", timeout=5).json()
            assert (settings["app_class"], settings["old_shape"]) == ("restricted", True)
        finally:
            process.terminate()


def refused(*options: str) -> str:
    command = [*COMMAND, *options]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=20)
    assert (run.returncode, run.stdout) == (2, "")
    return run.stderr


def test_folder_without_recordings_is_a_one_line_error(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "missing"):
        message = refused("--recordings", str(folder))
        assert message.count("\n") == 1
        assert str(folder) in message


def test_folder_without_a_usable_recording_is_an_error_with_all_reasons(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.json").write_text("{")
    first, *lines = refused("--recordings", str(tmp_path)).splitlines()
    assert (
        first
        == f"python -m sandbox.spotify: {tmp_path} contains no *.json with a playlist or a page of a playlist"
    )
    assert [line.split()[:3] for line in lines] == [
        ["a.json:", "refused,", "it"],
        ["b.json:", "refused,", "it"],
    ]


def test_port_in_use_is_a_one_line_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        message = refused("--port", str(taken.getsockname()[1]))
    assert message.count("\n") == 1
    assert "in use" in message


def test_recordings_are_listed_at_the_start(tmp_path: Path) -> None:
    page = {"href": "/playlists/recorded00000000000001/items", "items": []}
    (tmp_path / "page.json").write_text(json.dumps(page))
    command = [*COMMAND, "--recordings", str(tmp_path)]
    out, err = subprocess.PIPE, subprocess.STDOUT
    with subprocess.Popen(command, cwd=ROOT, stdout=out, stderr=err, text=True) as process:
        assert process.stdout is not None
        try:
            assert process.stdout.readline() == "recorded00000000000001  page.json\n"
            assert process.stdout.readline().startswith("listening on 127.0.0.1:")
        finally:
            process.terminate()
