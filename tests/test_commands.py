"""Help texts of `python -m flows`, `blocks` and `deploy`, which are shown without importing Prefect."""

import subprocess
import sys
from importlib import import_module

import pytest

COMMANDS = {
    "flows": {
        "ingest": "Reads playlists from Spotify and publishes them.",
        "backfill": "Publishes kept snapshots again, without requests to Spotify.",
        "preflight": "Checks everything that a run uses, and changes nothing.",
        "report": "Makes a page about playlists, from the warehouse, for any date.",
    },
    "blocks": {
        "register": "Writes every block from environment variables or ./.env, or checks them.",
        "authorize": "Stores a Spotify user's consent in the block, as a refresh token.",
    },
    "deploy": {
        "plan": "Lists what apply would make and change on all three sides; writes nothing.",
        "apply": "Makes what is missing or differs on AWS, Snowflake and Prefect; may be repeated.",
        "destroy": "Removes what apply made, after a question; lake and database only by name.",
        "release": "Builds the image, pushes it, and deploys; with PIPELINE_IMAGE set it only deploys.",
        "deployments": "Deploys all of prefect.yaml, unless something it needs is missing or wrong.",
        "preflight": "Checks everything that surrounds a run, and changes nothing.",
        "automations": "Creates or updates the notifications of runs that fail, hang, wait or are missing.",
    },
}


@pytest.mark.parametrize("package", COMMANDS)
def test_help_lists_each_command_with_its_description(
    package: str, capsys: pytest.CaptureFixture[str]
) -> None:
    import_module(f"{package}.__main__").app(["--help"], result_action="return_value")
    shown = " ".join(capsys.readouterr().out.replace("│", " ").split())
    for name, line in COMMANDS[package].items():
        assert f" {name} {line}" in shown


@pytest.mark.parametrize("package", ["flows", "deploy"])
def test_help_does_not_import_prefect(package: str) -> None:
    code = (
        f"import sys; from {package}.__main__ import app; app(['--help'], result_action='return_value'); "
        "print('prefect' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.splitlines()[-1] == "False"


@pytest.mark.parametrize(
    ("package", "name"),
    [(package, name) for package, names in COMMANDS.items() for name in names],
)
def test_help_of_a_command_shows_its_usage(
    package: str, name: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    app = import_module(f"{package}.__main__").app
    try:
        status = app([name, "--help"], result_action="return_value")
    except SystemExit as ended:
        status = ended.code
    assert not status
    assert f"Usage: python -m {package} {name}" in capsys.readouterr().out
