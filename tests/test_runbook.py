"""docs/runbook.md quotes what runs and commands say where something is wrong, and nothing else.

Texts of the source and of the page are compared by what is fixed in them; `…` stands for the rest.
"""

import ast
import re
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
RUNBOOK = (ROOT / "docs" / "runbook.md").read_text(encoding="utf-8")
HOLE = re.compile(r"…|%[sd]")
WORDS = re.compile(r"\w\S* \S*\w\S* \S*\w")
"""What has less than three words stands within something longer."""
SHOWN = 30
"""Characters of a text's longest fixed part that the page shows at least."""

SILENT = {"info", "debug", "Field", "Parameter"}
"""Calls whose texts are progress, or shown by a form."""
NO_MESSAGES = {
    "flows/transform/generate.py",  # SQL
    "flows/transform/schema.py",  # what columns mean
    "deploy/automations.py",  # notifications, which pass on the messages of runs
}
NOT_QUOTED = (
    # where nothing is wrong
    "Reads playlists from the Spotify Web API",
    "all that prefect.yaml needs is there",
    "python -m deploy",
    "Run this in Snowflake now",
    "If no browser opens, follow this link",
    "is authorised; do it again before six months are over",
    "load in progress",
    # parts of messages that are quoted by another part
    "without `item` and `track`",
    "an image with its tag",
    "on one line",
    "the ARN of a role",
    "the name of a work pool",
    "where the block holds a key, that one stays",
    "of the user",
    "the warehouse counts",
    "if a pipe is STOPPED",
    "docs/operations.md#snowpipe says how",
)
"""How such texts begin."""
PREFECT = (
    "prefect/flow_engine.py",
    "prefect/states.py",
    "prefect/runner/_flow_run_executor.py",
    "prefect/workers/base.py",
    "prefect_aws/observers/ecs.py",
)
"""Whose messages the tables with the first column "Prefect says" quote."""


def texts(node: ast.AST) -> Iterator[str]:
    """The texts in a piece of code, with `…` for what only a run knows; no docstrings."""
    match node:
        case ast.Expr(value=ast.Constant()):
            return
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)) if name in SILENT:
            return
        case ast.Constant(value=str(text)):
            yield text
        case ast.JoinedStr(values=parts):
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else "…" for part in parts)
    for child in ast.iter_child_nodes(node):
        if not (isinstance(node, ast.JoinedStr) and isinstance(child, ast.Constant)):
            yield from texts(child)


def fixed(text: str) -> list[str]:
    """The parts of a text that no run changes."""
    return [" ".join(part.split()).strip(" .,:;()") for part in HOLE.split(text)]


def said(path: str) -> list[list[str]]:
    """The fixed parts of every text in a file of the project."""
    return [fixed(text) for text in texts(ast.parse((ROOT / path).read_text(encoding="utf-8")))]


SOURCES = sorted(
    file.relative_to(ROOT).as_posix()
    for top in ("flows", "blocks", "deploy")
    for file in (ROOT / top).rglob("*.py")
)


def quoted(*columns: str) -> list[str]:
    """The code spans in the first column of the page's tables with these headings."""
    found, column = [], ""
    for line in RUNBOOK.splitlines():
        cell = line.removeprefix("| ").split(" | ")[0] if line.startswith("| ") else ""
        spans = [text.strip() for _, text in re.findall(r"(?<!`)(`+)(?!`)(.+?)(?<!`)\1(?!`)", cell)]
        column = column if spans or not cell else cell
        found += spans if column in columns else []
    return found


@pytest.mark.parametrize("path", [path for path in SOURCES if path not in NO_MESSAGES])
def test_what_is_said_is_in_the_runbook(path: str) -> None:
    longest = {max(parts, key=len) for parts in said(path)}
    wanted = [part for part in longest if WORDS.search(part) and not part.startswith(NOT_QUOTED)]
    assert [part for part in wanted if part[:SHOWN] not in RUNBOOK] == []


def test_what_the_runbook_quotes_is_said() -> None:
    parts = [part for path in SOURCES for text in said(path) for part in text if len(part) >= 10]
    quotes = [
        part
        for quote in quoted("message", "warning")
        for part in fixed(quote.replace("What to do: ", "…"))
        if WORDS.search(part)
    ]
    assert len(quotes) > 150
    assert [one for one in quotes if not any(one in part or part in one for part in parts)] == []


def test_what_is_not_quoted_is_still_said() -> None:
    parts = [part for path in SOURCES for text in said(path) for part in text]
    assert [one for one in NOT_QUOTED if not any(part.startswith(one) for part in parts)] == []


def test_every_reject_reason_is_explained() -> None:
    source = (ROOT / "flows" / "transform" / "decode.py").read_text(encoding="utf-8")
    reasons = re.findall(r'(?:_Refused\(|reason = |NO_ITEM = |MALFORMED = )"(\w+)"', source)
    assert len(reasons) > 8
    assert {quote.split(":")[0] for quote in quoted("reason")} == {*reasons}


def test_prefect_says_what_the_runbook_quotes() -> None:
    spec = find_spec("prefect")  # which does not import it
    site = Path(str(spec and spec.origin)).parents[1]
    theirs = "".join((site / path).read_text(encoding="utf-8") for path in PREFECT)
    quotes = quoted("Prefect says")
    assert len(quotes) >= len(PREFECT)
    assert [part for quote in quotes for part in fixed(quote) if part not in theirs] == []
