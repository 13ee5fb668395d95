"""Enumerations of similar cases: one or two of each kind run in `make test`, all in `make test-faults`."""

from collections.abc import Collection, Iterable

import pytest
from _pytest.mark import ParameterSet


def enumerated(names: Iterable[str], always: Collection[str]) -> list[ParameterSet]:
    """Parameters of a test; cases that are not in `always` get the mark `faults` of the long suites."""
    known = list(names)
    if unknown := set(always) - set(known):
        raise ValueError(f"no such cases: {unknown}")
    return [
        pytest.param(name, marks=[] if name in always else [pytest.mark.faults], id=name) for name in known
    ]
