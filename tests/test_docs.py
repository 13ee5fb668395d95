"""The pages for people: links lead somewhere, commands exist, nothing private or of one machine is named."""

import re
import subprocess
from pathlib import Path

import pytest

from tools import lock

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), ROOT / "sandbox/snowflake/DEVIATIONS.md"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text(encoding="utf-8"))
    assert [target for target in targets if not (page.parent / target).exists()] == []


def test_the_commands_of_the_readme_are_targets() -> None:
    named = set(re.findall(r"`?make ([a-z-]+)", (ROOT / "README.md").read_text(encoding="utf-8")))
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert {"demo", "test", "sandbox", "check", "generate"} <= named
    assert named <= targets


def test_ci_runs_the_test_command_of_the_readme() -> None:
    assert "\nmake test\n" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")


def test_no_lock_names_an_index_and_every_requirement_stands_once_with_hashes() -> None:
    text = "".join(file.read_text(encoding="utf-8") for file in sorted(ROOT.glob("requirements*.txt")))
    assert "://" not in text
    pinned = re.findall(r"^[A-Za-z0-9][^\n]*==[^\n]*", text, re.MULTILINE)
    assert len(pinned) == len(set(pinned)) > 150
    assert len(pinned) == len(re.findall(r"==[^\n]*\\\n    --hash=sha256:", text))


def test_a_lock_of_other_dependencies_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("pyproject.toml", *lock.FILES):
        (tmp_path / name).write_text((ROOT / name).read_text(encoding="utf-8"), encoding="utf-8")
    monkeypatch.setattr(lock, "ROOT", tmp_path)
    assert lock.main(["--check"]) == 0
    project = tmp_path / "pyproject.toml"
    project.write_text(
        project.read_text(encoding="utf-8").replace("polars>=1.40", "polars>=1.41"), encoding="utf-8"
    )
    assert lock.main(["--check"]) == 1


def test_every_committed_text_is_free_of_machine_paths() -> None:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S607
    if listed.returncode:
        pytest.skip("not a git checkout: nothing says which files are committed")
    names = [name for name in listed.stdout.splitlines() if not name.startswith("requirements")]
    files = [ROOT / name for name in names if not name.endswith(".png")]
    private = re.compile(r"(?:^|[\s\"'(=])/(?:work|farm|root|home)/", re.MULTILINE)
    found = [
        str(file.relative_to(ROOT)) for file in files if private.search(file.read_text(encoding="utf-8"))
    ]
    assert found == []
