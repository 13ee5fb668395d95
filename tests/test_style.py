"""Size budgets: small modules, small functions."""

import ast
import re
from pathlib import Path
from statistics import median

import pytest

ROOT = Path(__file__).parents[1]
MODULES = sorted(
    path
    for top in ("flows", "pipeline", "blocks", "deploy", "tools", "sandbox", "tests")
    for path in (ROOT / top).rglob("*.py")
)
FUNCTION_LINES = 40
MEDIAN_LINES = 10


def functions(path: Path) -> list[tuple[str, int]]:
    """Name and number of lines of each function; a flow's docstring is its run form and does not count."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    return [(node.name, _lines(node)) for node in found]


def _lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    docstring = ast.get_docstring(node)
    return (node.end_lineno or 0) - node.lineno + 1 - (len(docstring.splitlines()) if docstring else 0)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_modules_and_functions_keep_their_budget(path: Path) -> None:
    budget = 400 if path.is_relative_to(ROOT / "tests") else 300
    assert len(path.read_text(encoding="utf-8").splitlines()) <= budget
    assert [(name, lines) for name, lines in functions(path) if lines > FUNCTION_LINES] == []


def test_most_functions_are_short() -> None:
    product = [path for path in MODULES if not path.is_relative_to(ROOT / "tests")]
    assert median(lines for path in product for _, lines in functions(path)) <= MEDIAN_LINES


def test_the_story_fits_on_one_screen() -> None:
    story = (ROOT / "flows" / "ingest.py").read_text(encoding="utf-8")
    form = re.search(r"    Args:\n.*?\n    \"\"\"", story, re.DOTALL)  # the run form's help
    assert form
    assert len(story.replace(form[0], "").splitlines()) <= 80
