"""Help texts of `python -m flows`, `blocks` and `deploy`, which are shown without importing Prefect."""

import subprocess
import sys
from importlib import import_module

import pytest

COMMANDS = {
    "flows": {
        "ingest": "Reads playlists from Spotify and publishes them to the warehouse.",
        "backfill": "Publishes kept snapshots again. Sends no requests to Spotify.",
        "preflight": "Checks everything that a run uses, and changes nothing.",
        "report": "Writes the report of playlists for any date, from the warehouse.",
    },
    "blocks": {
        "register": "Writes every block from environment variables or ./.env, or checks them.",
        "authorize": "Authorises the app as a Spotify user; stores the refresh token in the block.",
    },
    "deploy": {
        "plan": "Lists what apply would create and change in AWS, Snowflake and Prefect; writes nothing.",
        "apply": "Creates what is missing and updates what differs in AWS, Snowflake and Prefect",
        "destroy": "Deletes what apply created, after confirmation; lake and database only if you name them.",
        "release": "Builds and pushes the image, then deploys. If PIPELINE_IMAGE is set: only",
        "deployments": "Deploys all of prefect.yaml; refuses if a value it needs is missing or wrong.",
        "preflight": "Checks what runs depend on: deployments, work pool, roles, grants, automations.",
        "automations": "Creates or updates the automations for runs that fail, crash, hang, wait",
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
