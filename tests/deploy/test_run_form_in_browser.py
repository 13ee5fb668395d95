"""The run form of each deployment in a real browser."""

import re
import subprocess
from html import unescape
from pathlib import Path
from shutil import which

import pytest

from tests.deploy.rehearsal import Rehearsal, client
from tests.deploy.test_run_form import fields

CHROMIUM = which("chromium") or which("chromium-browser") or which("google-chrome")
OPTIONS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync"]
INGEST = ["copy", "snapshot", "warehouse-admin", "No items in this list"]
FORMS = {
    "ingest-playlists/daily": ("ingest", INGEST),
    "ingest-playlists/on-demand": ("ingest", INGEST),
    "backfill-playlists/backfill": ("backfill", ["copy", "lake", "warehouse"]),
}


@pytest.mark.faults
@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")
@pytest.mark.parametrize("name", FORMS)
def test_the_form_shows_descriptions_and_defaults(rehearsal: Rehearsal, tmp_path: Path, name: str) -> None:
    flow, defaults = FORMS[name]
    with client() as api:
        deployment = api.read_deployment_by_name(name)
    server = rehearsal.environment["PREFECT_API_URL"].removesuffix("/api")
    shown = page(f"{server}/v2/deployments/deployment/{deployment.id}/run", tmp_path)
    for parameter, described in fields(flow).items():
        assert parameter.split(".")[-1] in shown
        assert " ".join(described["description"].split()) in shown
    assert [value for value in defaults if value not in shown] == []


def page(url: str, folder: Path) -> str:
    """The text of a page after its scripts have run."""
    assert CHROMIUM
    done = subprocess.run(
        [CHROMIUM, *OPTIONS, f"--user-data-dir={folder}", "--virtual-time-budget=30000", "--dump-dom", url],
        check=True,
        capture_output=True,
        text=True,
        timeout=120,
    )
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", done.stdout)).split())
