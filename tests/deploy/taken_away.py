"""A fault in the set-up of runs, and the checks that must report it."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import NamedTuple

from tests.deploy.surroundings import Surroundings


class Case(NamedTuple):
    """A context in which something is missing or wrong; it yields changed environment variables.

    `red`: prefixes of the names of the checks that must be red. `says`: text that each of their lines has.
    """

    without: Callable[[Surroundings], AbstractContextManager[dict[str, str]]]
    red: tuple[str, ...]
    says: str
