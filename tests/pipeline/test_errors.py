"""The drawing at the top of pipeline/errors.py is the tree of classes."""

import re
from importlib import import_module
from pkgutil import walk_packages

import blocks
import flows
import pipeline
from pipeline import errors
from pipeline.errors import PipelineError

Edge = tuple[str, str]

COLUMNS = 4
"""Characters by which the drawing indents each generation."""


def drawn() -> set[Edge]:
    """Child and parent of each class in the drawing."""
    edges, ancestors = set[Edge](), list[str]()
    for branches, name in re.findall(
        r"^([│├└─ ]*)([A-Z]\w+)(?:$| {2,}\S)", str(errors.__doc__), re.MULTILINE
    ):
        generation = len(branches) // COLUMNS
        ancestors[generation:] = [name]
        edges |= {(name, ancestors[generation - 1])} if generation else set()
    return edges


def descendants(parent: type[PipelineError]) -> dict[Edge, str]:
    """Child and parent of each class, and the module that has it."""
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
