"""Registers the sandbox's blocks with the same code as `blocks register`, and sets `daily_playlists`."""

from collections.abc import Mapping, Sequence

from prefect.variables import Variable

from blocks.prefect_api import connected
from blocks.registration import register
from flows.daily_playlists import VARIABLE

MAX_PLAYLISTS = 150
"""Prefect limits the size of a variable's value; a folder of recordings may contain more playlists."""


def register_blocks(environment: Mapping[str, str], playlists: Sequence[str]) -> None:
    """Writes the blocks to the Prefect server in `environment`; variables of the shell are not used.

    `playlists`: value of the Prefect variable `daily_playlists`.
    """
    with connected(environment):
        register(environment)
        Variable.set(VARIABLE, list(playlists[:MAX_PLAYLISTS]), overwrite=True)
