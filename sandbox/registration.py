"""The sandbox's blocks, written by the project's own registration, and the list of its daily runs."""

from collections.abc import Mapping, Sequence

from prefect.variables import Variable

from blocks.prefect_api import connected
from blocks.registration import register
from flows.daily_playlists import VARIABLE

MOST_PLAYLISTS = 150
"""What a Prefect variable surely holds; a folder of recordings may have more."""


def register_blocks(environment: Mapping[str, str], playlists: Sequence[str]) -> None:
    """Writes the blocks into the Prefect server that `environment` names; none of the shell's values.

    `playlists`: what runs read that name none.
    """
    with connected(environment):
        register(environment)
        Variable.set(VARIABLE, list(playlists[:MOST_PLAYLISTS]), overwrite=True)
