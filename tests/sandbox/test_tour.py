"""`make sandbox`: runs every command that it prints and that docs/sandbox.md shows; checks the clean-up."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import get_args, get_type_hints

import pytest
import requests
import yaml

from sandbox.processes import ROOT
from sandbox.spotify.faults import Fault
from sandbox.spotify.settings import Settings
from sandbox.welcome import ENV_FILE, things_to_try
from tests.waiting import until
from tools.sql.environment import read_exports

PAGE = (ROOT / "docs" / "sandbox.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
COMMAND_TIMEOUT_S = 900
ENGINE = "-m prefect.engine"
"""Part of the command line of a run's process."""


def steps() -> Iterator[tuple[str, str]]:
    """Yields each block of commands of the page, with the expected output."""
    kinds = [(kind, text) for kind, text in BLOCK.findall(PAGE) if kind]
    for number, (kind, text) in enumerate(kinds):
        following = kinds[number + 1] if number + 1 < len(kinds) else ("", "")
        if kind == "sh":
            yield text, following[1] if following[0] == "text" else ""


def missing_lines(expected: str, printed: str) -> list[str]:
    """Returns the expected lines that were not printed; ignores spaces, and `…` matches any text."""
    lines = [" ".join(line.split()) for line in printed.splitlines()]
    patterns = {
        line: ".*".join(re.escape(part) for part in " ".join(line.split()).split("…"))
        for line in expected.splitlines()
    }
    return [line for line, shape in patterns.items() if not any(re.fullmatch(shape, one) for one in lines)]


def test_missing_lines_are_detected() -> None:
    assert missing_lines("a … c\nlast", "x\na   b |  c\nlast\n") == []
    assert missing_lines("a … c\nlast", "a b d\nlast words") == ["a … c", "last"]


def test_page_covers_all_topics() -> None:
    found = list(steps())
    assert len(found) >= 20
    assert [kind for kind, _ in BLOCK.findall(PAGE) if kind not in ("", "sh", "text")] == []
    assert len([expected for _, expected in found if expected]) == PAGE.count("```text")
    tried = "".join(text for text, _ in found)
    wanted = ("make sql", "$LAKE_URL", "/today", "/faults", "app_class", "backfill", "$MISSED_DAY", "report")
    assert [one for one in wanted if one not in tried] == []


def test_page_documents_every_control() -> None:
    """The routes, settings and kinds of faults in the code."""
    source = (ROOT / "sandbox" / "spotify" / "controls.py").read_text(encoding="utf-8")
    controls = re.findall(r'Route\("/sandbox(/\w+)"', source)
    kinds = get_args(get_type_hints(Fault)["kind"])
    assert len(controls) >= 6
    assert len(kinds) >= 9
    _, _, documented = PAGE.partition("\n## The controls\n")
    named = set(re.findall(r"`(?:[A-Z]+ )?([\w/]+)`", documented))
    assert {*controls, *Settings.__struct_fields__, *kinds} <= named


@pytest.mark.parametrize("has_history", [True, False])
def test_three_things_to_try_are_suggested(*, has_history: bool) -> None:
    """The long suite tries them."""
    actions = [one.action for one in things_to_try("http://p", "id", has_history=has_history)]
    assert len(set(actions)) == 3
    assert actions.index("http://p/deployments/deployment/id/run") == 2
    assert [one.split()[:2] for one in actions].index(["make", "sql"]) == (0 if has_history else 1)


def test_deployments_are_those_of_prefect_yaml() -> None:
    from sandbox.deployments import POOL, process_settings  # noqa: PLC0415 - imports Prefect

    original = yaml.safe_load((ROOT / "prefect.yaml").read_text(encoding="utf-8"))["deployments"]
    derived = process_settings(POOL)["deployments"]
    assert derived == [one | {"work_pool": {"name": POOL}} for one in original]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A folder with links to the project's files, for a separate sandbox, with an up-to-date environment."""
    for one in ROOT.iterdir():
        if not one.name.startswith("."):
            (tmp_path / one.name).symlink_to(one)
    (tmp_path / ".venv").mkdir()
    for one in Path(sys.prefix).iterdir():
        (tmp_path / ".venv" / one.name).symlink_to(one)
    stamp = tmp_path / ".venv" / "sandbox"
    stamp.unlink(missing_ok=True)
    stamp.touch()
    return tmp_path


