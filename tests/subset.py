"""Cases of which `make test` tries some and `make test-faults` all."""

from collections.abc import Iterable

import pytest


def some(cases: Iterable[str], always: Iterable[str]) -> list[object]:
    """The cases by name; those that are not always tried are marked as long."""
    kept = set(always)
    return [pytest.param(case, marks=[] if case in kept else pytest.mark.faults) for case in cases]
