"""Checks the documentation: links and commands exist, and no text contains machine paths or private names."""

import ast
import json
import re
import subprocess
import tomllib
from importlib import import_module
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
import sqlglot

from pipeline import VERSION
from pipeline.warehouse.setup import SCHEMA
from tools import lock

ROOT = Path(__file__).parents[1]
MARK = "pytest.mark.faults"
README, GUARANTEES, ARCHITECTURE = (
    ROOT / "README.md",
    ROOT / "docs" / "guarantees.md",
    ROOT / "docs" / "architecture.md",
)
PAGES = [
    README,
    ROOT / "CONTRIBUTING.md",
    ROOT / "CHANGELOG.md",
    *sorted((ROOT / "docs").glob("*.md")),
    ROOT / "sandbox/snowflake/DEVIATIONS.md",
]
EACH_PAGE = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
COMMANDS = ("make ", ".venv/", "python ", "cp ", "aws ", "docker ", "openssl ", "printf ", "prefect ", ". ")
"""How shell commands begin, in blocks that do not say what they are."""


def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def blocks(page: Path) -> list[tuple[str, str]]:
    """Kind and text of each code block; commands are `sh`."""
    found = re.findall(r"^ *```(\w*)\n(.*?)^ *```$", text_of(page), re.MULTILINE | re.DOTALL)
    return [("sh" if not kind and is_commands(text) else kind, dedent(text)) for kind, text in found]


def is_commands(block: str) -> bool:
    return any(line.startswith(COMMANDS) for line in dedent(block).splitlines())


def code(page: Path) -> list[str]:
    """Commands and names: lines of command blocks without comments, and code spans."""
    lines = [
        re.sub(r"(^|\s)#.*", "", line)
        for kind, text in blocks(page)
        for line in text.splitlines()
        if kind == "sh"
    ]
    prose = re.sub(r"^ *```.*?^ *```$", "", text_of(page), flags=re.MULTILINE | re.DOTALL)
    return lines + re.findall(r"`([^`\n]+(?:\n[^`\n]+)?)`", prose)


