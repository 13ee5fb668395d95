"""The class tree drawn at the top of pipeline/errors.py matches the code."""

import re
from importlib import import_module
from pkgutil import walk_packages

import blocks
import flows
import pipeline
from pipeline import errors
from pipeline.errors import PipelineError

Edge = tuple[str, str]

INDENT = 4
"""Characters of indentation per level of the drawing."""


def drawn() -> set[Edge]:
    """Returns (child, parent) for each class in the drawing."""
    edges, ancestors = set[Edge](), list[str]()
    for branches, name in re.findall(
        r"^([│├└─ ]*)([A-Z]\w+)(?:$| {2,}\S)", str(errors.__doc__), re.MULTILINE
    ):
        level = len(branches) // INDENT
        ancestors[level:] = [name]
        edges |= {(name, ancestors[level - 1])} if level else set()
    return edges


def descendants(parent: type[PipelineError]) -> dict[Edge, str]:
    """Returns the module that defines each class, by (child, parent)."""
    found: dict[Edge, str] = {}
    for child in parent.__subclasses__():
        found |= {(child.__name__, parent.__name__): child.__module__, **descendants(child)}
    return found


def test_the_drawing_shows_each_error_under_its_parent() -> None:
    for package in (blocks, flows, pipeline):
        for module in walk_packages(package.__path__, f"{package.__name__}."):
            if not module.name.endswith("__main__"):
                import_module(module.name)

    real = descendants(PipelineError)
    assert len(real) > 10
    assert drawn() == {*real}
    assert {*real.values()} == {errors.__name__}
