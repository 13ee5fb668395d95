"""Checks the documentation: links and commands exist, and no text contains machine paths or private names."""

import ast
import re
import subprocess
from pathlib import Path

import pytest

from tools import lock

ROOT = Path(__file__).parents[1]
MARK = "pytest.mark.faults"
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), ROOT / "sandbox/snowflake/DEVIATIONS.md"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_link_targets_exist(page: Path) -> None:
    targets = re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text(encoding="utf-8"))
    assert [target for target in targets if not (page.parent / target).exists()] == []


LINK = re.compile(r"""(['"]?)((?:https?://)?(?:open|play)\.spotify\.com/|https?://|<link)""")


def test_links_in_shell_commands_are_quoted() -> None:
    """An unquoted `&` in a link would end the command."""
    text = "".join(page.read_text(encoding="utf-8") for page in PAGES)
    blocks = re.findall(r"^```(\w*)\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    commands = [line for kind, block in blocks if kind in ("", "sh") for line in block.splitlines()]
    commands += re.findall(r"`([^`\n]*python -m [^`\n]*)`", text)
    linked = [(command, found[1]) for command in commands for found in LINK.finditer(command)]
    assert len(linked) >= 2
    assert [command for command, quote in linked if not quote] == []


def test_make_commands_of_the_readme_are_targets() -> None:
    named = set(re.findall(r"`?make ([a-z-]+)", (ROOT / "README.md").read_text(encoding="utf-8")))
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert {"demo", "test", "sandbox", "check", "generate"} <= named
    assert named <= targets


def test_make_test_includes_every_test_named_in_the_readme() -> None:
    """Each named module, or some module of a named folder, has tests without the mark `faults`."""
    named = re.findall(r"\]\((tests/[^)]+)\)", (ROOT / "README.md").read_text(encoding="utf-8"))
    assert len(named) > 30
    modules = {name: sorted((ROOT / name).glob("test_*.py")) or [ROOT / name] for name in named}
    long_only = [name for name, found in modules.items() if not any(map(has_short_tests, found))]
    assert long_only == []


def has_short_tests(module: Path) -> bool:
    """Returns True if a test of the module runs without the mark `faults`."""
    tree = ast.parse(module.read_text(encoding="utf-8"))
    texts = [ast.unparse(node) for node in tree.body if isinstance(node, ast.Assign)]
    if any(text.startswith("pytestmark = ") and "faults" in text for text in texts):
        return False
    tests = [
        node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    ]
    return any(MARK not in map(ast.unparse, test.decorator_list) for test in tests)


def test_ci_runs_the_test_command_of_the_readme() -> None:
    assert "\nmake test\n" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")


def test_locks_contain_no_index_url_and_each_requirement_once_with_hashes() -> None:
    text = "".join(file.read_text(encoding="utf-8") for file in sorted(ROOT.glob("requirements*.txt")))
    assert "://" not in text
    pinned = re.findall(r"^[A-Za-z0-9][^\n]*==[^\n]*", text, re.MULTILINE)
    assert len(pinned) == len(set(pinned)) > 150
    assert len(pinned) == len(re.findall(r"==[^\n]*\\\n    --hash=sha256:", text))


def test_outdated_lock_is_detected(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("pyproject.toml", *lock.FILES):
        (tmp_path / name).write_text((ROOT / name).read_text(encoding="utf-8"), encoding="utf-8")
    monkeypatch.setattr(lock, "ROOT", tmp_path)
    assert lock.main(["--check"]) == 0
    project = tmp_path / "pyproject.toml"
    project.write_text(
        project.read_text(encoding="utf-8").replace("polars>=1.40", "polars>=1.41"), encoding="utf-8"
    )
    assert lock.main(["--check"]) == 1


def test_committed_files_contain_no_machine_paths() -> None:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S607
    if listed.returncode:
        pytest.skip("not a git checkout: the list of committed files is unknown")
    names = [name for name in listed.stdout.splitlines() if not name.startswith("requirements")]
    files = [ROOT / name for name in names if not name.endswith(".png")]
    private = re.compile(r"(?:^|[\s\"'(=])/(?:work|farm|root|home)/", re.MULTILINE)
    found = [
        str(file.relative_to(ROOT)) for file in files if private.search(file.read_text(encoding="utf-8"))
    ]
    assert found == []
