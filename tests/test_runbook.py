"""docs/runbook.md explains every error code, every reject reason, and messages of Prefect."""

import re
from importlib.util import find_spec
from pathlib import Path

import pytest

from pipeline.errors import Code
from pipeline.transform.entries import EXPECTED_REASONS, MALFORMED
from pipeline.transform.lenient import LONE_SURROGATE, NUL

ROOT = Path(__file__).parents[1]
RUNBOOK = (ROOT / "docs" / "runbook.md").read_text(encoding="utf-8")
SOURCES = {
    file.relative_to(ROOT).as_posix(): file.read_text(encoding="utf-8")
    for top in ("flows", "pipeline", "blocks", "deploy")
    for file in sorted((ROOT / top).rglob("*.py"))
}
ERRORS = SOURCES.pop("pipeline/errors.py")

ANYWHERE = "The run and its parameters"
SECTIONS = {
    "pipeline/spotify/": {"Spotify"},
    "pipeline/lake/": {"The lake"},
    "pipeline/warehouse/": {"The warehouse", "Counts that differ"},
    "pipeline/transform/": {"Spotify", "Counts that differ"},
    "pipeline/preflight/": {"Spotify", "The lake", "The warehouse", "What surrounds a run"},
}
"""Package → sections of the runbook that explain its codes, in addition to ANYWHERE."""
PREFECT = (
    "prefect/flow_engine.py",
    "prefect/states.py",
    "prefect/runner/_flow_run_executor.py",
    "prefect/workers/base.py",
    "prefect_aws/observers/ecs.py",
)
"""Modules with the messages that the runbook quotes in tables with the first column "message of Prefect"."""


def listed() -> list[tuple[str, str]]:
    """Section and name of each code, in the order of pipeline/errors.py; its comments are the sections."""
    found, section = [], ""
    for comment, name in re.findall(r"^    (?:# (.+)|([A-Z_]+) = auto\(\))$", ERRORS, re.MULTILINE):
        section = comment or section
        found += [(section, name)] if name else []
    return found


def quoted(column: str) -> list[tuple[str, str]]:
    """Section and code spans of the first column, in all tables in which that column has this heading."""
    found, section, heading = [], "", ""
    for line in RUNBOOK.splitlines():
        section = line[3:] if line.startswith("## ") else section
        cell = line[2:].split(" | ")[0] if line.startswith("| ") else ""
        spans = [text.strip() for _, text in re.findall(r"(?<!`)(`+)(?!`)(.+?)(?<!`)\1(?!`)", cell)]
        heading = heading if spans or not cell else cell
        found += [(section, span) for span in spans if heading == column]
    return found


def used(source: str) -> set[str]:
    return set(re.findall(r"\bCode\.([A-Z_]+)", source))


def test_every_code_has_one_row_in_its_section() -> None:
    assert listed() == quoted("code")
    assert [name for _, name in listed()] == [*Code]


def test_every_code_in_the_runbook_exists() -> None:
    variables = (ROOT / "docs" / "by-hand.md").read_text(encoding="utf-8")
    families = {code.split("_")[0] for code in Code}
    named = set(re.findall(r"[`\[]([A-Z]+(?:_[A-Z]+)+)[`\]]", RUNBOOK))
    unknown = named - {*Code} - {name for name in named if name in variables}
    assert {name for name in unknown if name.split("_")[0] in families} == set()


def test_every_code_is_used() -> None:
    assert {*Code} - {name for source in SOURCES.values() for name in used(source)} == set()


@pytest.mark.parametrize("package", SECTIONS)
def test_codes_of_a_package_are_explained_in_its_sections(package: str) -> None:
    names = {name for path, source in SOURCES.items() if path.startswith(package) for name in used(source)}
    assert names
    assert {section for section, name in listed() if name in names} <= SECTIONS[package] | {ANYWHERE}


def test_every_reject_reason_is_explained() -> None:
    reasons = {*EXPECTED_REASONS, MALFORMED, NUL, LONE_SURROGATE}
    assert {quote.split(":")[0] for _, quote in quoted("reason")} == reasons


def test_quoted_messages_of_prefect_exist_in_its_source() -> None:
    spec = find_spec("prefect")  # does not import Prefect
    site = Path(str(spec and spec.origin)).parents[1]
    theirs = "".join((site / path).read_text(encoding="utf-8") for path in PREFECT)
    quotes = [quote for _, quote in quoted("message of Prefect")]
    assert len(quotes) >= len(PREFECT)
    parts = [part.strip(" .,:;()") for quote in quotes for part in quote.split("…")]
    assert [part for part in parts if part not in theirs] == []


def test_quoted_messages_of_automations_exist_in_the_source() -> None:
    quotes = [quote for _, quote in quoted("message of an automation")]
    assert quotes
    sources = SOURCES["deploy/automations.py"] + SOURCES["deploy/no_data.py"]
    assert [quote for quote in quotes if quote not in sources] == []
