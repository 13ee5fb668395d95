"""What is taken away from a run's surroundings, and which checks have to notice it."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import NamedTuple

from tests.deploy.surroundings import Surroundings


class Case(NamedTuple):
    """Takes something away for as long as the context lasts, which gives other variables of the environment.

    `red`: how the names of the checks begin that are red then. `says`: what each of them names.
    """

    without: Callable[[Surroundings], AbstractContextManager[dict[str, str]]]
    red: tuple[str, ...]
    says: str
