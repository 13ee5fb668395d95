"""Size budgets of modules and functions, and unique names."""

import ast
import re
from collections import Counter
from pathlib import Path
from statistics import median

import pytest

ROOT = Path(__file__).parents[1]
TOPS = {"flows", "pipeline", "blocks", "deploy", "tools", "sandbox", "tests"}
MODULES = sorted(path for top in TOPS for path in (ROOT / top).rglob("*.py"))
PRODUCT = [path for path in MODULES if not path.is_relative_to(ROOT / "tests")]
USUAL_LINES = 200
LONGER = {
    "flows/rate_limit.py",  # slots of a shared limit, and what a run does without them, in one place
    "pipeline/errors.py",  # a line for each code of the runbook
    "pipeline/records.py",  # all records in one place
}
"""Modules with more than USUAL_LINES. A new one needs a reason; remove a module that was split."""
FUNCTION_LINES = 40
MEDIAN_LINES = 10


def functions(path: Path) -> list[tuple[str, int]]:
    """Name and number of lines of each function without its docstring, which is the run form of a flow."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    return [(node.name, _lines(node)) for node in found]


def _lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    docstring = ast.get_docstring(node)
    return (node.end_lineno or 0) - node.lineno + 1 - (len(docstring.splitlines()) if docstring else 0)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_modules_and_functions_are_within_their_budget(path: Path) -> None:
    budget = 400 if path.is_relative_to(ROOT / "tests") else 300
    assert len(path.read_text(encoding="utf-8").splitlines()) <= budget
    assert [(name, lines) for name, lines in functions(path) if lines > FUNCTION_LINES] == []


def test_every_folder_is_checked() -> None:
    assert {path.relative_to(ROOT).parts[0] for path in ROOT.glob("[!.]*/**/*.py")} == TOPS


def test_only_listed_modules_are_longer_than_usual() -> None:
    longer = {
        str(path.relative_to(ROOT))
        for path in PRODUCT
        if len(path.read_text(encoding="utf-8").splitlines()) > USUAL_LINES
    }
    assert longer == LONGER, (
        f"split a module of over {USUAL_LINES} lines, or list it in LONGER with the reason"
    )


def test_median_function_is_short() -> None:
    assert median(lines for path in PRODUCT for _, lines in functions(path)) <= MEDIAN_LINES


def test_ingest_flow_fits_on_one_screen() -> None:
    source = (ROOT / "flows" / "ingest.py").read_text(encoding="utf-8")
    form = re.search(r"    Args:\n.*?\n    \"\"\"", source, re.DOTALL)  # help texts of the run form
    assert form
    assert len(source.replace(form[0], "").splitlines()) <= 80


def test_public_names_are_unique() -> None:
    packages = [
        path
        for path in PRODUCT
        if path.relative_to(ROOT).parts[0] in ("flows", "pipeline", "blocks", "deploy")
    ]
    names = Counter(
        node.name
        for path in packages
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.ClassDef | ast.FunctionDef) and not node.name.startswith("_")
    )
    assert [name for name, times in names.items() if times > 1] == []