def anchors(page: Path) -> set[str]:
    """Of the headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", text_of(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@EACH_PAGE
def test_link_targets_exist(page: Path) -> None:
    targets = re.findall(r"\]\((?!https?:)([^)#]*)(?:#([^)]+))?\)", text_of(page))
    files = [(page.parent / name if name else page, anchor) for name, anchor in targets]
    assert [str(file) for file, _ in files if not file.exists()] == []
    wrong = [(file.name, anchor) for file, anchor in files if anchor and anchor not in anchors(file)]
    assert wrong == []


LINK = re.compile(r"""(['"]?)((?:https?://)?(?:open|play)\.spotify\.com/|https?://|<link)""")


def test_links_in_shell_commands_are_quoted() -> None:
    """An unquoted `&` in a link would end the command."""
    commands = [
        line for page in PAGES for kind, block in blocks(page) if kind == "sh" for line in block.splitlines()
    ]
    commands += [text for page in PAGES for text in code(page) if "python -m " in text]
    linked = [(command, found[1]) for command in commands for found in LINK.finditer(command)]
    assert len(linked) >= 2
    assert [command for command, quote in linked if not quote] == []


@EACH_PAGE
def test_make_commands_are_targets(page: Path) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(" ".join(re.findall(r"^([a-z./ -]+):", makefile, re.MULTILINE)).split())
    named = {target for text in code(page) for target in re.findall(r"\bmake ([a-z./-]+)", text)}
    assert named - targets == set()


def test_the_readme_shows_how_to_start() -> None:
    assert {"make demo", "make sandbox", "make test", "make check"} <= {
        " ".join(text.split()[:2]) for text in code(README)
    }


@EACH_PAGE
def test_modules_and_commands_of_python_exist(page: Path) -> None:
    named = {
        found for text in code(page) for found in re.findall(r"python3? -m ([\w.]+)(?: ([a-z]+)\b)?", text)
    }
    ours = [(name, command) for name, command in named if (ROOT / name.split(".")[0]).is_dir()]
    files = {name: ROOT / name.replace(".", "/") for name, _ in ours}
    assert [
        n
        for n, file in files.items()
        if not any(map(Path.exists, (file / "__main__.py", file.with_suffix(".py"))))
    ] == []
    commands = {name: [*import_module(f"{name}.__main__").app] for name in ("flows", "blocks", "deploy")}
    assert [one for one in ours if one[1] and one[1] not in commands.get(one[0], [one[1]])] == []


@EACH_PAGE
def test_files_that_are_named_exist(page: Path) -> None:
    named = {
        name
        for text in code(page)
        for name in re.findall(
            r"^(?:flows|pipeline|blocks|deploy|sql|tools|sandbox|tests|docs)/[\w./*-]*$", text
        )
    }
    assert [name for name in sorted(named) if not [*ROOT.glob(name)]] == []


@EACH_PAGE
def test_code_blocks_can_be_read(page: Path) -> None:
    for kind, block in blocks(page):
        assert kind in {"", "sh", "text", "sql", "json", "toml"}
        if kind == "json":
            json.loads(block)
        elif kind == "toml":
            tomllib.loads(block)
        elif kind == "sql":
            sqlglot.parse(block, read="snowflake")
        elif kind == "sh":
            done = subprocess.run(["bash", "-n"], input=block, capture_output=True, text=True, check=False)  # noqa: S607
            assert (done.returncode, done.stderr) == (0, "")


def test_the_functions_of_a_playlists_life_exist() -> None:
    section = text_of(ARCHITECTURE).split("## The life of one playlist")[1].split("\n## ")[0]
    rows = re.findall(r"^\|[^|]*\| `([^`]+)` \| ([^|]+) \|", section, re.MULTILINE)
    assert len(rows) > 20
    for path, names in rows:
        tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
        for name in re.findall(r"`([\w.]+)`", names):
            assert name in defined(tree), path


def test_constants_that_recipes_name_exist() -> None:
    source = "".join(text_of(file) for file in ROOT.glob("[!.]*/**/*.py"))
    named = {
        text for page in (ARCHITECTURE, ROOT / "CONTRIBUTING.md") for text in code(page) if text.isupper()
    }
    names = {text for text in named if re.fullmatch(r"[A-Z_]{4,}", text)}
    assert len(names) > 8
    assert [name for name in sorted(names) if not re.search(rf"\b{name}\b", source)] == []


def defined(tree: ast.Module) -> set[str]:
    """Names of functions, and of methods after their class."""
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef)]
    methods = {
        f"{one.name}.{node.name}" for one in classes for node in one.body if isinstance(node, ast.FunctionDef)
    }
    return methods | {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def test_the_order_of_imports_is_that_of_the_contract() -> None:
    contracts = project()["tool"]["importlinter"]["contracts"]
    (layers,) = [one["layers"] for one in contracts if one["name"] == "imports run downwards only"]
    assert "\n".join(layers) + "\n" in [block for _, block in blocks(ARCHITECTURE)]


def test_make_test_includes_every_test_of_a_guarantee() -> None:
    """Each named module, or some module of a named folder, has tests without the mark `faults`."""
    named = {
        page: re.findall(r"\]\((?:\.\./)?(tests/[^)]+)\)", text_of(page)) for page in (GUARANTEES, README)
    }
    assert len(named[GUARANTEES]) > 30
    assert {*named[README]} - {*named[GUARANTEES], "tests/deploy"} == set()
    modules = {name: sorted((ROOT / name).glob("test_*.py")) or [ROOT / name] for name in named[GUARANTEES]}
    long_only = [name for name, found in modules.items() if not any(map(has_short_tests, found))]
    assert long_only == []


def test_every_guarantee_names_its_test() -> None:
    rows = [line for line in text_of(GUARANTEES).splitlines() if line.startswith("| ")]
    guarantees = [row for row in rows if not row.startswith("| guarantee |")]
    assert len(guarantees) > 30
    assert [row for row in guarantees if "](../tests/" not in row] == []


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


def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def test_one_version_everywhere() -> None:
    releases = re.findall(r"^## \[([0-9.]+)\] - (\S+)$", text_of(ROOT / "CHANGELOG.md"), re.MULTILINE)
    numbers = [tuple(map(int, number.split("."))) for number, _ in releases]
    assert numbers == sorted(set(numbers), reverse=True)
    assert [day for _, day in releases] == sorted((day for _, day in releases), reverse=True)
    assert project()["project"]["version"] == VERSION == releases[0][0]


def test_the_changelog_names_the_newest_schema() -> None:
    schemas = re.findall(r"^Schema ([0-9]+)\b", text_of(ROOT / "CHANGELOG.md"), re.MULTILINE)
    assert int(schemas[0]) == SCHEMA.newest


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