@contextmanager
def make_sandbox(checkout: Path, **variables: str) -> "Iterator[tuple[subprocess.Popen[str], str]]":
    """Runs `make sandbox` in a process group, like a shell; yields the process and its output until ready."""
    process = subprocess.Popen(
        ["make", "--no-print-directory", "sandbox"],  # noqa: S607
        cwd=checkout,
        env=shell() | variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        process_group=0,
    )
    assert process.stdout
    try:
        printed = []
        for line in process.stdout:
            printed.append(line)
            assert (checkout / ENV_FILE).exists() or "Three things to try" not in line
            if line.startswith("Ctrl-C"):
                break
        yield process, "".join(printed)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGINT)
            process.communicate(timeout=COMMAND_TIMEOUT_S)


def shell() -> dict[str, str]:
    """The environment of a user's shell, without the Prefect settings of the tests."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "MAKE"))}


def typed(
    command: str, checkout: Path, *, first: str = f". {ENV_FILE}"
) -> "subprocess.CompletedProcess[str]":
    """Runs commands as a user does after the first command of the page."""
    return subprocess.run(
        ["sh", "-ec", f"{first}\n{command}"],  # noqa: S607
        cwd=checkout,
        env=shell(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
        text=True,
        timeout=COMMAND_TIMEOUT_S,
    )


def processes(checkout: Path) -> list[str]:
    """Returns the command lines of all processes that the sandbox of this folder has started."""
    listed = subprocess.run(["ps", "-eww", "-o", "args="], capture_output=True, text=True, check=True)  # noqa: S607
    return [line for line in listed.stdout.splitlines() if f"{checkout}/.venv" in line]


def try_suggestions(printed: str, checkout: Path) -> None:
    tried = re.findall(r"^     (\S.*)$", printed, re.MULTILINE)
    assert len(tried) == 3
    for one in tried:
        if one.startswith("http"):
            assert requests.get(one, headers={"Accept": "text/html"}, timeout=30).ok
            identifier = one.split("/")[-2]
            api = f"{one.split('/deployments/')[0]}/api/deployments/{identifier}"
            assert requests.get(api, timeout=30).json()["name"] == "on-demand"
            continue
        done = typed(one, checkout, first="")
        assert done.returncode == 0, f"{one}\n{done.stdout}"


@pytest.mark.faults
def test_tour_prints_the_expected_output_and_ctrl_c_stops_everything(checkout: Path) -> None:
    with make_sandbox(checkout) as (process, printed):
        wrong = []
        for commands, expected in steps():
            done = typed(commands, checkout)
            if done.returncode or missing_lines(expected, done.stdout):
                wrong.append((commands, missing_lines(expected, done.stdout), done.stdout[-1500:]))
        assert wrong == []
        try_suggestions(printed, checkout)
        assert len(processes(checkout)) >= 5
        os.killpg(process.pid, signal.SIGINT)
        rest, _ = process.communicate(timeout=COMMAND_TIMEOUT_S)
        assert "sandbox stopped" in rest
        assert "Traceback" not in rest
    assert processes(checkout) == []
    assert not (checkout / ENV_FILE).exists()


@pytest.mark.faults
def test_empty_sandbox_stops_during_a_run_that_waits_for_spotify(checkout: Path) -> None:
    with make_sandbox(checkout, HISTORY="0") as (process, printed):
        assert "loading" not in printed
        exported = read_exports((checkout / ENV_FILE).read_text(encoding="utf-8"))
        assert "MISSED_DAY" not in exported
        assert requests.get(f"{exported['LAKE_URL']}?prefix=raw/", timeout=30).text.count("<Key>") == 0
        try_suggestions(printed, checkout)
        faults = [{"path": "/v1/", "kind": "timeout", "times": 100}]
        requests.put(f"{exported['SPOTIFY_CONTROLS']}/faults", json=faults, timeout=30).raise_for_status()
        started = "prefect deployment run ingest-playlists/on-demand --param 'skip_unchanged=false'"
        done = typed(f".venv/bin/python -m {started}", checkout)
        assert done.returncode == 0, done.stdout
        until(lambda: [one for one in processes(checkout) if ENGINE in one], "the process of the run")
        os.kill(int((checkout / ".sandbox" / "process").read_text()), signal.SIGTERM)
        rest, _ = process.communicate(timeout=COMMAND_TIMEOUT_S)
        assert "sandbox stopped" in rest
    assert processes(checkout) == []
