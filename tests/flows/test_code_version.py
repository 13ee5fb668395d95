"""Version of the code in a receipt: PIPELINE_VERSION, else `git describe`, else the release."""

import os
import subprocess
from pathlib import Path
from shutil import which

import pytest

from flows import code_version as module
from flows.code_version import code_version
from pipeline import VERSION


@pytest.fixture(autouse=True)
def _not_cached(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PIPELINE_VERSION", raising=False)
    monkeypatch.setattr(module, "code_version", code_version.__wrapped__)


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that the module takes for its checkout; not a git repository yet."""
    folder = tmp_path / "check out"
    (folder / "flows").mkdir(parents=True)
    monkeypatch.setattr(module, "__file__", str(folder / "flows" / "code_version.py"))
    return folder


def git(folder: Path, *arguments: str) -> None:
    command = ["git", "-c", "user.name=t", "-c", "user.email=t@example.com", *arguments]
    environment = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull}  # may require signed commits
    subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True)


def test_the_version_of_the_image_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIPELINE_VERSION", " v1.4.0-2-gabc ")
    assert module.code_version() == "v1.4.0-2-gabc"


def test_an_image_without_a_version_has_that_of_the_release(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIPELINE_VERSION", "")
    git(checkout.parent, "init")  # a repository in a parent folder is not ours
    assert module.code_version() == VERSION


def test_a_checkout_is_described_by_git(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    git(checkout, "init")
    (checkout / "a").write_text("1")
    git(checkout, "add", "a")
    git(checkout, "commit", "--message", "first")
    git(checkout, "tag", "v2.0.0")
    assert module.code_version() == "v2.0.0"
    (checkout / "a").write_text("2")
    assert module.code_version() == "v2.0.0-dirty"
    monkeypatch.setenv("GIT_DIR", str(checkout.parent / "nowhere"))  # as in a hook of another repository
    assert module.code_version() == "v2.0.0-dirty"


def test_without_git_it_is_the_version_of_the_release(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (checkout / ".git").mkdir()
    assert which("git")
    assert module.code_version() == VERSION, "an empty .git is no repository"
    monkeypatch.setenv("PATH", "")
    assert module.code_version() == VERSION
